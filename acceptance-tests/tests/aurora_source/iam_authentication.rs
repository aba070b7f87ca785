//! `iam_authentication`: the cluster's setting and the parameter, in both directions.

use acceptance_tests::simulator::{ClusterSpec, Fault};

use crate::rig::{CUSTOM, OURS, Rig, SOURCE};

const ON: &str = "ModifyDBCluster shop: IAM database authentication on, immediately";
const OFF: &str = "ModifyDBCluster shop: IAM database authentication off, immediately";

async fn is_on(rig: &Rig) -> anyhow::Result<bool> {
    let answer = rig.simulator.rds().describe_db_clusters().db_cluster_identifier("shop").send().await?;
    Ok(answer.db_clusters().iter().any(|cluster| cluster.iam_database_authentication_enabled() == Some(true)))
}

fn flags(rig: &Rig) -> anyhow::Result<Vec<String>> {
    Ok(rig.changes()?.into_iter().filter(|change| change == ON || change == OFF).collect())
}

#[tokio::test]
async fn it_is_turned_on_and_a_destroy_turns_off_what_it_enabled() -> anyhow::Result<()> {
    let rig = Rig::new().await?;
    rig.source("reboot = \"writer\"\n  iam_authentication = true")?;
    let plan = rig.tf.plan().await?;
    assert!(plan.operations(SOURCE).contains(&ON), "{:?}", plan.operations(SOURCE));
    rig.tf.apply_plan(&plan).await?;
    assert!(is_on(&rig).await?);
    let values = rig.simulator.parameter_group(OURS).unwrap_or_default();
    assert_eq!(values.get("rds.iam_auth_for_replication").map(String::as_str), Some("1"));
    rig.tf.assert_empty_plan().await?;

    // Unset leaves both alone, and a destroy still knows what it enabled.
    rig.source("reboot = \"writer\"")?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(flags(&rig)?, [ON]);
    rig.tf.destroy().await?;
    assert_eq!(flags(&rig)?, [ON, OFF]);
    assert!(!is_on(&rig).await?);
    Ok(())
}

#[tokio::test]
async fn what_was_on_before_stays_on_and_false_turns_it_off() -> anyhow::Result<()> {
    let rig = Rig::with(ClusterSpec::new("shop").without_postgres()).await?;
    let call = rig.simulator.rds().modify_db_cluster().db_cluster_identifier("shop").enable_iam_database_authentication(true);
    call.apply_immediately(true).send().await?;
    rig.cluster.wait_until_available().await?;
    rig.source("force_destroy = true\n  iam_authentication = true")?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    assert!(is_on(&rig).await?, "this resource did not turn it on");

    rig.source("force_destroy = true\n  iam_authentication = false")?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.change(SOURCE)["after"]["impact"]["pipe_stops"], true);
    rig.tf.apply_plan(&plan).await?;
    assert!(!is_on(&rig).await?);
    rig.tf.assert_empty_plan().await?;
    // Turned on by somebody else: drift.
    let call = rig.simulator.rds().modify_db_cluster().db_cluster_identifier("shop").enable_iam_database_authentication(true);
    call.apply_immediately(true).send().await?;
    rig.cluster.wait_until_available().await?;
    assert_eq!(rig.tf.plan().await?.operations(SOURCE), [OFF]);
    Ok(())
}

#[tokio::test]
async fn a_create_that_stops_after_it_was_turned_on_still_knows_that_it_was_off() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.provider(Some(1))?;
    rig.source("reboot = \"writer\"\n  force_destroy = true\n  iam_authentication = true")?;
    rig.simulator.inject_fault("RebootDBInstance", Fault::AccessDenied, 1);
    rig.apply_fails().await?;
    assert!(is_on(&rig).await?);
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    assert!(!is_on(&rig).await?);
    assert_eq!(flags(&rig)?, [ON, OFF]);
    Ok(())
}

#[tokio::test]
async fn external_only_verifies_it() -> anyhow::Result<()> {
    let values = [("rds.logical_replication", "1"), ("wal_sender_timeout", "0"), ("rds.iam_auth_for_replication", "1")];
    let rig = Rig::with_custom_group(&values, false).await?;
    rig.source_in("external", "iam_authentication = true")?;
    let failure = rig.apply_fails().await?.message();
    assert!(failure.contains("IAM database authentication of cluster shop is off, not on."), "{failure}");
    let call = rig.simulator.rds().modify_db_cluster().db_cluster_identifier("shop").enable_iam_database_authentication(true);
    call.apply_immediately(true).send().await?;
    rig.cluster.wait_until_available().await?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    assert_eq!(flags(&rig)?, [ON], "only that of the test");
    Ok(())
}

#[tokio::test]
async fn a_wanted_change_that_waits_for_the_maintenance_window_does_not_stop_the_others() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.cluster.leave_pending("IAMDatabaseAuthenticationEnabled", "true");
    rig.source("reboot = \"writer\"\n  iam_authentication = true")?;
    rig.tf.apply().await?;
    assert!(is_on(&rig).await?);
    assert_eq!(rig.cluster.parameter_group(), OURS);
    Ok(())
}

#[tokio::test]
async fn a_tag_alone_turns_nothing_off() -> anyhow::Result<()> {
    let rig = Rig::with_custom_group(&[], false).await?;
    rig.cluster.wait_until_available().await?;
    let call = rig.simulator.rds().modify_db_cluster().db_cluster_identifier("shop").enable_iam_database_authentication(true);
    call.apply_immediately(true).send().await?;
    rig.cluster.wait_until_available().await?;
    rig.tag(CUSTOM, &[("clickpipes:previous-iam-authentication", "off")]).await?;
    rig.source_in("in_place", "force_destroy = true")?;
    rig.tf.apply().await?;
    rig.tf.destroy().await?;
    assert!(is_on(&rig).await?, "this resource did not turn it on");
    Ok(())
}
