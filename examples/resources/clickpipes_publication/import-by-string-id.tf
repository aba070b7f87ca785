import {
  to = clickpipes_publication.orders
  id = "shop/clickpipes"
}
