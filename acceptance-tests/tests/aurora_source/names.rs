//! The names of parameter groups: taken ones are refused at plan, and those left behind are found by their tags and tidied away.

use acceptance_tests::simulator::{ClusterSpec, Fault, Options, Simulator};

use crate::rig::{DEFAULT, OURS, Rig, SOURCE};

const THEIRS: &str = "shop-custom";
const FAMILY: &str = "aurora-postgresql15";

fn named(name: &str) -> String {
    format!("reboot = \"writer\"\n  force_destroy = true\n  parameter_group = {{ name = {name:?} }}")
}

/// The cluster with a group of the customer, and two more that nothing uses.
async fn with_their_group(values: &[(&str, &str)]) -> anyhow::Result<Rig> {
    let simulator = Simulator::start(Options::default())?;
    for name in [THEIRS, "theirs-too"] {
        simulator.create_parameter_group(name, FAMILY, values)?;
    }
    Rig::in_simulator(simulator, ClusterSpec::new("shop").without_postgres().parameter_group(THEIRS)).await
}

#[tokio::test]
async fn every_name_that_is_taken_is_refused_at_plan() -> anyhow::Result<()> {
    let rig = with_their_group(&[]).await?;
    // On create: the attached group, and another one.
    for name in [THEIRS, "theirs-too"] {
        rig.source(&named(name))?;
        let message = rig.plan_fails().await?.message();
        assert!(message.contains("Parameter group name is taken") && message.contains(name), "{message}");
    }
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    let before = rig.changes()?;
    // On update: the group that was attached before, and another one, which no refresh has looked at.
    for name in [THEIRS, "theirs-too"] {
        rig.source(&named(name))?;
        for refresh in [true, false] {
            let arguments = ["plan", "-no-color", "-input=false", if refresh { "-refresh=true" } else { "-refresh=false" }];
            let message = rig.tf.run(arguments).await?.failed()?.message();
            for words in ["Parameter group name is taken", name, "parameter_group.name"] {
                assert!(message.contains(words), "{words} is missing in {message}");
            }
        }
    }
    // Somebody attached it: the remedy is not to delete it.
    rig.attach(THEIRS).await?;
    rig.source(&named(THEIRS))?;
    let message = rig.plan_fails().await?.message();
    assert!(message.contains("It is attached to the cluster"), "{message}");
    assert!(!message.contains("delete that group"), "{message}");
    assert_eq!(rig.changes()?.iter().filter(|line| !line.starts_with("ModifyDBCluster ")).count(), before.len() - 1);
    assert_eq!(rig.cluster.parameter_group(), THEIRS);
    Ok(())
}

#[tokio::test]
async fn a_name_that_is_free_at_plan_and_taken_at_apply_is_refused_before_any_change() -> anyhow::Result<()> {
    let rig = with_their_group(&[]).await?;
    rig.source("reboot = \"writer\"")?;
    rig.tf.apply().await?;
    rig.source(&named("shop-cdc"))?;
    let plan = rig.tf.plan().await?;
    rig.simulator.create_parameter_group("shop-cdc", FAMILY, &[])?;
    let before = rig.changes()?;
    let message = rig.tf.run(["apply".as_ref(), "-no-color".as_ref(), plan.file.as_os_str()]).await?.failed()?.message();
    assert!(message.contains("Parameter group name is taken"), "{message}");
    assert_eq!(rig.changes()?, before);
    Ok(())
}

#[tokio::test]
async fn a_new_name_keeps_what_the_previous_group_sets_for_a_parameter_that_is_taken_out() -> anyhow::Result<()> {
    let rig = with_their_group(&[("work_mem", "65536"), ("max_worker_processes", "16")]).await?;
    rig.source("reboot = \"writer\"\n  parameters = { work_mem = \"128\", max_wal_senders = \"30\" }")?;
    rig.tf.apply().await?;
    assert_eq!(rig.simulator.parameter_group(OURS).unwrap_or_default()["work_mem"], "128");
    rig.source(&named("shop-cdc"))?;
    rig.tf.apply().await?;
    let values = rig.simulator.parameter_group("shop-cdc").unwrap_or_default();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected =
        [("max_worker_processes", "16"), ("rds.logical_replication", "1"), ("wal_sender_timeout", "0"), ("work_mem", "65536")];
    assert_eq!(values, expected);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn what_a_create_left_under_another_name_is_tidied_away() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.provider(Some(1))?;
    rig.source(&named("shop-cdc"))?;
    rig.simulator.inject_fault("ModifyDBCluster", Fault::AccessDenied, 1);
    rig.apply_fails().await?;
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    let would_run = rig.would_run().await?;
    assert_eq!(would_run.last().map(String::as_str), Some("DeleteDBClusterParameterGroup shop-cdc"), "{would_run:#?}");
    rig.tf.apply().await?;
    assert_eq!(rig.simulator.parameter_groups(), [OURS]);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn a_group_that_no_state_knows_is_drift_and_tidied_away() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source(&named("shop-cdc"))?;
    rig.tf.apply().await?;
    // Its state is lost, and the next one knows another name.
    rig.tf.run(["state", "rm", SOURCE]).await?.succeeded()?;
    rig.detach().await?;
    rig.simulator.deny_unnamed("DescribeDBClusterParameterGroups");
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    assert_eq!(rig.simulator.parameter_groups(), [OURS, "shop-cdc"]);
    rig.simulator.allow_everything();
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), ["DeleteDBClusterParameterGroup shop-cdc"]);
    assert_eq!(plan.drift(SOURCE)["after"]["drift"][0], "DeleteDBClusterParameterGroup shop-cdc");
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.simulator.parameter_groups(), [OURS]);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn a_group_that_another_cluster_uses_is_left_alone() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source(&named("shop-cdc"))?;
    rig.tf.apply().await?;
    // A copy of the cluster starts with its group.
    rig.simulator.create_cluster(ClusterSpec::new("copy").without_postgres().parameter_group("shop-cdc")).await?;
    rig.detach().await?;
    rig.tf.run(["state", "rm", SOURCE]).await?.succeeded()?;
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    assert_eq!(rig.simulator.parameter_groups(), [OURS, "shop-cdc"]);
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    assert_eq!(
        (rig.cluster.parameter_group().as_str(), rig.simulator.parameter_groups()),
        (DEFAULT, vec!["shop-cdc".to_owned()])
    );
    Ok(())
}

#[tokio::test]
async fn the_cluster_has_every_value_by_itself_now_so_our_group_is_tidied_away() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    rig.simulator.create_parameter_group(THEIRS, FAMILY, &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")])?;
    rig.attach(THEIRS).await?;
    let plan = rig.tf.plan().await?;
    let expected = ["RebootDBInstance <the writer of shop>".to_owned(), format!("DeleteDBClusterParameterGroup {OURS}")];
    assert_eq!(plan.operations(SOURCE), expected);
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.simulator.parameter_groups(), [THEIRS]);
    Ok(())
}
