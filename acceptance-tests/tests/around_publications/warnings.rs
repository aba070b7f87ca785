//! What every plan says of a publication, also if it changes nothing.

use acceptance_tests::rig::Rig;
use anyhow::{Result, ensure};
use serde_json::json;

use crate::rig::{P, flat, publication, rig, superuser, with_application};

#[tokio::test(flavor = "multi_thread")]
async fn every_plan_warns_of_published_tables_that_lost_their_identity() -> Result<()> {
    let rig = rig("15.10").await?;
    rig.sql(
        "SET ROLE app_owner; CREATE TABLE s.events (id int, day int) PARTITION BY LIST (day); INSERT INTO s.a VALUES (1);
         CREATE TABLE s.events_1 PARTITION OF s.events (PRIMARY KEY (id)) FOR VALUES IN (1)",
    )
    .await?;
    rig.main(&publication("  tables = [\"s.a\", \"s.events\"]"))?;
    rig.apply_as_reviewed(P).await?;
    let said = || async { Ok::<_, anyhow::Error>(flat(&rig.tf.plan().await?.outcome.message())) };
    ensure!(!said().await?.contains("without a replica identity"), "{}", said().await?);

    // A partition that is made later does not inherit a replica identity, and a key is dropped.
    rig.sql("CREATE TABLE s.events_2 PARTITION OF s.events FOR VALUES IN (2); ALTER TABLE s.a DROP CONSTRAINT a_pkey").await?;
    ensure!(rig.sql("UPDATE s.a SET id = 2").await.is_err(), "the application can still write");
    rig.tf.assert_empty_plan().await?;
    let first = said().await?;
    for part in [
        "Warning: Published tables without a replica identity: publication \"p\"",
        "UPDATEs and DELETEs already fail on: s.a, s.events_2.",
        "REPLICA IDENTITY FULL",
    ] {
        ensure!(first.contains(part), "{part:?} is missing in {first}");
    }
    assert_eq!(said().await?, first, "the same situation has the same words");
    rig.tf.refresh_only().await?;
    assert_eq!(rig.tf.resource(P).await?["tables_without_replica_identity"], json!(["s.a", "s.events_2"]));

    rig.sql("ALTER TABLE s.a ADD PRIMARY KEY (id); ALTER TABLE s.events_2 REPLICA IDENTITY FULL").await?;
    ensure!(!said().await?.contains("without a replica identity"), "{}", said().await?);
    rig.sql("UPDATE s.a SET id = 2").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_plan_names_tables_that_inherit_and_are_not_published() -> Result<()> {
    let rig = rig("15.10").await?;
    rig.sql(
        "SET ROLE app_owner; CREATE TABLE s.old_a (PRIMARY KEY (id)) INHERITS (s.a); CREATE TABLE s.older_a (PRIMARY KEY (id)) INHERITS (s.old_a);
         RESET ROLE; CREATE SCHEMA archive AUTHORIZATION app_owner; SET ROLE app_owner;
         CREATE TABLE archive.a (PRIMARY KEY (id)) INHERITS (s.a);
         CREATE TABLE s.parts (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE s.parts_1 PARTITION OF s.parts FOR VALUES IN (1)",
    )
    .await?;
    let said = |names: &str| {
        let expected = format!("so a pipe gets none of the rows that are stored in them: {names}.");
        let rig = &rig;
        async move {
            let message = flat(&rig.tf.plan().await?.outcome.message());
            for part in ["Warning: Inheriting tables are not published: publication \"p\"", &expected] {
                ensure!(message.contains(part), "{part:?} is missing in {message}");
            }
            Ok::<_, anyhow::Error>(())
        }
    };
    rig.main(&publication("  tables = [\"s.a\", \"s.parts\"]"))?;
    said("archive.a, s.old_a, s.older_a").await?;
    rig.apply_as_reviewed(P).await?;
    said("archive.a, s.old_a, s.older_a").await?;
    rig.main(&publication("  tables = [\"s.a\", \"s.parts\", \"s.old_a\"]"))?;
    said("archive.a, s.older_a").await?;
    rig.apply_as_reviewed(P).await?;

    // Also those of a table of a published schema, which are elsewhere. Unlogged and foreign tables are not published at all.
    rig.main(&publication("  schemas = [\"s\"]"))?;
    said("archive.a").await?;
    superuser(
        &rig,
        "CREATE UNLOGGED TABLE s.cache (id int); CREATE FOREIGN DATA WRAPPER f; CREATE SERVER far FOREIGN DATA WRAPPER f;
         CREATE FOREIGN TABLE s.remote (id int) SERVER far",
    )
    .await?;
    rig.apply_as_reviewed(P).await?;
    said("archive.a").await?;
    let message = flat(&rig.tf.plan().await?.outcome.message());
    for part in ["Tables of published schemas that are not published", "write no WAL: s.cache.", "on another server: s.remote."] {
        ensure!(message.contains(part), "{part:?} is missing in {message}");
    }
    let published =
        "SELECT string_agg(schemaname || '.' || tablename, ',' ORDER BY schemaname, tablename) FROM pg_publication_tables";
    assert_eq!(rig.ask(published).await?, "s.a,s.b,s.old_a,s.older_a,s.parts");

    rig.main(&publication("  schemas = [\"s\", \"archive\"]"))?;
    rig.apply_as_reviewed(P).await?;
    let message = flat(&rig.tf.plan().await?.outcome.message());
    ensure!(!message.contains("Inheriting tables"), "{message}");
    Ok(())
}

/// The destroy half of a replacement, with a pipe at work.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_database_says_what_is_dropped_and_who_reads_it() -> Result<()> {
    let rig = with_application(Rig::start_logical().await?).await?;
    rig.sql("CREATE DATABASE second").await?;
    let second = rig.cluster.admin("second").await?;
    second.batch_execute("CREATE SCHEMA s; CREATE TABLE s.a (id int PRIMARY KEY)").await?;
    rig.main(&publication("  tables = [\"s.a\"]"))?;
    rig.apply_as_reviewed(P).await?;
    let pipe = rig.stream("pipe", "p").await?;
    rig.main(&publication("  tables = [\"s.a\"]").replace("\"app\"", "\"second\""))?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(P), ["delete", "create"]);
    let message = flat(&plan.outcome.message());
    for part in [
        "Warning: Operations of this destroy: publication \"p\" of database \"app\"",
        "DROP PUBLICATION \"p\"",
        "Warning: Publication may be in use: publication \"p\" of database \"app\"",
        "would stop at once and need a resync",
        "Warning: Operations of the create in this replacement: publication \"p\" of database \"second\"",
    ] {
        ensure!(message.contains(part), "{part:?} is missing in {message}");
    }
    assert_eq!(plan.change(P)["before"]["on_destroy"]["impact"]["resync"], true);
    drop(pipe);
    Ok(())
}
