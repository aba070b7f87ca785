//! A create that stops half-way leaves no state, and the next one only does what is missing.

use acceptance_tests::simulator::{ClusterSpec, Fault, Options, Simulator};

use crate::rig::{OURS, Rig, SOURCE};

const ACTIONS: [&str; 4] =
    ["CreateDBClusterParameterGroup", "ModifyDBClusterParameterGroup", "ModifyDBCluster", "RebootDBInstance"];

#[tokio::test]
async fn a_create_that_fails_at_any_change_is_taken_up_again() -> anyhow::Result<()> {
    for (number, action) in ACTIONS.into_iter().enumerate() {
        let rig = Rig::without_postgres().await?;
        rig.provider(Some(1))?;
        rig.source("reboot = \"writer\"")?;
        rig.simulator.inject_fault(action, Fault::AccessDenied, 1);
        let failure = rig.apply_fails().await?;
        assert!(failure.message().contains(&format!("{action} failed")), "{}", failure.message());
        assert_eq!(failure.message().contains("only partly set up"), number > 0, "{}", failure.message());
        assert!(rig.state().await?.is_null(), "{action}: a failed create left a state");
        let before = rig.changes()?;
        assert_eq!(before.len(), number, "{before:?}");

        rig.cluster.wait_until_available().await?;
        if number > 0 {
            let missing = rig.would_run().await?;
            let missing: Vec<&str> = missing.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect();
            assert_eq!(missing, ACTIONS[number..]);
        }
        rig.tf.apply().await?;
        let done: Vec<String> = rig.changes()?.iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect();
        assert_eq!(done, ACTIONS, "nothing is done twice");
        assert_eq!(rig.statuses(), ["in-sync", "pending-reboot"]);
        assert_eq!(rig.state().await?["ready"], true);
        rig.tf.assert_empty_plan().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_create_that_loses_aws_half_way_says_so_and_what_exists() -> anyhow::Result<()> {
    for fault in [Fault::ConnectionReset, Fault::AnswerLost] {
        let rig = Rig::without_postgres().await?;
        rig.provider(Some(1))?;
        rig.source("reboot = \"writer\"\n  timeouts = { create = \"1s\" }")?;
        rig.simulator.inject_fault("ModifyDBCluster", fault, 1000);
        let message = rig.apply_fails().await?.message();
        let lost = match fault {
            Fault::ConnectionReset => "last seen: ModifyDBCluster failed: http://127.0.0.1",
            // The cluster is being modified by then.
            _ => "waiting for",
        };
        for words in [lost, "only partly set up", "ModifyDBClusterParameterGroup clickpipes-shop-aurora-postgresql15: "] {
            assert!(message.contains(words), "{fault:?}: {words} is missing in {message}");
        }
        assert!(rig.state().await?.is_null(), "{fault:?}: a failed create left a state");

        rig.simulator.clear_faults();
        rig.cluster.wait_until_available().await?;
        rig.source("reboot = \"writer\"")?;
        rig.tf.apply().await?;
        let attached = rig.changes()?.iter().filter(|line| line.starts_with("ModifyDBCluster ")).count();
        // The log of calls lists a lost answer as an error.
        assert_eq!(attached, usize::from(fault == Fault::ConnectionReset), "{:?}", rig.changes()?);
        assert_eq!(rig.state().await?["ready"], true);
        rig.tf.assert_empty_plan().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_create_that_fails_while_it_waits_is_taken_up_again() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.provider(Some(1))?;
    rig.source("reboot = \"all\"")?;
    rig.simulator.inject_fault("DescribeDBInstances", Fault::AccessDenied, 1);
    rig.apply_fails().await?;
    assert!(rig.state().await?.is_null());
    rig.simulator.clear_faults();
    rig.tf.apply().await?;
    assert_eq!(rig.statuses(), ["in-sync", "in-sync"]);
    assert_eq!(rig.changes()?.iter().filter(|line| line.starts_with("ModifyDBCluster ")).count(), 1);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn a_group_that_is_taken_up_is_compared_as_a_whole() -> anyhow::Result<()> {
    const THEIRS: &str = "shop-custom";
    for (action, attached) in [("ModifyDBCluster", false), ("RebootDBInstance", true)] {
        let simulator = Simulator::start(Options::default())?;
        simulator.create_parameter_group(THEIRS, "aurora-postgresql15", &[("work_mem", "65536")])?;
        let rig = Rig::in_simulator(simulator, ClusterSpec::new("shop").without_postgres().parameter_group(THEIRS)).await?;
        rig.source("reboot = \"writer\"\n  force_destroy = true")?;
        rig.simulator.inject_fault(action, Fault::AccessDenied, 1);
        rig.apply_fails().await?;
        assert_eq!(rig.cluster.parameter_group() == OURS, attached);
        rig.cluster.wait_until_available().await?;
        // In the meantime somebody sets more in our group, and in the one that it carries over.
        rig.set_parameter(OURS, "log_statement", "all", "immediate").await?;
        rig.set_parameter(THEIRS, "max_worker_processes", "16", "pending-reboot").await?;
        rig.cluster.wait_until_available().await?;
        let set = format!("ModifyDBClusterParameterGroup {OURS}: max_worker_processes = 16 (pending-reboot)");
        let reset = format!("ResetDBClusterParameterGroup {OURS}: log_statement (immediate)");
        let would_run = rig.would_run().await?;
        assert_eq!(would_run[..2], [set.clone(), reset.clone()], "{would_run:?}");
        let before = rig.changes()?.len();
        rig.tf.apply().await?;
        assert_eq!(rig.changes()?[before..][..2], [set, reset]);
        let values = rig.simulator.parameter_group(OURS).unwrap_or_default();
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("max_worker_processes", "16"),
            ("rds.logical_replication", "1"),
            ("wal_sender_timeout", "0"),
            ("work_mem", "65536"),
        ];
        assert_eq!(values, expected);
        rig.tf.assert_empty_plan().await?;
        rig.tf.destroy().await?;
        assert_eq!(rig.cluster.parameter_group(), THEIRS);
    }
    Ok(())
}

#[tokio::test]
async fn throttling_is_waited_out() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"")?;
    rig.simulator.inject_fault("ModifyDBCluster", Fault::Throttling, 2);
    rig.simulator.inject_fault("RebootDBInstance", Fault::Throttling, 1);
    rig.tf.apply().await?;
    assert_eq!(rig.statuses(), ["in-sync", "pending-reboot"]);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn a_failed_update_keeps_the_state_and_the_next_apply_mends() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"")?;
    rig.tf.apply().await?;
    rig.source("reboot = \"writer\"\n  parameters = { max_wal_senders = \"30\" }")?;
    rig.simulator.inject_fault("RebootDBInstance", Fault::AccessDenied, 1);
    let failure = rig.apply_fails().await?;
    assert!(failure.message().contains("rds:RebootDBInstance"), "{}", failure.message());
    let state = rig.state().await?;
    assert_eq!(state["parameter_group_name"], OURS);
    assert_eq!(state["ready"], false);
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.operations(SOURCE), ["RebootDBInstance <the writer of shop>"]);
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.state().await?["ready"], true);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn a_cluster_that_does_not_exist_yet_is_planned_and_applied() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.tf.write(
        "main.tf",
        "resource \"clickpipes_aurora_source\" \"shop\" {\n  cluster_identifier = \"later\"\n  reboot = \"writer\"\n}\n",
    )?;
    let plan = rig.tf.plan().await?;
    assert!(plan.is_unknown(SOURCE, "operations"));
    assert!(plan.outcome.message().contains("Cluster not found"), "{}", plan.outcome.stdout);
    let failure = rig.tf.run(["apply".as_ref(), "-no-color".as_ref(), plan.file.as_os_str()]).await?.failed()?;
    assert!(failure.message().contains("Error: Cluster not found"), "{}", failure.message());
    assert_eq!(rig.changes()?, [""; 0]);

    let plan = rig.tf.plan().await?;
    rig.simulator.create_cluster(ClusterSpec::new("later").without_postgres()).await?;
    rig.tf.apply_plan(&plan).await?;
    let state = rig.state().await?;
    assert_eq!(state["operations"].as_array().map(Vec::len), Some(4));
    assert_eq!(state["ready"], true);
    rig.tf.assert_empty_plan().await
}
