//! The purpose of it all: a user and a publication created by the provider, and a row that arrives through the stream. Behind a
//! simulated cluster logical replication is off until the provider turns it on and reboots.

use acceptance_tests::rig::CLUSTER;
use acceptance_tests::stream::{ReplicationStream, Source};
use anyhow::Result;

use crate::cell::{Cell, Flavour, PASSWORD};

const USER_AND_PUBLICATION: &str = r#"
resource "clickpipes_replication_user" "u" {
  name                = "pipe"
  database            = "app"
  schemas             = ["shop"]
  valid_until         = "2100-01-31T01:00:00+01:00"
  password_wo         = var.password
  password_wo_version = 1
}
resource "clickpipes_publication" "p" {
  name     = "p"
  database = "app"
  tables   = ["shop.orders"]
}
"#;

pub async fn end_to_end(cell: &mut Cell) -> Result<()> {
    let text = match cell.flavour {
        Flavour::Plain => USER_AND_PUBLICATION.to_owned(),
        Flavour::Rds => {
            let source = format!(
                "resource \"clickpipes_aurora_source\" \"s\" {{\n  cluster_identifier = \"{CLUSTER}\"\n  reboot = \"all\"\n}}\n"
            );
            source + &USER_AND_PUBLICATION.replace("  database", "  depends_on = [clickpipes_aurora_source.s]\n  database")
        }
    };
    cell.main(&text)?;
    cell.tf.apply().await?;
    cell.tf.assert_empty_plan().await?;
    assert_eq!(cell.ask("SELECT current_setting('wal_level')").await?, "logical");
    let expiry = "SELECT (rolvaliduntil = '2100-01-31 00:00:00+00')::text FROM pg_roles WHERE rolname = 'pipe'";
    assert_eq!(cell.ask(expiry).await?, "true");

    let pipe = cell.login("pipe", PASSWORD).await?;
    pipe.batch_execute("SELECT pg_create_logical_replication_slot('pipe', 'pgoutput')").await?;
    let source = Source {
        host: "127.0.0.1",
        port: cell.port(),
        user: "pipe",
        password: PASSWORD,
        database: "app",
        slot: "pipe",
        publication: "p",
    };
    let mut stream = ReplicationStream::open(source).await?;
    cell.sql("SET ROLE app_owner; INSERT INTO shop.orders VALUES (4711, 'first')").await?;
    assert_eq!(stream.next_insert().await?, [Some("4711".to_owned()), Some("first".to_owned())]);
    // While the pipe reads: what a login that may only read sees of its session is not all.
    crate::only_reading::plans(cell, &text).await
}
