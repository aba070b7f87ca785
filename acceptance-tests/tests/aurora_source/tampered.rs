//! States and private data that were edited by hand, or belong to another resource, and clusters that were created again: nothing is
//! done to what they name.

use acceptance_tests::simulator::ClusterSpec;
use serde_json::{Value, json};

use crate::rig::{DEFAULT, OURS, Rig, SOURCE};

const THEIRS: &str = "shop-custom";

/// A source that was set up and can be destroyed without a database.
async fn set_up() -> anyhow::Result<Rig> {
    let rig = Rig::without_postgres().await?;
    rig.simulator.create_parameter_group(THEIRS, "aurora-postgresql15", &[("log_statement", "all")])?;
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    Ok(rig)
}

#[tokio::test]
async fn an_edited_group_name_is_not_acted_upon() -> anyhow::Result<()> {
    for (name, refresh) in [(THEIRS, true), (THEIRS, false), (DEFAULT, true), (DEFAULT, false)] {
        let rig = set_up().await?;
        rig.edit_state(|instance| instance["attributes"]["parameter_group_name"] = json!(name))?;
        let mut arguments = vec!["destroy", "-no-color", "-auto-approve"];
        arguments.extend((!refresh).then_some("-refresh=false"));
        rig.tf.run(arguments).await?.succeeded()?;
        // What is really there is undone.
        assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_group(OURS)), (DEFAULT, None));
        assert!(rig.simulator.parameter_group(THEIRS).is_some());
        let touched = rig.changes()?.iter().filter(|line| line.contains(THEIRS)).count();
        assert_eq!(touched, 0, "{:?}", rig.changes()?);
    }
    Ok(())
}

#[tokio::test]
async fn an_edited_group_name_does_not_make_the_attached_group_of_the_customer_ours() -> anyhow::Result<()> {
    let rig = set_up().await?;
    let call = rig.simulator.rds().modify_db_cluster().db_cluster_identifier("shop").db_cluster_parameter_group_name(THEIRS);
    call.apply_immediately(true).send().await?;
    rig.cluster.wait_until_available().await?;
    rig.edit_state(|instance| instance["attributes"]["parameter_group_name"] = json!(THEIRS))?;
    rig.tf.destroy().await?;
    assert_eq!((rig.cluster.parameter_group().as_str(), rig.simulator.parameter_group(OURS)), (THEIRS, None));
    assert!(rig.simulator.parameter_group(THEIRS).is_some());
    Ok(())
}

#[tokio::test]
async fn an_edited_previous_group_is_refused_with_both_names() -> anyhow::Result<()> {
    for private in [true, false] {
        let rig = set_up().await?;
        rig.edit_state(|instance| {
            instance["attributes"]["previous_parameter_group_name"] = json!(THEIRS);
            if !private {
                instance["private"] = Value::Null;
            }
        })?;
        let before = rig.changes()?;
        for arguments in
            [&["destroy", "-no-color", "-auto-approve"][..], &["destroy", "-no-color", "-auto-approve", "-refresh=false"]]
        {
            let message = rig.tf.run(arguments).await?.failed()?.message();
            for word in ["Tags and state contradict each other", THEIRS, DEFAULT] {
                assert!(message.contains(word), "{word} is missing in {message}");
            }
        }
        assert_eq!(rig.changes()?, before);
        assert_eq!(rig.cluster.parameter_group(), OURS);
    }
    Ok(())
}

