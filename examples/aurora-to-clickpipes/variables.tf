variable "region" {
  description = "Region of the Aurora cluster."
  type        = string
}

variable "cluster_identifier" {
  description = "Identifier of the Aurora PostgreSQL cluster."
  type        = string
}

variable "database" {
  description = "Database whose tables are replicated."
  type        = string
}

variable "schema" {
  description = "Schema that the replication user may read, including later tables."
  type        = string
}

variable "tables" {
  description = "Tables to publish, each as schema.table."
  type        = list(string)
}

variable "admin_username" {
  description = "Master user of the cluster, or another role that may create roles and publications."
  type        = string
}

variable "admin_password" {
  description = "Password of the admin. Ephemeral: it is in no plan and no state."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "replication_password" {
  description = "Password for the replication user. Ephemeral: it is in no plan and no state."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "replication_password_version" {
  description = "Increase it to set replication_password again."
  type        = number
  default     = 1
}
