import {
  to = clickpipes_publication.orders
  identity = {
    database = "shop"
    name     = "clickpipes"
  }
}
