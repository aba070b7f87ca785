//! A change of the group's name and a destroy that stop half-way, at each call that changes something: the next plan lists exactly what
//! is missing, whether the same is wanted again, or what was before, or nothing at all; and nothing is left behind.

use acceptance_tests::simulator::Fault;
use anyhow::ensure;

use crate::rig::{DEFAULT, OURS, Rig, SOURCE};

const NEW: &str = "shop-cdc";
const ARGUMENTS: &str = "reboot = \"writer\"\n  force_destroy = true";
const RENAME: [&str; 5] = [
    "CreateDBClusterParameterGroup",
    "ModifyDBClusterParameterGroup",
    "ModifyDBCluster",
    "RebootDBInstance",
    "DeleteDBClusterParameterGroup",
];
const UNDO: [&str; 3] = ["ModifyDBCluster", "RebootDBInstance", "DeleteDBClusterParameterGroup"];

fn renamed() -> String {
    format!("{ARGUMENTS}\n  parameter_group = {{ name = {NEW:?} }}")
}

/// A source that was set up, and no longer retries.
async fn set_up() -> anyhow::Result<Rig> {
    let rig = Rig::without_postgres().await?;
    rig.provider(Some(1))?;
    rig.source(ARGUMENTS)?;
    rig.tf.apply().await?;
    Ok(rig)
}

/// The actions of lines.
fn actions(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect()
}

fn reboots(rig: &Rig) -> anyhow::Result<usize> {
    Ok(rig.changes()?.iter().filter(|line| line.starts_with("RebootDBInstance")).count())
}

/// The plan of what is written, applied: exactly what it lists runs, and then nothing is left to do.
async fn converges(rig: &Rig) -> anyhow::Result<Vec<String>> {
    let before = rig.changes()?.len();
    let plan = rig.tf.plan().await?;
    // A plan without changes shows the list of the last one that had some.
    let planned = if plan.actions(SOURCE) == ["no-op"] { Vec::new() } else { plan.operations(SOURCE) };
    let planned: Vec<String> = planned.iter().map(ToString::to_string).collect();
    rig.tf.apply_plan(&plan).await?;
    let ran = rig.changes()?;
    ensure!(actions(&ran[before..]) == actions(&planned), "planned {planned:#?}, but {:#?} ran", &ran[before..]);
    rig.tf.assert_empty_plan().await?;
    Ok(planned)
}

/// A rename that failed at this call.
async fn half_renamed(action: &str) -> anyhow::Result<Rig> {
    let rig = set_up().await?;
    rig.source(&renamed())?;
    rig.simulator.inject_fault(action, Fault::AccessDenied, 1);
    let message = rig.apply_fails().await?.message();
    ensure!(message.contains(&format!("rds:{action}")), "{message}");
    rig.cluster.wait_until_available().await?;
    let state = rig.state().await?;
    ensure!(state["parameter_group_name"] == rig.cluster.parameter_group(), "{action}: the state says {state}");
    Ok(rig)
}

#[tokio::test]
async fn a_new_name_is_taken_up_where_it_stopped() -> anyhow::Result<()> {
    for (number, action) in RENAME.into_iter().enumerate() {
        let rig = half_renamed(action).await?;
        let planned = converges(&rig).await?;
        assert_eq!(actions(&planned), RENAME[number..], "after {action} failed: {planned:#?}");
        assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_groups()), (NEW, vec![NEW.to_owned()]));
        assert_eq!((reboots(&rig)?, rig.statuses()[0].as_str()), (2, "in-sync"), "after {action} failed");
        let state = rig.state().await?;
        assert_eq!((&state["ready"], &state["previous_parameter_group_name"]), (&true.into(), &DEFAULT.into()));
    }
    Ok(())
}

