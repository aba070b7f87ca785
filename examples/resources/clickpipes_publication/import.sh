# database/name. A part with a slash or a double quote is written as an SQL identifier, for example '"shop/eu"/clickpipes'.
terraform import clickpipes_publication.orders shop/clickpipes
