import {
  to = clickpipes_aurora_source.orders
  id = "orders"
}
