//! Success is what the writer itself says, not only AWS.

use acceptance_tests::simulator::ClusterSpec;

use crate::rig::{Rig, provider_block};

const QUESTION: &str = "current_setting('wal_level')";

fn asked(rig: &Rig) -> anyhow::Result<usize> {
    Ok(rig.cluster.statements()?.iter().filter(|statement| statement.text.contains(QUESTION)).count())
}

#[tokio::test]
async fn a_writer_that_contradicts_aws_is_an_error_and_the_next_apply_goes_on() -> anyhow::Result<()> {
    let rig = Rig::new().await?;
    // A server that AWS knows nothing of answers at the cluster's endpoint.
    let other = rig.simulator.create_cluster(ClusterSpec::new("other")).await?;
    let endpoint = (rig.cluster.host.clone(), rig.cluster.port);
    rig.cluster.show_endpoint(&other.host, other.port);
    let postgres = format!(
        "postgres = {{ host = {:?}, port = {}, username = {:?}, password = {:?}, database = {:?}, sslmode = \"disable\" }}",
        other.host, other.port, other.spec.admin_username, other.spec.admin_password, other.spec.database
    );
    rig.tf.write("provider.tf", &provider_block(&rig.simulator, None, &postgres))?;
    rig.source("reboot = \"writer\"")?;
    let failure = rig.apply_fails().await?.message();
    assert!(failure.contains("The writer runs without logical replication"), "{failure}");
    assert!(failure.contains("`rds.logical_replication` is off") && failure.contains("`wal_level` is replica"), "{failure}");
    let done = rig.changes()?;

    rig.cluster.show_endpoint(&endpoint.0, endpoint.1);
    rig.provider(None)?;
    rig.tf.apply().await?;
    assert_eq!(rig.changes()?, done, "everything was done already");
    assert_eq!(rig.state().await?["ready"], true);
    rig.tf.assert_empty_plan().await?;
    Ok(())
}

#[tokio::test]
async fn the_writer_is_asked_after_a_change_and_never_by_a_plan() -> anyhow::Result<()> {
    let rig = Rig::new().await?;
    rig.source("")?;
    rig.tf.apply().await?;
    assert_eq!((asked(&rig)?, &rig.state().await?["ready"]), (0, &false.into()), "AWS says that a reboot is missing");
    rig.source("reboot = \"writer\"")?;
    rig.tf.apply().await?;
    assert_eq!((asked(&rig)?, &rig.state().await?["ready"]), (1, &true.into()));
    rig.tf.assert_empty_plan().await?;
    assert_eq!(asked(&rig)?, 1);
    Ok(())
}

/// Where the database cannot be reached, the apply that changed the cluster says so, and what it did is kept.
#[tokio::test]
async fn a_writer_that_cannot_be_asked_is_an_error_that_says_why_it_was_asked() -> anyhow::Result<()> {
    let rig = Rig::new().await?;
    rig.source("reboot = \"writer\"")?;
    rig.tf.apply().await?;
    let wrong = format!(
        "postgres = {{ host = {:?}, port = {}, username = {:?}, password = \"wrong\", sslmode = \"disable\" }}",
        rig.cluster.host, rig.cluster.port, rig.cluster.spec.admin_username
    );
    rig.tf.write("provider.tf", &provider_block(&rig.simulator, None, &wrong))?;
    rig.source("reboot = \"writer\"\n  parameters = { work_mem = \"128\" }")?;
    let failure = rig.apply_fails().await?.message();
    assert!(failure.contains("to verify that logical replication is on"), "{failure}");
    rig.provider(None)?;
    let before = rig.changes()?.len();
    rig.tf.apply().await?;
    assert_eq!(rig.changes_since(before)?, [""; 0]);
    rig.tf.assert_empty_plan().await?;
    Ok(())
}
