//! What is refused, and where: at validate and at plan, before anything is changed.

use acceptance_tests::simulator::{ClusterSpec, Fault, GlobalMembership};

use crate::rig::{OURS, Rig, SOURCE};

async fn refused(spec: ClusterSpec, words: &[&str]) -> anyhow::Result<()> {
    let rig = Rig::with(spec.without_postgres()).await?;
    rig.source("reboot = \"all\"")?;
    let failure = rig.plan_fails().await?;
    for word in words {
        assert!(failure.message().contains(word), "{word} is missing in {}", failure.message());
    }
    assert_eq!(rig.changes()?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn clusters_that_cannot_be_a_source_are_refused_at_plan() -> anyhow::Result<()> {
    let shop = || ClusterSpec::new("shop");
    refused(ClusterSpec { engine: "aurora-mysql".to_owned(), ..shop().engine_version("8.0") }, &["aurora-mysql"]).await?;
    refused(shop().engine_version("11.9"), &["11.9", "needs version 12 or later"]).await?;
    refused(ClusterSpec { engine_mode: "serverless".to_owned(), ..shop() }, &["Serverless v1", "Serverless v2"]).await?;
    let source = "arn:aws:rds:us-east-1:123456789012:db:old".to_owned();
    refused(ClusterSpec { replication_source: Some(source), ..shop() }, &["replica cluster", "db:old"]).await?;
    let primary = "arn:aws:rds:eu-west-1:123456789012:cluster:main".to_owned();
    let global = Some(GlobalMembership { identifier: "world".to_owned(), primary_arn: Some(primary) });
    refused(ClusterSpec { global, ..shop() }, &["secondary", "eu-west-1", "cluster:main"]).await
}

#[tokio::test]
async fn a_group_of_our_name_that_is_not_ours_is_refused_and_another_name_helps() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.simulator.create_parameter_group(OURS, "aurora-postgresql15", &[])?;
    rig.source("")?;
    let failure = rig.plan_fails().await?;
    assert!(failure.message().contains("was not created for cluster shop"), "{}", failure.message());
    rig.source("parameter_group = { name = \"shop-cdc\" }")?;
    rig.tf.apply().await?;
    assert_eq!(rig.cluster.parameter_group(), "shop-cdc");
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn other_changes_that_wait_for_the_maintenance_window_are_not_applied_along() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.cluster.leave_pending("EngineVersion", "15.12");
    rig.source("")?;
    let failure = rig.plan_fails().await?;
    assert!(failure.message().contains("EngineVersion = 15.12"), "{}", failure.message());
    assert_eq!(rig.changes()?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn malformed_arguments_are_named_with_their_path() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"reader\"\n  parameter_group = { name = \"a--b\" }\n  timeouts = { create = \"soon\" }")?;
    let failure = rig.plan_fails().await?;
    for word in ["one of never, writer, all", "parameter_group.name", "timeouts.create"] {
        assert!(failure.message().contains(word), "{word} is missing in {}", failure.message());
    }
    rig.source("parameters = { max_wal_sender = \"30\", max_wal_senders = \"3\" }")?;
    let failure = rig.plan_fails().await?;
    assert!(failure.message().contains("max_wal_sender is not a modifiable"), "{}", failure.message());
    assert!(failure.message().contains("max_wal_senders in the family"), "{}", failure.message());
    Ok(())
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("")?;
    rig.simulator.inject_fault("DescribeDBClusters", Fault::AccessDenied, 1);
    let failure = rig.plan_fails().await?;
    assert!(failure.message().contains("rds:DescribeDBClusters"), "{}", failure.message());
    Ok(())
}

#[tokio::test]
async fn a_plan_of_another_day_does_not_run_on_a_cluster_that_changed() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"")?;
    rig.tf.apply().await?;
    rig.source("reboot = \"writer\"\n  parameters = { max_wal_senders = \"30\" }")?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE).len(), 2);
    rig.detach().await?;
    let before = rig.changes()?;
    let failure = rig.tf.run(["apply".as_ref(), "-no-color".as_ref(), plan.file.as_os_str()]).await?.failed()?;
    assert!(failure.message().contains("changed since the plan"), "{}", failure.message());
    assert_eq!(rig.changes()?, before);
    Ok(())
}

#[tokio::test]
async fn a_change_whose_operations_are_refused_is_no_plan() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"")?;
    rig.tf.apply().await?;
    rig.detach().await?;
    rig.cluster.leave_pending("BackupRetentionPeriod", "14");
    // The configuration is not the cause, and an apply of it would run something that was not reviewed.
    rig.source("reboot = \"writer\"\n  timeouts = { update = \"10m\" }")?;
    let failure = rig.plan_fails().await?;
    assert!(failure.message().contains("BackupRetentionPeriod = 14"), "{}", failure.message());
    rig.source("reboot = \"writer\"")?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(SOURCE), ["no-op"]);
    assert!(plan.outcome.message().contains("BackupRetentionPeriod = 14"), "{}", plan.outcome.message());
    Ok(())
}
