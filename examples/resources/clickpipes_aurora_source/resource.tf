resource "clickpipes_aurora_source" "orders" {
  cluster_identifier = "orders"

  # The writer is rebooted if a parameter needs it, which is an outage. By default nothing is rebooted.
  reboot = "writer"

  # In addition to rds.logical_replication = 1 and wal_sender_timeout = 0.
  parameters = {
    max_replication_slots = "20"
    max_wal_senders       = "20"
  }

  tags = {
    team = "data-platform"
  }
}
