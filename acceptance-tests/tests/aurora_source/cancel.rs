//! Ctrl-C and limits end a wait, and nothing is lost.

use std::time::{Duration, Instant};

use acceptance_tests::core_client::DEADLINE;
use acceptance_tests::simulator::{ClusterSpec, Fault, Options, Simulator};
use acceptance_tests::terraform_cli::{Outcome, Session};
use anyhow::ensure;

use crate::rig::{CUSTOM, OURS, Rig, SOURCE};

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
    // A long wait shows its progress.
    rig.tf.until_logged("waiting for cluster shop to be available").await?;
    session.interrupt()?;
    let outcome = session.outcome().await?.failed()?;
    let message = outcome.message();
    assert!(message.contains("cancelled while waiting for cluster shop to be"), "{message}");
    assert!(message.contains("only partly set up"), "{message}");
    assert!(rig.state().await?.is_null());

    assert_eq!(rig.would_run().await?, ["RebootDBInstance <the writer of shop>"]);
    rig.tf.apply().await?;
    assert_eq!(rig.state().await?["ready"], true);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn ctrl_c_ends_a_wait_in_every_mode_and_the_state_is_kept() -> anyhow::Result<()> {
    let ends = ends_the_wait_for_a_reboot;
    tokio::try_join!(ends("dedicated"), ends("in_place"), ends("external")).map(drop)
}

async fn ends_the_wait_for_a_reboot(mode: &str) -> anyhow::Result<()> {
    const WRITER: &str = "RebootDBInstance <the writer of shop>";
    let simulator = Simulator::start(Options { time_scale: 0.1, ..Options::default() })?;
    let ready = [("rds.logical_replication", "1"), ("wal_sender_timeout", "0")];
    simulator.create_parameter_group(CUSTOM, "aurora-postgresql15", &ready)?;
    let rig = Rig::in_simulator(simulator, ClusterSpec::new("shop").parameter_group(CUSTOM).without_postgres()).await?;
    rig.source_in(mode, "force_destroy = true")?;
    rig.tf.apply().await?;
    rig.set_parameter(CUSTOM, "max_wal_senders", "30", "pending-reboot").await?;
    rig.cluster.wait_until_available().await?;
    rig.source_in(mode, "force_destroy = true\n  reboot = \"writer\"")?;
    assert_eq!(rig.tf.plan().await?.operations(SOURCE), [WRITER], "{mode}");
    let session = rig.tf.start(["apply", "-no-color", "-auto-approve"])?;
    rig.tf.until_logged("waiting for member shop-1 of cluster shop to be in-sync").await?;
    let message = stopped(session).await?.message();
    assert!(message.contains("cancelled while waiting for member shop-1"), "{mode}: {message}");
    assert_eq!(rig.state().await?["parameter_group_name"], CUSTOM, "{mode}");
    rig.cluster.wait_until_available().await?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    let reboots = rig.changes()?.iter().filter(|line| line.starts_with("RebootDBInstance")).count();
    assert_eq!((reboots, rig.statuses()[0].as_str()), (1, "in-sync"), "{mode}");
    Ok(())
}

/// More calls than a run makes.
const ALL: u32 = 1000;

/// An apply, and Ctrl-C as soon as `begun`. Without it the attempts at a call that hangs would take minutes, and end in another error.
async fn interrupted(rig: &Rig, begun: impl Fn() -> anyhow::Result<bool>) -> anyhow::Result<Outcome> {
    let session = rig.tf.start(["apply", "-no-color", "-auto-approve"])?;
    let started = Instant::now();
    while !begun()? {
        ensure!(started.elapsed() < DEADLINE, "the apply never came to the call that hangs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stopped(session).await
}

async fn stopped(session: Session) -> anyhow::Result<Outcome> {
    session.interrupt()?;
    let outcome = session.outcome().await?.failed()?;
    assert!(outcome.message().contains("Error: Cancelled"), "{}", outcome.message());
    Ok(outcome)
}

/// Whether the provider has logged in this test that it runs such an operation.
fn runs(rig: &Rig, operation: &str) -> anyhow::Result<bool> {
    let log = std::fs::read_to_string(rig.tf.log_path()).unwrap_or_default();
    Ok(log.lines().any(|line| line.contains("running") && line.contains(operation)))
}

#[tokio::test]
async fn ctrl_c_ends_a_plan_whose_look_at_the_cluster_hangs() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"")?;
    rig.simulator.inject_fault("DescribeGlobalClusters", Fault::Hang, ALL);
    // The plan that an apply makes first is an exception: Terraform does not send a stop before it is done.
    let session = rig.tf.start(["plan", "-no-color"])?;
    rig.tf.until_logged("GRPCProvider.v6: PlanResourceChange").await?;
    stopped(session).await?;
    assert!(rig.state().await?.is_null());
    rig.simulator.clear_faults();
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn ctrl_c_ends_a_create_at_a_change_that_hangs_and_the_next_apply_goes_on() -> anyhow::Result<()> {
    for (action, done) in [("CreateDBClusterParameterGroup", 0), ("ModifyDBCluster", 2)] {
        let rig = Rig::without_postgres().await?;
        rig.source("reboot = \"writer\"")?;
        rig.simulator.inject_fault(action, Fault::Hang, ALL);
        let message = interrupted(&rig, || runs(&rig, &format!("{action} "))).await?.message();
        let title = if done > 0 { "The source is only partly set up" } else { "An AWS call was in progress" };
        assert!(message.contains(title) && message.contains(&format!("still do so: {action} ")), "{message}");
        assert_eq!(message.contains("only partly set up"), done > 0, "{message}");
        assert!(rig.state().await?.is_null());
        assert_eq!(rig.changes()?.len(), done);

        rig.simulator.clear_faults();
        rig.tf.apply().await?;
        assert_eq!(rig.changes()?.len(), 4, "nothing is done twice: {:?}", rig.changes()?);
        assert_eq!(rig.state().await?["ready"], true);
        rig.tf.assert_empty_plan().await?;
    }
    Ok(())
}

#[tokio::test]
async fn ctrl_c_ends_an_update_and_a_state_that_cannot_be_read_anew_is_kept() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.provider(Some(1))?;
    rig.source("reboot = \"writer\"")?;
    rig.tf.apply().await?;
    let before = rig.state().await?;
    rig.source("reboot = \"writer\"\n  tags = { team = \"shop\" }")?;
    rig.simulator.inject_fault("AddTagsToResource", Fault::Hang, ALL);
    let begun = || {
        let begun = runs(&rig, "AddTagsToResource ")?;
        if begun {
            rig.simulator.inject_fault("DescribeDBClusters", Fault::ConnectionReset, 1);
        }
        Ok(begun)
    };
    let message = interrupted(&rig, begun).await?.message();
    for words in ["An AWS call was in progress", "The result could not be read", "Cannot reach AWS"] {
        assert!(message.contains(words), "{words} is missing in {message}");
    }
    assert_eq!(rig.state().await?, before);
    assert_eq!(before["parameter_group_name"], OURS);
    rig.simulator.clear_faults();
    rig.tf.apply().await?;
    assert_eq!(rig.changes()?.iter().filter(|line| line.starts_with("AddTagsToResource ")).count(), 1);
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
