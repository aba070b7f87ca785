//! A change of mode: external lets go, from external it is like a create, and the other way is refused.

use acceptance_tests::simulator::Fault;

use crate::rig::{CUSTOM, OURS, Rig, SOURCE};

#[tokio::test]
async fn external_lets_go_and_the_group_is_taken_up_again_later() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    let before = rig.changes()?.len();

    rig.source_in("in_place", "reboot = \"writer\"\n  force_destroy = true")?;
    let failure = rig.plan_fails().await?.message();
    assert!(failure.contains("The mode cannot be changed directly"), "{failure}");

    rig.source_in("external", "reboot = \"writer\"\n  force_destroy = true\n  reboot_triggers = { group = \"1\" }")?;
    assert!(rig.tf.warning("The parameter group is let go: cluster shop").await?.contains(OURS));
    let plan = rig.tf.plan().await?;
    assert_eq!((plan.actions(SOURCE), plan.operations(SOURCE)), (vec!["update"], vec![]));
    assert!(plan.change(SOURCE)["after"]["impact"].is_null());
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await?;
    assert!(rig.state().await?["previous_parameter_group_name"].is_null());

    rig.source("reboot = \"writer\"\n  force_destroy = true\n  reboot_triggers = { group = \"1\" }")?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.changes_since(before)?, [""; 0], "nothing had to be changed");
    rig.tf.destroy().await?;
    assert_eq!(rig.simulator.parameter_group(OURS), None);
    Ok(())
}

/// The way back to a group of the configuration's own name, also after it stopped half-way.
#[tokio::test]
async fn a_group_of_a_configured_name_is_taken_up_again_too() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    let dedicated = "parameter_group = { name = \"shop-cdc\" }\n  reboot = \"writer\"\n  force_destroy = true";
    rig.source_in("external", "parameters = { \"rds.logical_replication\" = null, wal_sender_timeout = null }")?;
    rig.tf.apply().await?;
    rig.source(dedicated)?;
    rig.simulator.inject_fault("RebootDBInstance", Fault::AccessDenied, 1);
    rig.apply_fails().await?;
    assert_eq!(rig.cluster.parameter_group(), "shop-cdc");
    assert_eq!(rig.tf.plan().await?.operations(SOURCE), ["RebootDBInstance <the writer of shop>"]);
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;

    rig.source_in("external", "reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    let before = rig.changes()?.len();
    rig.source(dedicated)?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.changes_since(before)?, [""; 0], "nothing had to be changed");
    rig.tf.destroy().await?;
    assert_eq!(rig.simulator.parameter_group("shop-cdc"), None);
    Ok(())
}

#[tokio::test]
async fn what_was_let_go_is_left_by_a_destroy() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("")?;
    rig.tf.apply().await?;
    rig.source_in("external", "")?;
    rig.tf.apply().await?;
    let before = rig.changes()?.len();
    rig.tf.destroy().await?;
    assert_eq!(rig.changes_since(before)?, [""; 0]);
    assert_eq!(rig.cluster.parameter_group(), OURS);
    Ok(())
}

#[tokio::test]
async fn in_place_is_let_go_with_its_values_and_remembers_them_when_it_comes_back() -> anyhow::Result<()> {
    let rig = Rig::with_custom_group(&[("wal_sender_timeout", "30000")], false).await?;
    for (mode, refused) in [("in_place", "dedicated"), ("external", ""), ("in_place", "")] {
        rig.source_in(mode, "force_destroy = true")?;
        rig.tf.apply().await?;
        rig.tf.assert_empty_plan().await?;
        if !refused.is_empty() {
            rig.source_in(refused, "force_destroy = true")?;
            let failure = rig.plan_fails().await?.message();
            assert!(failure.contains("The mode cannot be changed directly"), "{failure}");
        }
    }
    rig.tf.destroy().await?;
    let values = rig.simulator.parameter_group(CUSTOM).unwrap_or_default();
    assert_eq!(values.into_iter().collect::<Vec<_>>(), [("wal_sender_timeout".to_owned(), "30000".to_owned())]);
    Ok(())
}
