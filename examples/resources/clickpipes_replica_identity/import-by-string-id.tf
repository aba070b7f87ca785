import {
  to = clickpipes_replica_identity.events
  id = "shop/sales.events"
}
