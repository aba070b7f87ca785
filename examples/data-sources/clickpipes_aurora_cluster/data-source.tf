# A cluster that another configuration makes a source.
data "clickpipes_aurora_cluster" "orders" {
  cluster_identifier = "orders"
}

output "endpoint" {
  value = "${data.clickpipes_aurora_cluster.orders.host}:${data.clickpipes_aurora_cluster.orders.port}"
}

check "orders_replicates" {
  assert {
    condition     = data.clickpipes_aurora_cluster.orders.ready
    error_message = "Logical replication is not in effect on the writer ${data.clickpipes_aurora_cluster.orders.writer_instance_id}."
  }
}
