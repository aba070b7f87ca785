import {
  to = clickpipes_aurora_source.orders
  identity = {
    cluster_identifier = "orders"
  }
}
