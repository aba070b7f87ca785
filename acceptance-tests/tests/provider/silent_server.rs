//! A server that stops answering: every step ends at its `timeouts`, and says what it waited for.

use std::time::{Duration, Instant};

use acceptance_tests::core_client::DEADLINE;
use acceptance_tests::rig::{CLUSTER, Rig};
use acceptance_tests::simulator::ClusterSpec;
use acceptance_tests::terraform_cli::{Outcome, Session};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::interruptions::{hold, until_it_waits};
use super::{APPLY, P, PLAN, PUBLICATIONS, one_error, publication, rig};

/// The publication with these limits.
fn within(publish: &str, timeouts: &str) -> String {
    publication(publish).replace("  name = ", &format!("  timeouts = {{ {timeouts} }}\n  name = "))
}

/// A rig whose provider waits long for a connection, so that only `timeouts` can end a wait.
async fn patient_rig() -> Result<Rig> {
    let rig = rig(ClusterSpec::new(CLUSTER)).await?;
    let (host, port) = (&rig.cluster.host, rig.cluster.port);
    rig.provider(&format!(
        r#"host = "{host}", port = {port}, username = "clusteradmin", sslmode = "disable", connect_timeout = 3600"#
    ))?;
    Ok(rig)
}

/// The end of a run that nothing but its own limits can end.
async fn ended(session: Session) -> Result<Outcome> {
    tokio::time::timeout(DEADLINE, session.outcome()).await.context("the run does not end")?
}

fn address(rig: &Rig) -> String {
    format!("{}:{}", rig.cluster.host, rig.cluster.port)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_ends_without_a_connection() -> Result<()> {
    let rig = patient_rig().await?;
    rig.main(&within("\"insert\"", "read = \"2s\""))?;
    rig.apply_as_reviewed(P).await?;
    let frozen = rig.cluster.server()?.freeze()?;
    let outcome = ended(rig.tf.start(PLAN)?).await?;
    let awaited = format!(
        "Gave up reading publication \"p\" of database \"app\" after 2s, while waiting for a connection to {}",
        address(&rig)
    );
    one_error(outcome, &["Timed out", &awaited, "timeouts"])?;
    drop(frozen);
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_ends_in_the_middle_of_a_query() -> Result<()> {
    let rig = patient_rig().await?;
    rig.main(&within("\"insert\"", "read = \"5s\""))?;
    let superuser = rig.cluster.superuser("app").await?;
    superuser.batch_execute("BEGIN; LOCK TABLE pg_publication IN ACCESS EXCLUSIVE MODE").await?;
    let plan = rig.tf.start(PLAN)?;
    until_it_waits(&rig, 0).await?;
    let frozen = rig.cluster.server()?.freeze()?;
    let awaited = format!("while waiting for the answer of {} to a query of the catalogue", address(&rig));
    one_error(ended(plan).await?, &["Timed out", "Gave up planning publication \"p\" of database \"app\" after 5s", &awaited])?;
    drop(frozen);
    superuser.batch_execute("ROLLBACK").await?;
    rig.apply_as_reviewed(P).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_ends_in_the_middle_of_a_statement() -> Result<()> {
    let rig = patient_rig().await?;
    rig.main(&within("\"insert\"", "create = \"6s\""))?;
    let holder = hold(&rig).await?;
    let apply = rig.tf.start(APPLY)?;
    until_it_waits(&rig, 0).await?;
    let frozen = rig.cluster.server()?.freeze()?;
    let awaited = format!("while waiting for the answer of {} to CREATE PUBLICATION \"p\"", address(&rig));
    one_error(ended(apply).await?, &["Timed out", "Gave up creating publication \"p\" of database \"app\" after 6s", &awaited])?;
    assert_eq!(rig.tf.resource(P).await?, Value::Null);
    drop(frozen);
    holder.batch_execute("ROLLBACK").await?;
    until_no_session(&rig).await?;
    assert_eq!(rig.ask(PUBLICATIONS).await?, "0");
    rig.apply_as_reviewed(P).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_not_free_in_time_is_named_with_its_holder() -> Result<()> {
    let rig = patient_rig().await?;
    rig.main(&within("\"insert\"", "create = \"6s\""))?;
    let holder = hold(&rig).await?;
    let outcome = ended(rig.tf.start(APPLY)?).await?;
    one_error(outcome, &["Timed out waiting for a lock", "CREATE PUBLICATION \"p\"", "application \"nightly-report\""])?;
    holder.batch_execute("ROLLBACK").await?;
    rig.apply_as_reviewed(P).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_an_answer_ends_and_its_result_is_found() -> Result<()> {
    let rig = patient_rig().await?;
    rig.main(&within("\"insert\"", "update = \"6s\""))?;
    rig.apply_as_reviewed(P).await?;
    rig.hold_commits(true).await?;
    rig.main(&within("\"insert\", \"delete\"", "update = \"6s\""))?;
    let apply = rig.tf.start(APPLY)?;
    rig.commit_waits().await?;
    let frozen = rig.cluster.server()?.freeze()?;
    one_error(ended(apply).await?, &["it is unknown whether the changes to database \"app\" were made", "Plan again"])?;
    drop(frozen);
    rig.hold_commits(false).await?;
    until_no_session(&rig).await?;
    rig.tf.apply().await?;
    assert_eq!(rig.ask("SELECT pubdelete::text FROM pg_publication").await?, "true");
    rig.tf.assert_empty_plan().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroy_ends_without_a_connection() -> Result<()> {
    let rig = patient_rig().await?;
    rig.main(&within("\"insert\"", "delete = \"3s\""))?;
    rig.apply_as_reviewed(P).await?;
    let plan = rig.tf.plan_with(&["-destroy"]).await?;
    let frozen = rig.cluster.server()?.freeze()?;
    let apply = rig.tf.start(["apply", "-no-color", "-input=false", &plan.file.display().to_string()])?;
    let given_up = "Gave up destroying publication \"p\" of database \"app\" after";
    one_error(ended(apply).await?, &["Timed out", given_up, &address(&rig)])?;
    drop(frozen);
    until_no_session(&rig).await?;
    rig.tf.destroy().await?;
    assert_eq!(rig.ask(PUBLICATIONS).await?, "0");
    Ok(())
}

/// Waits until the server has noticed that the provider is gone.
async fn until_no_session(rig: &Rig) -> Result<()> {
    let started = Instant::now();
    let sessions = "SELECT count(*)::text FROM pg_stat_activity WHERE application_name = 'terraform-provider-clickpipes'";
    while rig.ask(sessions).await? != "0" {
        ensure!(started.elapsed() < DEADLINE, "a session of the provider is left");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