#[tokio::test]
async fn a_new_name_that_is_given_up_leaves_nothing_behind() -> anyhow::Result<()> {
    for (action, needed, rebooted) in [
        (RENAME[0], &[][..], 1),
        (RENAME[1], &RENAME[4..], 1),
        (RENAME[2], &RENAME[4..], 1),
        (RENAME[3], &RENAME[2..], 2),
        (RENAME[4], &RENAME[2..], 3),
    ] {
        let rig = half_renamed(action).await?;
        rig.source(ARGUMENTS)?;
        let planned = converges(&rig).await?;
        assert_eq!(actions(&planned), needed, "after {action} failed: {planned:#?}");
        assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_groups()), (OURS, vec![OURS.to_owned()]));
        assert_eq!((reboots(&rig)?, rig.statuses()[0].as_str()), (rebooted, "in-sync"), "after {action} failed");
    }
    Ok(())
}

#[tokio::test]
async fn a_destroy_after_a_new_name_that_stopped_leaves_nothing_behind() -> anyhow::Result<()> {
    for (action, rebooted) in RENAME.into_iter().zip([2, 2, 2, 2, 3]) {
        let rig = half_renamed(action).await?;
        let plan = rig.tf.plan_with(&["-destroy"]).await?;
        rig.tf.apply_plan(&plan).await?;
        assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_groups()), (DEFAULT, vec![]));
        assert_eq!((reboots(&rig)?, rig.statuses()[0].as_str()), (rebooted, "in-sync"), "after {action} failed");
    }
    Ok(())
}

#[tokio::test]
async fn a_caller_that_may_not_list_finds_what_a_rename_left_by_its_name() -> anyhow::Result<()> {
    for action in ["ModifyDBClusterParameterGroup", "RebootDBInstance", "DeleteDBClusterParameterGroup"] {
        for back in [false, true] {
            let rig = set_up().await?;
            rig.simulator.deny_unnamed("DescribeDBClusterParameterGroups");
            rig.simulator.deny_unnamed("DescribeDBClusters");
            rig.source(&renamed())?;
            rig.simulator.inject_fault(action, Fault::AccessDenied, 1);
            rig.apply_fails().await?;
            rig.cluster.wait_until_available().await?;
            rig.source(&if back { ARGUMENTS.to_owned() } else { renamed() })?;
            converges(&rig).await?;
            let name = if back { OURS } else { NEW };
            assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_groups()), (name, vec![name.to_owned()]));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_new_name_while_another_group_is_attached_replaces_both() -> anyhow::Result<()> {
    let rig = set_up().await?;
    rig.simulator.create_parameter_group("shop-custom", "aurora-postgresql15", &[("work_mem", "65536")])?;
    rig.attach("shop-custom").await?;
    rig.source(&renamed())?;
    let planned = converges(&rig).await?;
    assert_eq!(actions(&planned), RENAME, "{planned:#?}");
    assert_eq!(rig.cluster.parameter_group(), NEW);
    assert_eq!(rig.simulator.parameter_groups(), [NEW, "shop-custom"]);
    assert_eq!(rig.simulator.parameter_group(NEW).unwrap_or_default()["work_mem"], "65536");
    rig.tf.destroy().await?;
    assert_eq!(rig.cluster.parameter_group(), "shop-custom");
    Ok(())
}

#[tokio::test]
async fn a_destroy_is_taken_up_where_it_stopped() -> anyhow::Result<()> {
    for (number, action) in UNDO.into_iter().enumerate() {
        let rig = set_up().await?;
        rig.simulator.inject_fault(action, Fault::AccessDenied, 1);
        rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?;
        rig.cluster.wait_until_available().await?;
        let before = rig.changes()?.len();
        let plan = rig.tf.plan_with(&["-destroy"]).await?;
        rig.tf.apply_plan(&plan).await?;
        let ran = rig.changes()?;
        assert_eq!(actions(&ran[before..]), UNDO[number..], "after {action} failed: {ran:#?}");
        assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_groups()), (DEFAULT, vec![]));
        assert_eq!((reboots(&rig)?, rig.statuses()[0].as_str()), (2, "in-sync"), "after {action} failed");
    }
    Ok(())
}

