//! The statements of the ClickPipes guide, run by hand, then imported and destroyed. There are two users and two publications: what is
//! asked for the second is another statement than for the first.

use anyhow::{Result, ensure};

use crate::cell::{Cell, Flavour};
use crate::random;

const GUIDE: &str = "\
CREATE USER {pipe} PASSWORD 'by-hand';
GRANT USAGE ON SCHEMA shop TO {pipe};
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {pipe};
ALTER DEFAULT PRIVILEGES FOR ROLE app_owner IN SCHEMA shop GRANT SELECT ON TABLES TO {pipe}";

const CONFIGURATION: &str = r#"
import {
  to = clickpipes_replication_user.{pipe}
  id = "app/{pipe}"
}
resource "clickpipes_replication_user" "{pipe}" {
  name     = "{pipe}"
  database = "app"
  schemas  = ["shop"]
}
import {
  to = clickpipes_publication.{pipe}
  id = "app/{pipe}"
}
resource "clickpipes_publication" "{pipe}" {
  name     = "{pipe}"
  database = "app"
  {scope}
}
"#;

/// The replica identity of a table, made by hand too.
const IDENTITY: &str = r#"
import {
  to = clickpipes_replica_identity.customers
  id = "app/shop.customers"
}
resource "clickpipes_replica_identity" "customers" {
  database = "app"
  table    = "shop.customers"
  identity = "index"
  index    = "customers_pkey"
}
"#;

pub async fn by_hand(cell: &mut Cell) -> Result<()> {
    let replication = match cell.flavour {
        Flavour::Rds => "GRANT rds_replication TO {pipe}",
        Flavour::Plain => "ALTER ROLE {pipe} REPLICATION",
    };
    let (publication, scope) = match (cell.since(15), cell.since(13)) {
        (true, _) => (
            "CREATE PUBLICATION {pipe} FOR TABLES IN SCHEMA shop, TABLE billing.accounts WITH (publish = 'insert, update')",
            "schemas = [\"shop\"]\n  tables = [\"billing.accounts\"]",
        ),
        (_, true) => (
            "CREATE PUBLICATION {pipe} FOR TABLE shop.orders, shop.events WITH (publish_via_partition_root = true, publish = 'insert')",
            "tables = [\"shop.events\", \"shop.orders\"]",
        ),
        _ => ("CREATE PUBLICATION {pipe} FOR ALL TABLES", "all_tables = true"),
    };
    cell.sql("SET ROLE app_owner; ALTER TABLE shop.customers REPLICA IDENTITY USING INDEX customers_pkey").await?;
    let mut configuration = IDENTITY.to_owned();
    for pipe in ["one", "two"] {
        for sql in [GUIDE, replication, publication] {
            cell.sql(&sql.replace("{pipe}", pipe)).await?;
        }
        configuration += &CONFIGURATION.replace("{pipe}", pipe).replace("{scope}", scope);
    }
    cell.main(&configuration)?;

    let plan = cell.tf.plan().await?;
    for address in [
        "clickpipes_replication_user.one",
        "clickpipes_replication_user.two",
        "clickpipes_publication.one",
        "clickpipes_publication.two",
        "clickpipes_replica_identity.customers",
    ] {
        ensure!(plan.actions(address) == ["no-op"], "{address}: {}", plan.outcome.stdout);
    }
    cell.tf.apply_plan(&plan).await?;
    cell.tf.assert_empty_plan().await?;
    assert_eq!(cell.changes()?, Vec::<String>::new(), "an import alters nothing");
    cell.login("one", "by-hand").await?;

    cell.tf.destroy().await?;
    assert!(
        cell.holds(
            "NOT EXISTS (SELECT FROM pg_publication) AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname IN ('one', 'two'))"
        )
        .await?
    );
    let log = std::fs::read_to_string(cell.server()?.log_path())?;
    ensure!(log.contains("SELECT each.number"), "nothing was asked twice");
    ensure!(!log.contains("STATEMENT:  SELECT each.number"), "the server refused a statement for several");
    random::publications(cell).await
}
