//! Destroy restores what was there before, and refuses what would leave the database down.

use acceptance_tests::simulator::ClusterSpec;
use anyhow::Context as _;

use crate::rig::{DEFAULT, OURS, Rig, SOURCE, provider_block};

#[tokio::test]
async fn the_previous_group_is_attached_again_and_ours_deleted() -> anyhow::Result<()> {
    let rig = Rig::new().await?;
    rig.source("reboot = \"writer\"")?;
    rig.tf.apply().await?;
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "on");
    let done = rig.changes()?.len();
    let plan = rig.tf.plan_with(&["-destroy"]).await?;
    assert!(
        plan.outcome.message().contains("ModifyDBCluster shop: parameter group default.aurora-postgresql15"),
        "{}",
        plan.outcome.stdout
    );
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(
        rig.changes()?[done..],
        [
            "ModifyDBCluster shop: parameter group default.aurora-postgresql15, immediately",
            "RebootDBInstance shop-1",
            "DeleteDBClusterParameterGroup clickpipes-shop-aurora-postgresql15",
        ]
    );
    assert_eq!(rig.cluster.parameter_group(), DEFAULT);
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "off");
    assert_eq!(rig.simulator.parameter_group(OURS), None);
    Ok(())
}

#[tokio::test]
async fn a_logical_slot_keeps_logical_replication_on() -> anyhow::Result<()> {
    let rig = Rig::new().await?;
    rig.source("reboot = \"writer\"\n  timeouts = { delete = \"1s\" }")?;
    rig.tf.apply().await?;
    let postgres = rig.cluster.superuser("postgres").await?;
    postgres.batch_execute("SELECT pg_create_logical_replication_slot('clickpipes_slot', 'pgoutput')").await?;
    let failure = rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?;
    assert!(failure.message().contains("clickpipes_slot"), "{}", failure.message());
    assert_eq!(rig.cluster.parameter_group(), OURS);

    rig.source("reboot = \"writer\"\n  parameters = { \"rds.logical_replication\" = \"0\" }")?;
    let failure = rig.apply_fails().await?;
    assert!(failure.message().contains("clickpipes_slot"), "{}", failure.message());
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "on");

    postgres.batch_execute("SELECT pg_drop_replication_slot('clickpipes_slot')").await?;
    rig.source("reboot = \"writer\"")?;
    rig.tf.destroy().await?;
    assert_eq!(rig.cluster.parameter_group(), DEFAULT);
    Ok(())
}

#[tokio::test]
async fn without_a_connection_that_can_tell_a_destroy_is_refused_unless_forced() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"")?;
    rig.tf.apply().await?;
    let failure = rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?;
    assert!(failure.message().contains("Cannot tell whether logical replication slots exist"), "{}", failure.message());
    assert_eq!(rig.cluster.parameter_group(), OURS);

    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), [""; 0]);
    rig.tf.apply_plan(&plan).await?;
    rig.tf.destroy().await?;
    assert_eq!(rig.cluster.parameter_group(), DEFAULT);
    Ok(())
}

#[tokio::test]
async fn a_server_of_another_cluster_cannot_tell() -> anyhow::Result<()> {
    let rig = Rig::new().await?;
    rig.simulator.create_cluster(ClusterSpec::new("other").without_postgres()).await?;
    rig.tf.write(
        "main.tf",
        "resource \"clickpipes_aurora_source\" \"shop\" {\n  cluster_identifier = \"other\"\n  reboot = \"writer\"\n}\n",
    )?;
    rig.tf.apply().await?;
    let failure = rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?;
    assert!(failure.message().contains("is not known to be this cluster's writer"), "{}", failure.message());
    Ok(())
}

#[tokio::test]
async fn a_destroy_plan_that_keeps_the_state_lists_its_calls_while_the_database_is_out_of_reach() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"")?;
    rig.tf.apply().await?;
    let endpoint = rig.state().await?["host"].as_str().context("no host")?.to_owned();
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let tunnel = format!(
        "postgres = {{ host = \"127.0.0.1\", port = {closed}, username = \"u\", sslmode = \"disable\", tls_server_name = {endpoint:?} }}"
    );
    let block = |on_unreachable: &str| {
        rig.tf.write(
            "provider.tf",
            &provider_block(&rig.simulator, None, &format!("{tunnel}\n  on_unreachable = {on_unreachable:?}")),
        )
    };
    block("keep_state")?;
    let message = rig.tf.plan_with(&["-destroy"]).await?.outcome.message();
    for words in [
        "Warning: Operations of this destroy",
        "ModifyDBCluster shop: parameter group default.aurora-postgresql15",
        "Warning: This destroy reboots the database: cluster shop",
        "Warning: Cannot reach the database server",
    ] {
        assert!(message.contains(words), "{words} is missing in {message}");
    }
    // The destroy itself does not continue without an answer.
    let failure = rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?;
    assert!(failure.message().contains("Error: Cannot reach the database server"), "{}", failure.message());
    assert_eq!(rig.cluster.parameter_group(), OURS);
    block("fail")?;
    let failure = rig.tf.run(["plan", "-no-color", "-destroy"]).await?.failed()?;
    assert!(failure.message().contains("Error: Cannot reach the database server"), "{}", failure.message());
    Ok(())
}
