# Tables by name: what ClickPipes should read, and nothing else.
resource "clickpipes_publication" "orders" {
  name     = "clickpipes"
  database = "shop"
  tables   = ["sales.customers", "sales.orders"]
}

# Every table of a schema, including tables created later. Needs PostgreSQL 15.
resource "clickpipes_publication" "billing" {
  name     = "billing"
  database = "shop"
  schemas  = ["billing"]
  publish  = ["insert", "update", "delete"]

  timeouts = {
    create = "10m"
    update = "10m"
  }
}
