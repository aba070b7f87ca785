terraform {
  required_version = ">= 1.11"

  required_providers {
    clickpipes = {
      source = "clickpipes/clickpipes"
    }
  }
}

provider "clickpipes" {
  aws = {
    region = "eu-west-1"
  }

  # Endpoint, port and TLS name of the writer are looked up.
  postgres = {
    cluster_identifier = "orders"
    database           = "shop"
    username           = "clusteradmin"
    password           = var.admin_password
  }
}

variable "admin_password" {
  description = "Password of the cluster's admin. Ephemeral: it is in no plan and no state."
  type        = string
  sensitive   = true
  ephemeral   = true
}
