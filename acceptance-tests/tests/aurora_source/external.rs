//! Mode external: something else sets the parameters; this resource verifies them and reboots.

use crate::rig::{CUSTOM, DEFAULT, OURS, Rig, SOURCE};

const READY: [(&str, &str); 2] = [("rds.logical_replication", "1"), ("wal_sender_timeout", "0")];
const CONDITIONAL: &str = "RebootDBInstance <the writer of shop> if it waits for one";
const OTHERS: &str = "RebootDBInstance <each other member of shop that waits for one>";

/// Sets both values in the cluster's group, as something else does.
async fn set_by_others(rig: &Rig) -> anyhow::Result<()> {
    rig.set_parameter(CUSTOM, "rds.logical_replication", "1", "pending-reboot").await?;
    rig.set_parameter(CUSTOM, "wal_sender_timeout", "0", "immediate").await?;
    rig.cluster.wait_until_available().await
}

fn reboots(rig: &Rig) -> anyhow::Result<Vec<String>> {
    Ok(rig.changes()?.into_iter().filter(|change| change.starts_with("RebootDBInstance")).collect())
}

#[tokio::test]
async fn nothing_is_written_and_the_members_that_wait_are_rebooted() -> anyhow::Result<()> {
    let rig = Rig::with_custom_group(&[], true).await?;
    rig.source_in("external", "reboot = \"all\"")?;
    // The plan comes before the others' change, the apply after it.
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), [CONDITIONAL, OTHERS]);
    assert_eq!(plan.change(SOURCE)["after"]["impact"]["outage"], "all");
    assert_eq!(plan.change(SOURCE)["after"]["impact"]["reboots"][0], CONDITIONAL);
    assert!(rig.tf.warning("Values are missing: cluster shop").await?.contains("rds.logical_replication = 1 (now 0)"));
    set_by_others(&rig).await?;
    let before = rig.changes()?.len();
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes_since(before)?, ["RebootDBInstance shop-1", "RebootDBInstance shop-2"]);
    assert_eq!(rig.cluster.show("wal_level").await?, "logical");
    assert_eq!(rig.state().await?["ready"], true);
    rig.tf.assert_empty_plan().await?;
    let before = rig.changes()?.len();
    rig.tf.destroy().await?;
    assert_eq!(rig.changes_since(before)?, [""; 0]);
    assert_eq!(rig.cluster.parameter_group(), CUSTOM);
    Ok(())
}

/// More reads than the apply makes before it could reboot.
const LATE: u32 = 8;

#[tokio::test]
async fn members_that_report_late_that_they_wait_are_rebooted_in_the_same_apply() -> anyhow::Result<()> {
    for postgres in [false, true] {
        let rig = Rig::with_custom_group(&[("wal_sender_timeout", "0")], postgres).await?;
        rig.source_in("external", "reboot = \"writer\"")?;
        let plan = rig.tf.plan().await?;
        rig.simulator.lag("ParameterGroupStatus", LATE);
        rig.set_parameter(CUSTOM, "rds.logical_replication", "1", "pending-reboot").await?;
        rig.tf.apply_plan(&plan).await?;
        assert_eq!(reboots(&rig)?, ["RebootDBInstance shop-1"]);
        assert_eq!(rig.state().await?["ready"], true);
        rig.tf.assert_empty_plan().await?;

        // The same in the update that looks again, and without a reboot: then the state says that one is needed.
        rig.source_in("external", "reboot = \"writer\"\n  reboot_triggers = { group = \"1\" }")?;
        let plan = rig.tf.plan().await?;
        rig.set_parameter(CUSTOM, "max_wal_senders", "30", "pending-reboot").await?;
        rig.tf.apply_plan(&plan).await?;
        assert_eq!(reboots(&rig)?.len(), 2);
        rig.tf.assert_empty_plan().await?;
        rig.simulator.clear_lags();
    }
    Ok(())
}

#[tokio::test]
async fn a_value_that_the_group_lacks_is_a_warning_at_plan_and_an_error_at_apply() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source_in("external", "reboot = \"writer\"")?;
    rig.tf.plan().await?;
    let failure = rig.apply_fails().await?.message();
    assert!(failure.contains("Values are missing") && failure.contains(DEFAULT), "{failure}");
    assert_eq!(rig.changes()?, [""; 0]);
    assert_eq!(rig.simulator.parameter_group(OURS), None);
    Ok(())
}

#[tokio::test]
async fn a_change_of_the_triggers_looks_again_in_the_same_apply() -> anyhow::Result<()> {
    let rig = Rig::with_custom_group(&READY, true).await?;
    let source = |version: u32| {
        rig.source_in("external", &format!("reboot = \"writer\"\n  reboot_triggers = {{ group = \"{version}\" }}"))
    };
    source(1)?;
    rig.tf.apply().await?;
    assert_eq!(reboots(&rig)?, [""; 0], "nothing waited");
    let log = std::fs::read_to_string(rig.tf.log_path())?;
    assert!(!log.contains("to wait for a reboot"), "the writer itself says that it runs with the values");
    rig.tf.assert_empty_plan().await?;

    // Something else changes the group after the plan, before this resource is applied.
    source(2)?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), [CONDITIONAL]);
    assert!(plan.is_unknown(SOURCE, "ready") && plan.is_unknown(SOURCE, "parameter_group_name"));
    rig.set_parameter(CUSTOM, "max_wal_senders", "30", "pending-reboot").await?;
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(reboots(&rig)?, ["RebootDBInstance shop-1"]);
    rig.tf.assert_empty_plan().await?;

    // Without a change of the triggers, members that wait are drift.
    rig.set_parameter(CUSTOM, "max_wal_senders", "40", "pending-reboot").await?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), ["RebootDBInstance <the writer of shop>"]);
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await?;
    Ok(())
}

#[tokio::test]
async fn triggers_that_are_known_only_at_apply_leave_the_list_unknown() -> anyhow::Result<()> {
    let rig = Rig::with_custom_group(&READY, true).await?;
    rig.source_in("external", "reboot = \"writer\"\n  reboot_triggers = { group = \"1\" }")?;
    rig.tf.apply().await?;
    rig.source_in("external", "reboot = \"writer\"\n  reboot_triggers = { group = terraform_data.group.id }")?;
    rig.tf.write("group.tf", "resource \"terraform_data\" \"group\" {}\n")?;
    let plan = rig.tf.plan().await?;
    assert!(plan.is_unknown(SOURCE, "operations") && plan.is_unknown(SOURCE, "impact"));
    rig.set_parameter(CUSTOM, "max_wal_senders", "30", "pending-reboot").await?;
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(reboots(&rig)?, ["RebootDBInstance shop-1"]);
    rig.tf.assert_empty_plan().await?;
    Ok(())
}

#[tokio::test]
async fn an_import_takes_one_update_without_operations() -> anyhow::Result<()> {
    let rig = Rig::with_custom_group(&READY, false).await?;
    rig.source_in("external", "reboot = \"all\"\n  reboot_triggers = { group = \"1\" }")?;
    rig.tf.import(SOURCE, "shop").await?;
    let plan = rig.tf.plan().await?;
    assert_eq!((plan.actions(SOURCE), plan.operations(SOURCE)), (vec!["update"], vec![]));
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.changes()?, [""; 0]);
    Ok(())
}
