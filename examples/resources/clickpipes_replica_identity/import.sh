# database/schema.table. A part with a slash or a double quote is written as an SQL identifier, for example '"shop/eu"/sales.events'.
terraform import clickpipes_replica_identity.events shop/sales.events