#[tokio::test]
async fn a_destroy_that_stopped_and_is_given_up_sets_the_source_up_again() -> anyhow::Result<()> {
    for (action, needed) in UNDO.into_iter().zip([&[][..], &UNDO[..2], &UNDO[..2]]) {
        let rig = set_up().await?;
        rig.simulator.inject_fault(action, Fault::AccessDenied, 1);
        rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?;
        rig.cluster.wait_until_available().await?;
        let planned = converges(&rig).await?;
        assert_eq!(actions(&planned), needed, "after {action} failed: {planned:#?}");
        assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_groups()), (OURS, vec![OURS.to_owned()]));
        assert_eq!(rig.state().await?["ready"], true);
    }
    Ok(())
}

#[tokio::test]
async fn a_destroy_that_stopped_at_the_reboot_asks_again_about_slots() -> anyhow::Result<()> {
    let rig = Rig::new().await?;
    rig.source("reboot = \"writer\"\n  timeouts = { delete = \"5s\" }")?;
    rig.tf.apply().await?;
    rig.simulator.inject_fault("RebootDBInstance", Fault::AccessDenied, 1);
    rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?;
    assert_eq!(rig.cluster.parameter_group(), DEFAULT);
    let postgres = rig.cluster.superuser("postgres").await?;
    postgres.batch_execute("SELECT pg_create_logical_replication_slot('clickpipes_slot', 'pgoutput')").await?;
    let failure = rig.tf.run(["destroy", "-no-color", "-auto-approve"]).await?.failed()?;
    assert!(failure.message().contains("clickpipes_slot"), "{}", failure.message());
    assert_eq!(reboots(&rig)?, 1, "{:?}", rig.changes()?);
    postgres.batch_execute("SELECT pg_drop_replication_slot('clickpipes_slot')").await?;
    rig.source("reboot = \"writer\"")?;
    rig.tf.destroy().await?;
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "off");
    assert_eq!((reboots(&rig)?, rig.simulator.parameter_groups()), (2, vec![]));
    Ok(())
}

#[tokio::test]
async fn a_destroy_of_a_source_whose_group_somebody_replaced_reboots_nothing() -> anyhow::Result<()> {
    let rig = set_up().await?;
    rig.simulator.create_parameter_group("shop-custom", "aurora-postgresql15", &[])?;
    rig.attach("shop-custom").await?;
    assert_eq!(rig.statuses(), ["pending-reboot", "pending-reboot"]);
    rig.tf.destroy().await?;
    assert_eq!((rig.cluster.parameter_group().as_str(), reboots(&rig)?), ("shop-custom", 1));
    assert_eq!(rig.simulator.parameter_groups(), ["shop-custom"]);
    Ok(())
}

#[tokio::test]
async fn a_change_of_values_and_tags_that_stopped_and_is_given_up_is_undone() -> anyhow::Result<()> {
    let rig = set_up().await?;
    let tags = rig.tags(OURS).await?;
    rig.source(&format!("{ARGUMENTS}\n  parameters = {{ max_wal_senders = \"30\" }}\n  tags = {{ team = \"shop\" }}"))?;
    rig.simulator.inject_fault("RebootDBInstance", Fault::AccessDenied, 1);
    rig.apply_fails().await?;
    assert_eq!(rig.simulator.parameter_group(OURS).unwrap_or_default()["max_wal_senders"], "30");
    // A refresh in between does not forget it.
    rig.tf.run(["apply", "-refresh-only", "-no-color", "-auto-approve"]).await?.succeeded()?;
    rig.source(ARGUMENTS)?;
    let planned = converges(&rig).await?;
    assert_eq!(
        planned,
        [
            format!("ResetDBClusterParameterGroup {OURS}: max_wal_senders (pending-reboot)"),
            format!("RemoveTagsFromResource {OURS}: team"),
            "RebootDBInstance <the writer of shop>".to_owned(),
        ]
    );
    assert!(!rig.simulator.parameter_group(OURS).unwrap_or_default().contains_key("max_wal_senders"));
    assert_eq!(rig.tags(OURS).await?, tags);
    Ok(())
}
