# What the schema "sales" has, and which of it a pipe can replicate.
data "clickpipes_tables" "sales" {
  database = "mydb"
  schemas  = ["sales"]
}

output "left_out" {
  value = {
    for table in data.clickpipes_tables.sales.tables : "${table.schema}.${table.name}" => table.reason if !table.publishable
  }
}
