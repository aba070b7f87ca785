//! Generated columns, which a publication can have from PostgreSQL 18 on.

use acceptance_tests::postgres_server::is_available;
use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::rig::{P, flat, publication, rig};

const TABLE: &str = "
    SET ROLE app_owner; CREATE TABLE s.net (id int PRIMARY KEY, gross int GENERATED ALWAYS AS (id * 2) STORED);
    ALTER TABLE s.net REPLICA IDENTITY FULL; INSERT INTO s.net VALUES (1);";

fn net(value: &str) -> String {
    publication(&format!("  tables = [\"s.net\"]\n  {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_ones_are_published_and_then_count_as_part_of_an_identity() -> Result<()> {
    if !is_available(18).await? {
        return Ok(());
    }
    let rig = rig("18.1").await?;
    rig.sql(TABLE).await?;
    rig.main(&net(""))?;
    let refusal = flat(&rig.tf.run(["plan", "-no-color"]).await?.failed()?.message());
    ensure!(refusal.contains("generated columns that are not published (\"gross\")"), "{refusal}");
    rig.main(&net("publish_generated_columns = \"stored\""))?;
    let created = rig.apply_as_reviewed(P).await?;
    assert_eq!(
        (&created["publish_generated_columns"], &created["tables_without_replica_identity"]),
        (&json!("stored"), &json!([]))
    );
    rig.sql("UPDATE s.net SET id = 2").await?;

    // Without the argument the value stays; to take it back would stop the application's writes.
    rig.main(&net(""))?;
    rig.tf.assert_empty_plan().await?;
    rig.main(&net("publish_generated_columns = \"none\""))?;
    let refusal = flat(&rig.tf.run(["plan", "-no-color"]).await?.failed()?.message());
    ensure!(refusal.contains("would fail on: s.net."), "{refusal}");
    rig.sql("SET ROLE app_owner; ALTER TABLE s.net REPLICA IDENTITY DEFAULT").await?;
    let altered = rig.apply_as_reviewed(P).await?;
    assert_eq!((&altered["publish_generated_columns"], &altered["oid"]), (&json!("none"), &created["oid"]));

    // Somebody else changes it.
    rig.sql("ALTER PUBLICATION p SET (publish_generated_columns = stored)").await?;
    let restored = rig.apply_as_reviewed(P).await?;
    assert_eq!(restored["operations"], json!(["ALTER PUBLICATION \"p\" SET (publish_generated_columns = none)"]));
    rig.tf.destroy().await?;

    rig.main(&net(""))?;
    assert_eq!(rig.apply_as_reviewed(P).await?["publish_generated_columns"], "none");
    rig.main(&net("publish_generated_columns = \"virtual\""))?;
    let refusal = flat(&rig.tf.run(["plan", "-no-color"]).await?.failed()?.message());
    ensure!(refusal.contains("neither \"none\" nor \"stored\""), "{refusal}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn before_postgres_18_they_are_refused() -> Result<()> {
    let rig = rig("15.10").await?;
    rig.main(&publication("  tables = [\"s.a\"]\n  publish_generated_columns = \"none\""))?;
    let refusal = flat(&rig.tf.run(["plan", "-no-color"]).await?.failed()?.message());
    ensure!(refusal.contains("Publishing generated columns needs PostgreSQL 18"), "{refusal}");
    rig.main(&publication("  tables = [\"s.a\"]"))?;
    assert_eq!(rig.apply_as_reviewed(P).await?["publish_generated_columns"], Value::Null);
    Ok(())
}
