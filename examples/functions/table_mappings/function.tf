locals {
  tables = ["sales.orders", "sales.customers"]
}

# What a ClickPipe replicates, and into which tables of ClickHouse.
output "table_mappings" {
  value = provider::clickpipes::table_mappings(local.tables, {
    targets = { "sales.orders" = "orders" }
  })
}
