# Proves that the pipe's role can replicate: terraform apply -invoke=action.clickpipes_prove.orders
action "clickpipes_prove" "orders" {
  config {
    database         = "mydb"
    username         = "clickpipes"
    publication_name = "clickpipes"
    password_env     = "CLICKPIPES_PASSWORD"
  }
}
