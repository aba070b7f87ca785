//! A table whose lock another session holds, such as VACUUM or CREATE INDEX CONCURRENTLY.

use std::time::{Duration, Instant};

use acceptance_tests::core_client::DEADLINE;
use acceptance_tests::rig::Rig;
use anyhow::{Result, ensure};

use crate::rig::{P, flat, publication, rig};

/// Awaits that a session of the provider other than `before` waits for the table, and returns its transaction.
async fn until_one_waits(rig: &Rig, before: &str) -> Result<String> {
    let started = Instant::now();
    let waiting = "SELECT max(virtualtransaction) FROM pg_locks WHERE relation = 's.b'::regclass AND NOT granted AND mode = 'ShareUpdateExclusiveLock'";
    loop {
        let transaction = rig.ask(waiting).await?;
        if !transaction.is_empty() && transaction != before {
            return Ok(transaction);
        }
        ensure!(started.elapsed() < DEADLINE, "nothing waits for the table");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_awaited_until_the_limit_and_its_holder_is_named() -> Result<()> {
    let rig = rig("15.10").await?;
    rig.main(&publication("  tables = [\"s.a\"]"))?;
    rig.apply_as_reviewed(P).await?;
    let holder = rig.admin().await?;
    holder.batch_execute("SET application_name = 'reindex'; BEGIN; LOCK TABLE s.b IN SHARE UPDATE EXCLUSIVE MODE").await?;
    rig.main(&publication("  tables = [\"s.a\", \"s.b\"]\n  timeouts = { update = \"2m\" }"))?;
    let session = rig.tf.start(["apply", "-no-color", "-auto-approve", "-input=false"])?;
    let first = until_one_waits(&rig, "").await?;
    // It gives up what it has, and comes again; the application writes meanwhile.
    until_one_waits(&rig, &first).await?;
    rig.sql("INSERT INTO s.b VALUES (1); UPDATE s.b SET id = 2; DELETE FROM s.a").await?;
    holder.batch_execute("COMMIT").await?;
    session.outcome().await?.succeeded()?;
    rig.tf.assert_empty_plan().await?;

    holder.batch_execute("BEGIN; LOCK TABLE s.b IN SHARE UPDATE EXCLUSIVE MODE").await?;
    rig.main(&publication("  tables = [\"s.a\"]\n  timeouts = { update = \"3s\" }"))?;
    let before = rig.changes()?.len();
    let message = flat(&rig.tf.run(["apply", "-no-color", "-auto-approve"]).await?.failed()?.message());
    for part in ["Timed out waiting for a lock: publication \"p\"", "application \"reindex\"", "raise the limit in timeouts"] {
        ensure!(message.contains(part), "{part:?} is missing in {message}");
    }
    ensure!(rig.ask("SELECT count(*)::text FROM pg_publication_rel").await? == "2", "{:?}", rig.changes()?.split_off(before));
    holder.batch_execute("ROLLBACK").await?;
    rig.apply_as_reviewed(P).await?;
    Ok(())
}
