//! What AWS does in the middle of an apply: the writer moves, changes are seen late, answers get lost, a member does not come back.

use std::time::Duration;

use acceptance_tests::simulator::{ClusterSpec, Fault};

use crate::rig::{ALL_REBOOT, DEFAULT, OURS, Rig, SOURCE};

#[tokio::test]
async fn a_writer_that_moves_during_its_reboot_to_a_member_without_the_values_is_an_error() -> anyhow::Result<()> {
    let rig = Rig::new().await?;
    rig.source("reboot = \"writer\"")?;
    let cluster = rig.cluster.clone();
    rig.simulator.after_call("RebootDBInstance", move || cluster.move_writer("shop-2"));
    let failure = rig.apply_fails().await?;
    for word in ["The new writer still waits for a reboot", "is now shop-2"] {
        assert!(failure.message().contains(word), "{word} is missing in {}", failure.message());
    }
    assert!(rig.state().await?.is_null());
    rig.cluster.wait_until_available().await?;
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "off");

    assert_eq!(rig.would_run().await?, ["RebootDBInstance <the writer of shop>"]);
    rig.tf.apply().await?;
    assert_eq!(rig.changes()?[3..], ["RebootDBInstance shop-1", "RebootDBInstance shop-2"]);
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "on");
    assert_eq!(rig.state().await?["writer_instance_id"], "shop-2");
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn a_failover_between_the_reboots_of_all_members_does_no_harm() -> anyhow::Result<()> {
    let rig = Rig::new().await?;
    rig.source("reboot = \"all\"")?;
    let cluster = rig.cluster.clone();
    rig.simulator.after_call("RebootDBInstance", move || cluster.move_writer("shop-2"));
    rig.tf.apply().await?;
    assert_eq!(rig.changes()?[3..], ["RebootDBInstance shop-1", "RebootDBInstance shop-2"]);
    assert_eq!(rig.statuses(), ["in-sync", "in-sync"]);
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "on");
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn changes_that_are_seen_late_are_waited_for() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.simulator.lag("*", 3);
    rig.source("reboot = \"all\"\n  force_destroy = true")?;
    let plan = rig.tf.plan().await?;
    let planned = plan.operations(SOURCE).len();
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.changes()?.len(), planned, "nothing is done twice");
    assert_eq!(rig.statuses(), ["in-sync", "in-sync"]);
    let state = rig.state().await?;
    assert_eq!(state["ready"], true);
    assert_eq!(state["drift"], serde_json::json!([]));
    rig.tf.assert_empty_plan().await?;

    // A dynamic parameter and a tag: no wait for the cluster hides the lag.
    rig.source("reboot = \"all\"\n  force_destroy = true\n  parameters = { wal_sender_timeout = \"30000\" }\n  tags = { team = \"shop\" }")?;
    rig.tf.apply().await?;
    assert_eq!(rig.state().await?["drift"], serde_json::json!([]));
    rig.tf.assert_empty_plan().await?;

    rig.source("reboot = \"all\"\n  force_destroy = true\n  parameters = { max_wal_senders = \"30\" }")?;
    rig.tf.apply().await?;
    let state = rig.state().await?;
    assert_eq!((&state["ready"], &state["reboot_required"]), (&true.into(), &false.into()));
    assert_eq!(rig.statuses(), ["in-sync", "in-sync"]);
    rig.tf.assert_empty_plan().await?;

    rig.tf.destroy().await?;
    assert_eq!(rig.cluster.parameter_group(), DEFAULT);
    assert_eq!(rig.statuses(), ["in-sync", "in-sync"]);
    assert_eq!(rig.simulator.parameter_group(OURS), None);
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_causes_no_second_outage() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"")?;
    for action in ["CreateDBClusterParameterGroup", "ModifyDBClusterParameterGroup", "ModifyDBCluster", "RebootDBInstance"] {
        rig.simulator.inject_fault(action, Fault::AnswerLost, 1);
    }
    // The member still reboots when the SDK sends the call again.
    let clock = rig.simulator.clock();
    rig.simulator.after_call("RebootDBInstance", move || clock.stop());
    let reboots = || rig.simulator.calls().into_iter().filter(|call| call.action == "RebootDBInstance").map(|call| call.error);
    let apply = rig.tf.start(["apply", "-no-color", "-input=false", "-auto-approve"])?;
    let outcome = tokio::spawn(apply.outcome());
    while reboots().count() < 2 && !outcome.is_finished() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    rig.simulator.clock().run(0.002);
    outcome.await??.succeeded()?;
    assert_eq!(reboots().collect::<Vec<_>>(), [Some("AnswerLost".to_owned()), Some("InvalidDBInstanceState".to_owned())]);
    assert_eq!(rig.statuses(), ["in-sync", "pending-reboot"]);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn a_member_that_does_not_come_back_ends_the_wait_and_is_mended_by_the_next_apply() -> anyhow::Result<()> {
    let rig = Rig::new().await?;
    // More memory than any machine has.
    rig.source("reboot = \"writer\"\n  parameters = { shared_buffers = \"1073741823\" }")?;
    let failure = rig.apply_fails().await?;
    assert!(failure.message().contains("incompatible-parameters"), "{}", failure.message());
    assert_eq!(rig.cluster.members()[0].status, "incompatible-parameters");

    rig.source("reboot = \"writer\"\n  parameters = { shared_buffers = \"16384\" }")?;
    rig.tf.apply().await?;
    assert_eq!(rig.cluster.members()[0].status, "available");
    assert_eq!(rig.cluster.show("rds.logical_replication").await?, "on");
    assert_eq!(rig.state().await?["ready"], true);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn after_a_major_upgrade_a_group_of_the_new_family_takes_over() -> anyhow::Result<()> {
    const NEW: &str = "clickpipes-shop-aurora-postgresql16";
    let rig = Rig::with(ClusterSpec::new("shop").without_postgres()).await?;
    rig.source("reboot = \"all\"\n  force_destroy = true\n  parameters = { max_wal_senders = \"30\" }")?;
    rig.tf.apply().await?;
    rig.upgrade("16.6").await?;
    assert_eq!(rig.cluster.parameter_group(), "default.aurora-postgresql16");
    let before = rig.changes()?.len();

    let plan = rig.tf.plan().await?;
    assert_eq!(
        plan.operations(SOURCE),
        [
            &format!(
                "CreateDBClusterParameterGroup {NEW}: family aurora-postgresql16, tags clickpipes:cluster=shop, clickpipes:previous-parameter-group=default.aurora-postgresql16"
            ),
            &format!(
                "ModifyDBClusterParameterGroup {NEW}: max_wal_senders = 30 (pending-reboot), rds.logical_replication = 1 (pending-reboot), wal_sender_timeout = 0 (immediate)"
            ),
            &format!("ModifyDBCluster shop: parameter group {NEW}, immediately"),
            ALL_REBOOT[0],
            ALL_REBOOT[1],
            &format!("DeleteDBClusterParameterGroup {OURS}"),
        ]
    );
    rig.tf.apply_plan(&plan).await?;
    let members =
        |line: &str| line.replace(ALL_REBOOT[0], "RebootDBInstance shop-1").replace(ALL_REBOOT[1], "RebootDBInstance shop-2");
    let planned: Vec<String> = plan.operations(SOURCE).into_iter().map(members).collect();
    assert_eq!(rig.changes()?[before..], planned);
    assert_eq!(rig.simulator.parameter_groups(), [NEW]);
    let state = rig.state().await?;
    assert_eq!((&state["parameter_group_family"], &state["ready"]), (&"aurora-postgresql16".into(), &true.into()));
    rig.tf.assert_empty_plan().await?;

    rig.tf.destroy().await?;
    assert_eq!(rig.cluster.parameter_group(), "default.aurora-postgresql16");
    assert_eq!(rig.simulator.parameter_groups(), [""; 0]);
    Ok(())
}
