# Drops what a deleted pipe has left behind: terraform apply -invoke=action.clickpipes_drop_replication_slot.orders
action "clickpipes_drop_replication_slot" "orders" {
  config {
    name = "peerflow_slot_orders"
  }
}
