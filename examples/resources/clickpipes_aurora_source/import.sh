# The cluster identifier.
terraform import clickpipes_aurora_source.orders orders
