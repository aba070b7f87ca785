//! The statements of the ClickPipes guide, run by hand, then imported.

use anyhow::{Result, ensure};

use crate::cell::{Cell, Flavour, PUBLICATION, USER};

const GUIDE: &str = "\
CREATE USER pipe PASSWORD 'by-hand';
GRANT USAGE ON SCHEMA shop TO pipe;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO pipe;
ALTER DEFAULT PRIVILEGES FOR ROLE app_owner IN SCHEMA shop GRANT SELECT ON TABLES TO pipe";

const CONFIGURATION: &str = r#"
import {
  to = clickpipes_replication_user.u
  id = "app/pipe"
}
resource "clickpipes_replication_user" "u" {
  name     = "pipe"
  database = "app"
  schemas  = ["shop"]
}
import {
  to = clickpipes_publication.p
  id = "app/p"
}
resource "clickpipes_publication" "p" {
  name     = "p"
  database = "app"
"#;

pub async fn by_hand(cell: &mut Cell) -> Result<()> {
    cell.sql(GUIDE).await?;
    cell.sql(match cell.flavour {
        Flavour::Rds => "GRANT rds_replication TO pipe",
        Flavour::Plain => "ALTER ROLE pipe REPLICATION",
    })
    .await?;
    let (publication, scope) = match (cell.since(15), cell.since(13)) {
        (true, _) => (
            "CREATE PUBLICATION p FOR TABLES IN SCHEMA shop, TABLE billing.accounts WITH (publish = 'insert, update')",
            "schemas = [\"shop\"]\n  tables = [\"billing.accounts\"]",
        ),
        (_, true) => (
            "CREATE PUBLICATION p FOR TABLE shop.orders, shop.events WITH (publish_via_partition_root = true, publish = 'insert')",
            "tables = [\"shop.events\", \"shop.orders\"]",
        ),
        _ => ("CREATE PUBLICATION p FOR ALL TABLES", "all_tables = true"),
    };
    cell.sql(publication).await?;
    cell.main(&format!("{CONFIGURATION}  {scope}\n}}\n"))?;

    let plan = cell.tf.plan().await?;
    for address in [USER, PUBLICATION] {
        ensure!(plan.actions(address) == ["no-op"], "{address}: {}", plan.outcome.stdout);
    }
    cell.tf.apply_plan(&plan).await?;
    cell.tf.assert_empty_plan().await?;
    assert_eq!(cell.changes()?, Vec::<String>::new(), "an import alters nothing");
    cell.login("pipe", "by-hand").await?;
    Ok(())
}
