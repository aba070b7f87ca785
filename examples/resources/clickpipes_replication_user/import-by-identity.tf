import {
  to = clickpipes_replication_user.clickpipes
  identity = {
    database = "shop"
    name     = "clickpipes"
  }
}
