# Reboots the writer when it is asked to: terraform apply -invoke=action.clickpipes_reboot.writer
action "clickpipes_reboot" "writer" {
  config {
    cluster_identifier = "orders"
  }
}
