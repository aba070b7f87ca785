# Reboots the writer on request: terraform apply -invoke=action.clickpipes_reboot.writer
action "clickpipes_reboot" "writer" {
  config {
    cluster_identifier = "orders"
  }
}
