provider "clickpipes" {
  aws = {
    region = var.region
  }
  postgres = {
    cluster_identifier = var.cluster_identifier
    database           = var.database
    username           = var.admin_username
    password           = var.admin_password
  }
}

# Logical replication in the cluster's parameters. The writer is rebooted if they need it: an outage, which the plan announces.
resource "clickpipes_aurora_source" "orders" {
  cluster_identifier = var.cluster_identifier
  reboot             = "writer"
}

# The user that ClickPipes logs in as.
resource "clickpipes_replication_user" "clickpipes" {
  name                = "clickpipes"
  database            = var.database
  password_wo         = var.replication_password
  password_wo_version = var.replication_password_version
  schemas             = [var.schema]

  depends_on = [clickpipes_aurora_source.orders]
}

# The tables that are replicated.
resource "clickpipes_publication" "orders" {
  name     = "clickpipes"
  database = var.database
  tables   = var.tables

  depends_on = [clickpipes_aurora_source.orders]
}

# What a ClickPipe needs, with the names of the resource clickhouse_clickpipe.
output "postgres_source" {
  value = {
    type     = clickpipes_aurora_source.orders.source_type
    host     = clickpipes_aurora_source.orders.host
    port     = clickpipes_aurora_source.orders.port
    tls_host = clickpipes_aurora_source.orders.tls_host
    database = clickpipes_publication.orders.database
    username = clickpipes_replication_user.clickpipes.username
    settings = {
      replication_mode = "cdc"
      publication_name = clickpipes_publication.orders.name
    }
  }
}
