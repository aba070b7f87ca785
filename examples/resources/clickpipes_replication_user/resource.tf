resource "clickpipes_replication_user" "clickpipes" {
  name     = "clickpipes"
  database = "shop"

  # Not stored. Increase the version to set a new password.
  password_wo         = var.replication_password
  password_wo_version = 1

  # All tables of a schema, also those that their owners create later, and one table of another.
  schemas = ["sales"]
  tables  = ["billing.invoices"]
}

variable "replication_password" {
  description = "Password of the replication user. Ephemeral: it is in no plan and no state."
  type        = string
  sensitive   = true
  ephemeral   = true
}
