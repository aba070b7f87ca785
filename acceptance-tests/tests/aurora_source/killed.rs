//! The provider is killed in a real run of terraform, which then keeps the state of before and no private data: what was begun is found by
//! what there is.

use std::time::{Duration, Instant};

use acceptance_tests::core_client::DEADLINE;
use acceptance_tests::processes;
use acceptance_tests::simulator::Fault;
use anyhow::ensure;

use crate::rig::{CUSTOM, OURS, Rig, SOURCE};

const UNMANAGED: &str = "reboot = \"writer\"\n  force_destroy = true\n  parameters = { \"rds.logical_replication\" = null, wal_sender_timeout = null }";
const MANAGED: &str = "reboot = \"writer\"\n  force_destroy = true";

/// An apply whose provider is killed during the next call of an action that has had its effect.
async fn killed_in(rig: &Rig, action: &str) -> anyhow::Result<()> {
    rig.simulator.inject_fault(action, Fault::AnswerHeld, 1);
    let session = rig.tf.start(["apply", "-no-color", "-auto-approve"])?;
    let started = Instant::now();
    while rig.simulator.hanging() == 0 {
        ensure!(started.elapsed() < DEADLINE, "the apply never came to {action}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    processes::kill_children(session.pid()?)?;
    session.outcome().await?.failed()?;
    rig.simulator.clear_faults();
    rig.cluster.wait_until_available().await?;
    let state = std::fs::read_to_string(rig.tf.folder().join("terraform.tfstate"))?;
    ensure!(!state.contains("\"private\""), "{state}");
    Ok(())
}

#[tokio::test]
async fn a_change_out_of_external_is_undone_once_it_is_given_up() -> anyhow::Result<()> {
    for (action, is_destroyed) in
        [("RebootDBInstance", true), ("RebootDBInstance", false), ("CreateDBClusterParameterGroup", false)]
    {
        let rig = Rig::with_custom_group(&[("wal_sender_timeout", "30000")], false).await?;
        rig.source_in("external", UNMANAGED)?;
        rig.tf.apply().await?;
        rig.source_in("dedicated", MANAGED)?;
        killed_in(&rig, action).await?;
        assert!(rig.simulator.parameter_group(OURS).is_some());
        if is_destroyed {
            rig.tf.destroy().await?;
        } else {
            rig.source_in("external", UNMANAGED)?;
            assert!(rig.tf.warning("A change of mode is undone: cluster shop").await?.contains("dedicated"));
            rig.tf.apply().await?;
            rig.tf.assert_empty_plan().await?;
        }
        assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_groups()), (CUSTOM, vec![CUSTOM.to_owned()]));
    }
    Ok(())
}

/// Tags alone are not enough to change a parameter, so what they say is named.
#[tokio::test]
async fn a_change_from_external_to_in_place_is_named_once_it_is_given_up() -> anyhow::Result<()> {
    let rig = Rig::with_custom_group(&[("wal_sender_timeout", "30000")], false).await?;
    rig.source_in("external", UNMANAGED)?;
    rig.tf.apply().await?;
    rig.source_in("in_place", MANAGED)?;
    killed_in(&rig, "ModifyDBClusterParameterGroup").await?;
    rig.source_in("external", UNMANAGED)?;
    assert!(rig.tf.warning("Tags name other parameters").await?.contains("rds.logical_replication, wal_sender_timeout"));
    rig.source_in("in_place", MANAGED)?;
    rig.tf.apply().await?;
    rig.tf.destroy().await?;
    let values = rig.simulator.parameter_group(CUSTOM).unwrap_or_default();
    assert_eq!(values.into_iter().collect::<Vec<_>>(), [("wal_sender_timeout".to_owned(), "30000".to_owned())]);
    Ok(())
}

/// A group that was let go was attached already when the state was written.
#[tokio::test]
async fn what_was_let_go_stays_without_private_data_too() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source(MANAGED)?;
    rig.tf.apply().await?;
    rig.source_in("external", MANAGED)?;
    rig.tf.apply().await?;
    rig.edit_state(|instance| drop(instance.as_object_mut().and_then(|instance| instance.remove("private"))))?;
    let before = rig.changes()?.len();
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    assert_eq!(rig.changes_since(before)?, [""; 0]);
    assert_eq!(rig.cluster.parameter_group(), OURS);
    Ok(())
}

#[tokio::test]
async fn a_value_that_was_set_in_a_dedicated_group_is_taken_away_once_it_is_given_up() -> anyhow::Result<()> {
    let rig = Rig::with_custom_group(&[("work_mem", "65536")], false).await?;
    rig.source(MANAGED)?;
    rig.tf.apply().await?;
    rig.source(&format!("{MANAGED}\n  parameters = {{ max_wal_senders = \"30\", work_mem = \"128\" }}"))?;
    killed_in(&rig, "ModifyDBClusterParameterGroup").await?;
    rig.source(MANAGED)?;
    let plan = rig.tf.plan().await?;
    let expected = [
        format!("ModifyDBClusterParameterGroup {OURS}: work_mem = 65536 (immediate)"),
        format!("ResetDBClusterParameterGroup {OURS}: max_wal_senders (pending-reboot)"),
        "RebootDBInstance <the writer of shop>".to_owned(),
    ];
    assert_eq!(plan.operations(SOURCE), expected);
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await
}
