//! Answers of AWS that are not taken on faith: changes that others leave pending in the meantime, answers about another object, lists
//! that never end.

use acceptance_tests::simulator::Fault;

use crate::rig::{DEFAULT, OURS, Rig};

const PENDING: [&str; 2] = ["Other changes to the cluster are pending", "EngineVersion = 15.12"];

#[tokio::test]
async fn a_change_that_somebody_leaves_pending_during_an_apply_is_not_applied_along() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"")?;
    let cluster = rig.cluster.clone();
    // After the check of the plan and that of the apply.
    rig.simulator.after_call("ModifyDBClusterParameterGroup", move || cluster.leave_pending("EngineVersion", "15.12"));
    let message = rig.apply_fails().await?.message();
    assert!(PENDING.iter().all(|words| message.contains(words)), "{message}");
    assert!(!rig.simulator.calls().iter().any(|call| call.action == "ModifyDBCluster"), "{:?}", rig.changes()?);
    assert_eq!(rig.cluster.parameter_group(), DEFAULT);
    Ok(())
}

#[tokio::test]
async fn nor_is_one_that_comes_between_a_refused_call_and_its_repetition() -> anyhow::Result<()> {
    for refusal in [Fault::WrongState, Fault::Throttling, Fault::InternalFailure, Fault::ConnectionReset] {
        let rig = Rig::without_postgres().await?;
        rig.source("reboot = \"writer\"")?;
        let cluster = rig.cluster.clone();
        rig.simulator.before_call("ModifyDBCluster", move || cluster.leave_pending("EngineVersion", "15.12"));
        rig.simulator.inject_fault("ModifyDBCluster", refusal, 1);
        let message = rig.apply_fails().await?.message();
        assert!(PENDING.iter().all(|words| message.contains(words)), "{refusal:?}: {message}");
        let sent = rig.simulator.calls().iter().filter(|call| call.action == "ModifyDBCluster").count();
        assert_eq!(sent, 1, "{refusal:?}: sent again without a look");
        assert_eq!(rig.cluster.parameter_group(), DEFAULT);
    }
    Ok(())
}

#[tokio::test]
async fn nor_is_one_that_comes_during_a_destroy() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    let plan = rig.tf.plan_with(&["-destroy"]).await?;
    let cluster = rig.cluster.clone();
    rig.simulator.before_call("ModifyDBCluster", move || cluster.leave_pending("EngineVersion", "15.12"));
    rig.simulator.inject_fault("ModifyDBCluster", Fault::WrongState, 1);
    let before = rig.changes()?;
    let failure = rig.tf.run(["apply".as_ref(), "-no-color".as_ref(), plan.file.as_os_str()]).await?.failed()?;
    assert!(PENDING.iter().all(|words| failure.message().contains(words)), "{}", failure.message());
    assert_eq!(rig.changes()?, before);
    assert_eq!(rig.cluster.parameter_group(), OURS);
    Ok(())
}

#[tokio::test]
async fn an_answer_about_another_object_is_never_used() -> anyhow::Result<()> {
    for action in ["DescribeDBClusters", "DescribeDBClusterParameterGroups"] {
        let rig = Rig::without_postgres().await?;
        rig.source("reboot = \"writer\"")?;
        rig.simulator.inject_fault(action, Fault::AnotherIdentifier, 1000);
        let message = rig.plan_fails().await?.message();
        let words = format!("the answer to {action} is about \"another\", but the call was about");
        assert!(message.contains(&words), "{words} is missing in {message}");
        assert_eq!(rig.changes()?, [""; 0]);
    }
    // Instances are described during an apply only.
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"")?;
    rig.simulator.inject_fault("DescribeDBInstances", Fault::AnotherIdentifier, 1000);
    let message = rig.apply_fails().await?.message();
    assert!(message.contains("is about \"another\", but the call was about \"shop-1\""), "{message}");
    assert!(!rig.simulator.calls().iter().any(|call| call.action == "RebootDBInstance"), "{:?}", rig.changes()?);
    Ok(())
}

#[tokio::test]
async fn a_list_that_never_ends_is_an_error() -> anyhow::Result<()> {
    for (fault, words) in
        [(Fault::MarkerRepeats, "leads back to an earlier one"), (Fault::MarkerNeverEnds, "it has more than 100 pages")]
    {
        for action in ["DescribeDBClusterParameters", "DescribeDBClusterParameterGroups", "DescribeGlobalClusters"] {
            let rig = Rig::without_postgres().await?;
            rig.source("reboot = \"writer\"")?;
            rig.simulator.inject_fault(action, fault, u32::MAX);
            let message = rig.plan_fails().await?.message();
            let named = format!("the list that answers {action} does not end");
            assert!(message.contains(&named) && message.contains(words), "{action} {fault:?}: {message}");
            let asked = rig.simulator.calls().iter().filter(|call| call.action == action).count();
            // The attached group is asked for by its name, too.
            assert!(asked <= 101, "{action} was called {asked} times");
        }
    }
    Ok(())
}
