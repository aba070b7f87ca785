import {
  to = clickpipes_replica_identity.events
  identity = {
    database = "shop"
    table    = "sales.events"
  }
}
