//! Ctrl-C and limits end a wait, and nothing is lost.

use std::time::Duration;

use acceptance_tests::simulator::{ClusterSpec, Options};

use crate::rig::{Rig, SOURCE};

/// A cluster on which a modification takes three seconds.
async fn slow() -> anyhow::Result<Rig> {
    let options = Options { time_scale: 0.2, ..Options::default() };
    Rig::on(options, ClusterSpec::new("shop").without_postgres()).await
}

#[tokio::test]
async fn ctrl_c_ends_a_wait_and_the_next_apply_goes_on() -> anyhow::Result<()> {
    let rig = slow().await?;
    rig.source("reboot = \"writer\"")?;
    let session = rig.tf.start(["apply", "-no-color", "-auto-approve"])?;
    while !rig.changes()?.iter().any(|line| line.starts_with("ModifyDBCluster ")) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    session.interrupt()?;
    let outcome = session.outcome().await?.failed()?;
    let message = outcome.message();
    assert!(message.contains("cancelled while waiting for cluster shop to be"), "{message}");
    assert!(message.contains("set up half-way"), "{message}");
    assert!(rig.state().await?.is_null());

    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), ["RebootDBInstance <the writer of shop>"]);
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.state().await?["ready"], true);
    let log = std::fs::read_to_string(rig.tf.log_path())?;
    assert!(log.contains("waiting for cluster shop to be available"), "a long wait shows no progress");
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn a_wait_ends_at_the_limit_of_the_configuration() -> anyhow::Result<()> {
    let rig = slow().await?;
    rig.source("reboot = \"writer\"\n  timeouts = { create = \"1s\" }")?;
    let failure = rig.apply_fails().await?;
    assert!(failure.message().contains("waiting for cluster shop to be"), "{}", failure.message());
    assert!(rig.state().await?.is_null());
    Ok(())
}
