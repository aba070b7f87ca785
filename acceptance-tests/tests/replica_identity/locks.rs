//! A table that is in use when its replica identity changes.

use std::time::{Duration, Instant};

use acceptance_tests::core_client::DEADLINE;
use acceptance_tests::rig::{DATABASE, Rig};
use anyhow::{Result, ensure};

use crate::rig::{R, flat, identity, replica_identity};

/// How long the application's queries may wait: more than the short wait, less than the one of other statements.
const OWN_LIMIT: &str = "SET statement_timeout = '9s'";

/// Waits until a statement of the provider waits for the table.
async fn until_it_waits(rig: &Rig) -> Result<()> {
    let started = Instant::now();
    let waits = "SELECT (count(*) > 0)::text FROM pg_locks WHERE relation = 'orders'::regclass AND NOT granted AND mode = 'AccessExclusiveLock'";
    while rig.ask(waits).await? != "true" {
        ensure!(started.elapsed() < DEADLINE, "nothing waits for the table");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_never_held_up_for_long_beside_a_long_transaction() -> Result<()> {
    let rig = Rig::start().await?;
    rig.sql("CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1)").await?;
    rig.main(&identity("public.orders", "  identity = \"full\""))?;
    let report = rig.admin().await?;
    report.batch_execute("BEGIN; SELECT * FROM orders").await?;
    let application = rig.admin().await?;
    application.batch_execute(OWN_LIMIT).await?;
    let session = rig.tf.start(["apply", "-no-color", "-auto-approve", "-input=false"])?;
    // Twice: the provider has given the lock up, and comes again.
    for _ in 0..2 {
        until_it_waits(&rig).await?;
        application.batch_execute("UPDATE orders SET id = id").await?;
        ensure!(replica_identity(&rig, "orders").await? == "d", "the table is altered beside the report");
    }
    report.batch_execute("COMMIT").await?;
    session.outcome().await?.succeeded()?;
    assert_eq!(replica_identity(&rig, "orders").await?, "f");
    rig.tf.assert_empty_plan().await?;

    // The destroy waits in the same way; when its time is up, it names who holds the table.
    rig.main(&identity("public.orders", "  identity = \"full\"\n  timeouts = { update = \"4s\", delete = \"4s\" }"))?;
    rig.tf.apply().await?;
    // A plan opens no table.
    report.batch_execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").await?;
    rig.tf.assert_empty_plan().await?;
    rig.tf.plan_with(&["-destroy"]).await?;
    report.batch_execute("ROLLBACK").await?;
    let before = rig.changes()?.len();
    report.batch_execute("SET application_name = 'report'; BEGIN; SELECT * FROM orders").await?;
    let message = flat(&rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?.message());
    for part in
        ["Timed out waiting for a lock: replica identity of", "application \"report\"", "Nothing was changed in one attempt"]
    {
        ensure!(message.contains(part), "{part:?} is missing in {message}");
    }
    report.batch_execute("COMMIT").await?;
    ensure!(rig.changes()?.len() > before, "it was not tried");
    assert_eq!(rig.tf.resource(R).await?["database"], DATABASE);
    rig.tf.destroy().await?;
    assert_eq!(replica_identity(&rig, "orders").await?, "d");
    Ok(())
}
