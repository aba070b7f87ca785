# Slots that nothing reads from: they retain WAL and hold up VACUUM.
data "clickpipes_replication_slots" "all" {}

output "idle_slots" {
  value = {
    for slot in data.clickpipes_replication_slots.all.slots : slot.name => slot.lag_bytes if !slot.active
  }
}
