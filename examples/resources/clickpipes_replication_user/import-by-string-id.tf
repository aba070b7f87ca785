import {
  to = clickpipes_replication_user.clickpipes
  id = "shop/clickpipes"
}
