//! What is refused, and where: at validate and at plan, before anything is changed.

use acceptance_tests::simulator::{ClusterSpec, Fault, GlobalMembership, Options, Simulator};

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
    refused(ClusterSpec { global, ..shop() }, &["secondary", "eu-west-1", "cluster:main"]).await?;
    refused(ClusterSpec { limitless: true, ..shop().engine_version("16.4-limitless") }, &["Limitless", "standard Aurora"]).await
}

#[tokio::test]
async fn an_instance_is_not_a_cluster() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    let source = |id: &str| format!("resource \"clickpipes_aurora_source\" \"shop\" {{\n  cluster_identifier = {id:?}\n}}\n");
    rig.tf.write("main.tf", &source("shop-2"))?;
    let message = rig.plan_fails().await?.message();
    assert!(message.contains("shop-2 is an instance of the cluster shop") && message.contains("to \"shop\""), "{message}");
    // Who may not describe instances is told what else is known.
    rig.simulator.deny("DescribeDBInstances", "shop-2");
    assert!(rig.tf.plan().await?.outcome.message().contains("Cluster not found"));
    Ok(())
}

/// A cluster of this version whose group has these values.
async fn with_group(version: &str, values: &[(&str, &str)]) -> anyhow::Result<Rig> {
    let simulator = Simulator::start(Options::default())?;
    let major = version.split('.').next().unwrap_or_default();
    simulator.create_parameter_group("own", &format!("aurora-postgresql{major}"), values)?;
    let spec = ClusterSpec::new("shop").engine_version(version).parameter_group("own").without_postgres();
    let rig = Rig::in_simulator(simulator, spec).await?;
    rig.source("")?;
    Ok(rig)
}

#[tokio::test]
async fn babelfish_is_refused_where_it_has_no_logical_replication() -> anyhow::Result<()> {
    for version in ["15.6", "16.2"] {
        let message = with_group(version, &[("rds.babelfish_status", "on")]).await?.plan_fails().await?.message();
        assert!(
            message.contains(&format!("Aurora PostgreSQL {version}")) && message.contains("15.7, 16.3 or a later"),
            "{message}"
        );
    }
    with_group("16.3", &[("rds.babelfish_status", "on")]).await?.tf.plan().await?;
    with_group("16.2", &[("rds.babelfish_status", "off")]).await?.tf.plan().await?;
    Ok(())
}

#[tokio::test]
async fn a_version_with_a_known_fault_is_a_warning_with_the_version_that_has_the_fix() -> anyhow::Result<()> {
    const TITLE: &str = "Known fault of logical decoding in this version";
    let warning = async |version: &str| with_group(version, &[]).await?.tf.plan().await.map(|plan| plan.outcome.message());
    for (version, error, fixed) in
        [("16.1", "could not map filenumber", "16.2"), ("15.13", "invalid memory alloc request size", "15.14")]
    {
        let message = warning(version).await?;
        assert!([TITLE, error, &format!("to {fixed} or")].iter().all(|word| message.contains(word)), "{message}");
    }
    assert!(!warning("15.14").await?.contains(TITLE));
    Ok(())
}

#[tokio::test]
async fn values_are_compared_and_sent_by_meaning() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    let values = |values: &str| rig.source(&format!("reboot = \"writer\"\n  parameters = {{ {values} }}"));
    values("\"rds.logical_replication\" = \"on\", wal_sender_timeout = \"5min\", log_statement = \"DDL\"")?;
    let plan = rig.tf.plan().await?;
    let set =
        "log_statement = DDL (immediate), rds.logical_replication = 1 (pending-reboot), wal_sender_timeout = 300000 (immediate)";
    assert!(plan.operations(SOURCE).iter().any(|line| line.ends_with(set)), "{:?}", plan.operations(SOURCE));
    Ok(())
}

#[tokio::test]
async fn another_spelling_is_no_change_and_an_update_is_refused_as_a_create_is() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    let values = |values: &str| rig.source(&format!("reboot = \"writer\"\n  parameters = {{ {values} }}"));
    values("log_lock_waits = \"1\", wal_sender_timeout = \"300000\"")?;
    rig.tf.apply().await?;
    let before = rig.changes()?;
    values("log_lock_waits = \"true\", wal_sender_timeout = \"5min\", \"rds.logical_replication\" = \"on\"")?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), [""; 0]);
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes()?, before);
    rig.tf.assert_empty_plan().await?;

    for (wanted, words) in [
        (
            "max_wal_sender = \"30\", wal_level = \"logical\"",
            ["max_wal_sender is not a modifiable", "wal_level is not a modifiable"],
        ),
        ("max_wal_senders = \"3\", log_lock_waits = \"maybe\"", ["allows 5-8388607", "allows 0,1"]),
    ] {
        values(wanted)?;
        let message = rig.plan_fails().await?.message();
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
    assert_eq!(rig.changes()?, before);
    Ok(())
}

#[tokio::test]
async fn a_parameter_whose_modifiability_is_not_told_is_there() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"\n  parameters = { max_wal_senders = \"30\" }")?;
    rig.simulator.inject_fault("DescribeDBClusterParameters", Fault::NoIsModifiable, 1000);
    rig.tf.apply().await?;
    assert_eq!(rig.simulator.parameter_group(OURS).map(|group| group["max_wal_senders"].clone()), Some("30".to_owned()));
    rig.tf.assert_empty_plan().await
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
