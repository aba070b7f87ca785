//! A change by others is found at refresh, shown in `drift`, fixed, and found again.

use acceptance_tests::simulator::ClusterSpec;

use crate::rig::{ALL_REBOOT, DEFAULT, OURS, Rig, SOURCE, strings};

#[tokio::test]
async fn a_group_that_somebody_detached_is_attached_again_each_time() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"")?;
    rig.tf.apply().await?;
    for _ in 0..2 {
        rig.detach().await?;
        assert_eq!(rig.cluster.parameter_group(), DEFAULT);
        let plan = rig.tf.plan().await?;
        let expected = [
            "ModifyDBCluster shop: parameter group clickpipes-shop-aurora-postgresql15, immediately",
            "RebootDBInstance <the writer of shop>",
        ];
        assert_eq!(plan.operations(SOURCE), expected);
        assert_eq!(strings(&plan.drift(SOURCE)["after"]["drift"]), expected);
        assert!(plan.is_unknown(SOURCE, "parameter_group_name"));
        assert!(!plan.is_unknown(SOURCE, "host"));
        rig.tf.apply_plan(&plan).await?;
        assert_eq!(rig.cluster.parameter_group(), OURS);
        rig.tf.assert_empty_plan().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_value_that_somebody_changed_is_set_again() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"")?;
    rig.tf.apply().await?;
    for _ in 0..2 {
        rig.set_parameter(OURS, "wal_sender_timeout", "60000", "immediate").await?;
        let plan = rig.tf.plan().await?;
        let set = "ModifyDBClusterParameterGroup clickpipes-shop-aurora-postgresql15: wal_sender_timeout = 0 (immediate)";
        assert_eq!(plan.operations(SOURCE), [set]);
        rig.tf.apply_plan(&plan).await?;
        assert_eq!(strings(&rig.state().await?["drift"]), [""; 0]);
        rig.tf.assert_empty_plan().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_member_that_waits_for_a_reboot_is_drift_whatever_the_cause() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"all\"")?;
    rig.tf.apply().await?;
    rig.set_parameter(OURS, "max_worker_processes", "16", "pending-reboot").await?;
    rig.cluster.wait_until_available().await?;
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), ALL_REBOOT);
    assert!(plan.outcome.message().contains("made outside Terraform"), "{}", plan.outcome.stdout);
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.statuses(), ["in-sync", "in-sync"]);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn an_instance_that_was_added_and_waits_for_a_reboot_is_drift_where_it_may_be_rebooted() -> anyhow::Result<()> {
    for (policy, planned) in [("all", &ALL_REBOOT[1..]), ("writer", &[])] {
        let rig = Rig::without_postgres().await?;
        rig.source(&format!("reboot = {policy:?}"))?;
        rig.tf.apply().await?;
        let rds = rig.simulator.rds();
        let create = rds.create_db_instance().db_instance_identifier("shop-3").db_cluster_identifier("shop");
        create.engine("aurora-postgresql").db_instance_class("db.r6g.large").send().await?;
        rig.cluster.wait_until_available().await?;
        rig.set_parameter(OURS, "max_worker_processes", "16", "pending-reboot").await?;
        for other in ["shop-1", "shop-2"] {
            rds.reboot_db_instance().db_instance_identifier(other).send().await?;
            rig.cluster.wait_until_available().await?;
        }
        let before = rig.changes()?.len();
        let plan = rig.tf.plan().await?;
        if planned.is_empty() {
            assert_eq!(plan.actions(SOURCE), ["no-op"]);
            assert!(plan.outcome.message().contains("shop-3"), "{}", plan.outcome.message());
        } else {
            assert_eq!(plan.operations(SOURCE), planned);
            assert_eq!(strings(&plan.drift(SOURCE)["after"]["drift"]), planned);
            assert_eq!(plan.change(SOURCE)["after"]["impact"]["outage"], "none");
            rig.tf.apply_plan(&plan).await?;
            assert_eq!(rig.changes_since(before)?, ["RebootDBInstance shop-3"]);
            rig.tf.assert_empty_plan().await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_group_that_was_detached_and_deleted_is_made_again() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"\n  force_destroy = true\n  parameters = { max_wal_senders = \"30\" }")?;
    rig.tf.apply().await?;
    let made = rig.changes()?;
    rig.detach().await?;
    rig.simulator.rds().delete_db_cluster_parameter_group().db_cluster_parameter_group_name(OURS).send().await?;
    let before = rig.changes()?.len();
    let plan = rig.tf.plan().await?;
    assert_eq!(strings(&plan.drift(SOURCE)["after"]["drift"]), plan.operations(SOURCE));
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes_since(before)?, made);
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_groups()), (DEFAULT, vec![]));
    Ok(())
}

/// What a blue/green deployment does at its switchover: the new cluster has the identifier, and a group of its own; the former one still
/// has ours.
#[tokio::test]
async fn after_a_blue_green_switchover_nothing_is_undone() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    let blue = rig.cluster.arn.clone();
    rig.simulator.remove_cluster("shop");
    let former = ClusterSpec::new("shop-old1").without_postgres().parameter_group(OURS);
    rig.simulator.create_cluster(former).await?.become_another("cluster-BLUE");
    rig.simulator.create_parameter_group(
        "shop-green",
        "aurora-postgresql15",
        &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")],
    )?;
    let green = rig.simulator.create_cluster(ClusterSpec::new("shop").without_postgres().parameter_group("shop-green")).await?;
    assert_eq!(green.arn, blue);
    let before = rig.changes()?.len();
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(SOURCE), ["create"]);
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes_since(before)?, [""; 0], "the new cluster has every value, and the former one still uses our group");
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    assert_eq!(
        (green.parameter_group().as_str(), rig.simulator.parameter_groups()),
        ("shop-green", vec![OURS.to_owned(), "shop-green".to_owned()])
    );
    Ok(())
}
