//! An outage of the API in the middle of an apply is waited out: throttling, errors of the server, lost connections.

use acceptance_tests::simulator::{ClusterSpec, Fault, Options};

use crate::rig::{OURS, Rig};

/// More than the attempts of any call, and few enough for the pauses between them to add up to seconds.
const SOME: u32 = 7;
/// More calls than a run makes.
const ALL: u32 = 1_000_000;
const OUTAGES: [Fault; 4] = [Fault::Throttling, Fault::InternalFailure, Fault::ServiceUnavailable, Fault::ConnectionReset];

#[tokio::test]
async fn an_outage_of_describe_calls_does_not_end_a_wait() -> anyhow::Result<()> {
    for fault in OUTAGES {
        let rig = Rig::without_postgres().await?;
        rig.provider(Some(1))?;
        rig.source("reboot = \"all\"")?;
        // It begins before the first wait, in a wait for the cluster, and in a wait for a member.
        let simulator = |action: &'static str| {
            let faults = rig.simulator.faults();
            move || faults(action, fault, SOME)
        };
        rig.simulator.after_call("CreateDBClusterParameterGroup", simulator("DescribeDBClusterParameterGroups"));
        rig.simulator.after_call("ModifyDBCluster", simulator("DescribeDBClusters"));
        rig.simulator.after_call("RebootDBInstance", simulator("DescribeDBInstances"));
        rig.tf.apply().await?;
        assert_eq!(rig.statuses(), ["in-sync", "in-sync"], "{fault:?}");
        let failed = rig.simulator.calls().into_iter().filter_map(|call| Some((call.action, call.error?)));
        // Until it is created, our group is not found.
        let failed: Vec<_> = failed.filter(|(_, error)| error != "DBParameterGroupNotFound").collect();
        assert_eq!(failed.len(), 3 * SOME as usize, "{fault:?}: not every fault was met: {failed:?}");
        rig.tf.assert_empty_plan().await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_outage_of_changing_calls_is_waited_out_where_a_second_call_does_no_harm() -> anyhow::Result<()> {
    for fault in OUTAGES {
        let rig = Rig::without_postgres().await?;
        rig.provider(Some(1))?;
        rig.source("reboot = \"writer\"\n  tags = { team = \"shop\" }")?;
        for action in ["CreateDBClusterParameterGroup", "ModifyDBClusterParameterGroup", "ModifyDBCluster"] {
            rig.simulator.inject_fault(action, fault, SOME);
        }
        // A second reboot would be a second outage, so only a refusal is repeated.
        let reboots = if fault == Fault::Throttling { SOME } else { 0 };
        rig.simulator.inject_fault("RebootDBInstance", fault, reboots);
        rig.tf.apply().await?;
        assert_eq!(rig.changes()?.len(), 4, "nothing is done twice: {:?}", rig.changes()?);
        rig.tf.assert_empty_plan().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_reboot_whose_answer_is_lost_is_not_asked_for_again() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.provider(Some(1))?;
    rig.source("reboot = \"writer\"")?;
    rig.simulator.inject_fault("RebootDBInstance", Fault::AnswerLost, 1);
    let message = rig.apply_fails().await?.message();
    assert!(message.contains("Cannot reach AWS") && message.contains("This call was in progress"), "{message}");
    rig.cluster.wait_until_available().await?;
    rig.tf.apply().await?;
    let reboots = rig.simulator.calls().iter().filter(|call| call.action == "RebootDBInstance").count();
    assert_eq!(reboots, 1);
    assert_eq!(rig.state().await?["ready"], true);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn at_the_deadline_the_error_names_the_last_obstacle() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.provider(Some(1))?;
    rig.source("reboot = \"writer\"\n  timeouts = { create = \"2s\" }")?;
    let faults = rig.simulator.faults();
    rig.simulator.after_call("ModifyDBCluster", move || faults("DescribeDBClusters", Fault::Throttling, ALL));
    let message = rig.apply_fails().await?.message();
    let awaited = format!("waiting for cluster shop to be attached to parameter group {OURS}");
    for words in ["Gave up waiting for AWS", &awaited, "last seen: DescribeDBClusters failed: AWS answered Throttling"] {
        assert!(message.contains(words), "{words} is missing in {message}");
    }
    Ok(())
}

#[tokio::test]
async fn ctrl_c_ends_a_wait_while_aws_throttles_and_the_log_names_the_obstacle() -> anyhow::Result<()> {
    let options = Options { time_scale: 0.2, ..Options::default() };
    let rig = Rig::on(options, ClusterSpec::new("shop").without_postgres()).await?;
    rig.source("reboot = \"writer\"")?;
    rig.provider(Some(1))?;
    let faults = rig.simulator.faults();
    rig.simulator.after_call("ModifyDBCluster", move || faults("DescribeDBClusters", Fault::Throttling, ALL));
    let session = rig.tf.start(["apply", "-no-color", "-auto-approve"])?;
    rig.tf.until_logged("seen=\"DescribeDBClusters failed: AWS answered Throttling").await?;
    session.interrupt()?;
    let message = session.outcome().await?.failed()?.message();
    assert!(message.contains("cancelled while waiting for cluster shop to be attached"), "{message}");
    assert!(rig.state().await?.is_null());
    rig.simulator.clear_faults();
    rig.tf.apply().await?;
    assert_eq!(rig.state().await?["ready"], true);
    rig.tf.assert_empty_plan().await
}