#[tokio::test]
async fn private_data_of_another_source_are_not_used() -> anyhow::Result<()> {
    let rig = set_up().await?;
    rig.simulator.create_parameter_group("orders-custom", "aurora-postgresql15", &[])?;
    let orders = ClusterSpec::new("orders").without_postgres().parameter_group("orders-custom");
    rig.simulator.create_cluster(orders).await?;
    rig.tf.write(
        "orders.tf",
        "resource \"clickpipes_aurora_source\" \"orders\" {\n  cluster_identifier = \"orders\"\n  reboot = \"writer\"\n  force_destroy = true\n}\n",
    )?;
    rig.tf.apply().await?;
    let path = rig.tf.folder().join("terraform.tfstate");
    let mut state: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
    let of = |state: &Value, index: usize| state["resources"][index]["instances"][0]["private"].clone();
    let (first, second) = (of(&state, 0), of(&state, 1));
    state["resources"][0]["instances"][0]["private"] = second;
    state["resources"][1]["instances"][0]["private"] = first;
    std::fs::write(&path, state.to_string())?;
    let before = rig.changes()?.len();
    rig.tf.run(["destroy", "-no-color", "-auto-approve", "-refresh=false"]).await?.succeeded()?;
    assert_eq!(rig.cluster.parameter_group(), DEFAULT);
    let orders = rig.simulator.cluster("orders").ok_or_else(|| anyhow::anyhow!("no cluster"))?;
    assert_eq!(orders.parameter_group(), "orders-custom");
    // One attachment, one reboot and one deletion each.
    assert_eq!(rig.changes()?.len() - before, 6, "{:?}", &rig.changes()?[before..]);
    Ok(())
}

#[tokio::test]
async fn a_cluster_that_was_created_again_is_another_one() -> anyhow::Result<()> {
    let rig = set_up().await?;
    let old = rig.cluster.resource_id.clone();
    let destroy = rig.tf.plan_with(&["-destroy"]).await?;
    rig.source("reboot = \"writer\"\n  force_destroy = true\n  parameters = { max_wal_senders = \"30\" }")?;
    let update = rig.tf.plan().await?;
    rig.simulator.remove_cluster("shop");
    let new = rig.simulator.create_cluster(ClusterSpec::new("shop").without_postgres()).await?;
    assert_ne!(new.resource_id, old);
    let before = rig.changes()?;
    for plan in [&destroy, &update] {
        let message = rig.tf.run(["apply".as_ref(), "-no-color".as_ref(), plan.file.as_os_str()]).await?.failed()?.message();
        for word in ["Another cluster has this identifier", &old, &new.resource_id] {
            assert!(message.contains(word), "{word} is missing in {message}");
        }
    }
    let message = rig.tf.run(["destroy", "-no-color", "-auto-approve", "-refresh=false"]).await?.failed()?.message();
    assert!(message.contains(&old) && message.contains(&new.resource_id), "{message}");
    assert_eq!(rig.changes()?, before);

    // A refresh says so, and the plan sets the new one up.
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(SOURCE), ["create"]);
    let message = plan.outcome.message();
    assert!(message.contains(&old) && message.contains(&new.resource_id), "{message}");
    rig.tf.apply_plan(&plan).await?;
    assert_eq!(rig.state().await?["cluster_resource_id"], new.resource_id);
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn a_cluster_that_is_created_again_during_an_apply_is_left_alone() -> anyhow::Result<()> {
    for (trigger, next) in [("ModifyDBClusterParameterGroup", "ModifyDBCluster"), ("ModifyDBCluster", "RebootDBInstance")] {
        let rig = Rig::without_postgres().await?;
        rig.source("reboot = \"writer\"")?;
        let cluster = rig.cluster.clone();
        rig.simulator.after_call(trigger, move || cluster.become_another("cluster-ANOTHER"));
        let message = rig.apply_fails().await?.message();
        for word in ["Another cluster has this identifier", "cluster-ANOTHER", &rig.cluster.resource_id] {
            assert!(message.contains(word), "{word} is missing in {message}");
        }
        assert!(!rig.simulator.calls().iter().any(|call| call.action == next), "{:?}", rig.changes()?);
    }
    Ok(())
}

#[tokio::test]
async fn a_state_of_another_account_or_cluster_is_an_error_that_names_both() -> anyhow::Result<()> {
    let rig = set_up().await?;
    let elsewhere = "arn:aws:rds:us-east-1:999999999999:cluster:shop";
    rig.edit_state(|instance| instance["attributes"]["arn"] = json!(elsewhere))?;
    let before = rig.changes()?;
    for arguments in [
        &["plan", "-no-color"][..],
        &["destroy", "-no-color", "-auto-approve"],
        &["destroy", "-no-color", "-auto-approve", "-refresh=false"],
    ] {
        let message = rig.tf.run(arguments).await?.failed()?.message();
        assert!(message.contains(elsewhere) && message.contains(&rig.cluster.arn), "{message}");
    }
    assert_eq!(rig.changes()?, before);
    Ok(())
}
