locals {
  tables = ["sales.orders", "sales.customers"]
}

# The tables that a ClickPipe replicates, and their names in ClickHouse.
output "table_mappings" {
  value = provider::clickpipes::table_mappings(local.tables, {
    targets = { "sales.orders" = "orders" }
  })
}
