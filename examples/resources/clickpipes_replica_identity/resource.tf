# A table without a key: each old row is written to the WAL as a whole.
resource "clickpipes_replica_identity" "events" {
  database = "shop"
  table    = "sales.events"
  identity = "full"
}

# A unique index on NOT NULL columns costs less.
resource "clickpipes_replica_identity" "payments" {
  database = "shop"
  table    = "sales.payments"
  identity = "index"
  index    = "payments_reference"
}

# The reference gives the order: the replica identities first, then the publication.
resource "clickpipes_publication" "events" {
  name     = "events"
  database = "shop"
  tables = [
    clickpipes_replica_identity.events.table,
    clickpipes_replica_identity.payments.table,
  ]
}
