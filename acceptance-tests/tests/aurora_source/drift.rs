//! A change by others is found at refresh, shown in `drift`, fixed, and found again.

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
