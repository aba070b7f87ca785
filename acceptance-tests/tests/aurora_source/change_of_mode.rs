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

/// The state still says external: what was begun is undone by the next apply that says so too, and by a destroy.
#[tokio::test]
async fn a_change_out_of_external_that_stopped_half_way_is_undone() -> anyhow::Result<()> {
    const NOTHING: &str = "reboot = \"writer\"\n  force_destroy = true\n  parameters = { \"rds.logical_replication\" = null, wal_sender_timeout = null }";
    for (mode, is_destroyed) in [("dedicated", true), ("dedicated", false), ("in_place", true), ("in_place", false)] {
        let rig = Rig::with_custom_group(&[("wal_sender_timeout", "30000")], false).await?;
        rig.provider(Some(1))?;
        rig.source_in("external", NOTHING)?;
        rig.tf.apply().await?;
        // Somebody's tag, which is not enough to change a parameter.
        rig.tag(CUSTOM, &[("clickpipes:previous-value:work_mem", "set:64")]).await?;
        let tags = rig.tags(CUSTOM).await?;
        rig.source_in(mode, "reboot = \"writer\"\n  force_destroy = true\n  iam_authentication = true")?;
        rig.simulator.inject_fault("RebootDBInstance", Fault::AccessDenied, 1);
        rig.apply_fails().await?;
        rig.cluster.wait_until_available().await?;
        assert_eq!(rig.state().await?["parameter_group"]["mode"], "external");
        // A refresh in between does not forget it.
        rig.tf.run(["apply", "-refresh-only", "-no-color", "-auto-approve"]).await?.succeeded()?;
        if is_destroyed {
            rig.tf.destroy().await?;
        } else {
            rig.source_in("external", NOTHING)?;
            assert!(rig.tf.warning("A change of mode is undone: cluster shop").await?.contains(mode));
            let before = rig.changes()?.len();
            let plan = rig.tf.plan().await?;
            rig.tf.apply_plan(&plan).await?;
            assert_eq!(rig.changes_since(before)?.len(), plan.operations(SOURCE).len(), "{mode}");
            rig.tf.assert_empty_plan().await?;
        }
        assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_groups()), (CUSTOM, vec![CUSTOM.to_owned()]));
        let values = rig.simulator.parameter_group(CUSTOM).unwrap_or_default();
        assert_eq!(values.into_iter().collect::<Vec<_>>(), [("wal_sender_timeout".to_owned(), "30000".to_owned())], "{mode}");
        assert_eq!(rig.tags(CUSTOM).await?, tags);
        assert_eq!(rig.statuses()[0], "in-sync", "{mode}");
        let changes = rig.changes()?;
        let is_reboot = |change: &&String| change.starts_with("RebootDBInstance");
        assert_eq!(changes.iter().filter(is_reboot).count(), 1, "{mode}: {changes:#?}");
        assert!(changes.iter().any(|change| change.contains("IAM database authentication off")), "{mode}: {changes:#?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_change_out_of_external_that_stopped_half_way_is_gone_on_with() -> anyhow::Result<()> {
    for (mode, group) in [("dedicated", OURS), ("in_place", CUSTOM)] {
        let rig = Rig::with_custom_group(&[], false).await?;
        rig.provider(Some(1))?;
        rig.source_in("external", "parameters = { \"rds.logical_replication\" = null, wal_sender_timeout = null }")?;
        rig.tf.apply().await?;
        rig.source_in(mode, "reboot = \"writer\"\n  force_destroy = true")?;
        rig.simulator.inject_fault("RebootDBInstance", Fault::AccessDenied, 1);
        rig.apply_fails().await?;
        rig.cluster.wait_until_available().await?;
        assert_eq!(rig.tf.plan().await?.operations(SOURCE), ["RebootDBInstance <the writer of shop>"]);
        rig.tf.apply().await?;
        rig.tf.assert_empty_plan().await?;
        assert_eq!(rig.cluster.parameter_group(), group);
        rig.tf.destroy().await?;
        assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_groups()), (CUSTOM, vec![CUSTOM.to_owned()]));
        assert!(rig.simulator.parameter_group(CUSTOM).unwrap_or_default().is_empty());
    }
    Ok(())
}
