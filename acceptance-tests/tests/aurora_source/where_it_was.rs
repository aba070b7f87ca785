//! A cluster that is not found: gone, or looked for in another region or account than that of the state.

use acceptance_tests::simulator::ClusterSpec;
use serde_json::{Value, json};

use crate::rig::{OURS, Rig, SOURCE};

async fn set_up() -> anyhow::Result<Rig> {
    let rig = Rig::without_postgres().await?;
    rig.source("reboot = \"writer\"\n  force_destroy = true")?;
    rig.tf.apply().await?;
    Ok(rig)
}

/// Every step fails with these words, and keeps the state.
async fn refused(rig: &Rig, words: &[&str]) -> anyhow::Result<()> {
    let before = (rig.state().await?, rig.changes()?);
    for arguments in [
        &["plan", "-no-color", "-input=false"][..],
        &["destroy", "-no-color", "-auto-approve"],
        &["destroy", "-no-color", "-auto-approve", "-refresh=false"],
    ] {
        let message = rig.tf.run(arguments).await?.failed()?.message();
        for word in words {
            assert!(message.contains(word), "{word} is missing in {message}");
        }
    }
    assert_eq!((rig.state().await?, rig.changes()?), before);
    Ok(())
}

#[tokio::test]
async fn in_another_region_it_is_not_gone() -> anyhow::Result<()> {
    let rig = set_up().await?;
    let block = std::fs::read_to_string(rig.tf.folder().join("provider.tf"))?;
    rig.tf.write("provider.tf", &block.replace("us-east-1", "eu-central-1"))?;
    let words = ["Cluster looked for in the wrong place", &rig.cluster.arn, "region eu-central-1, account 123456789012"];
    refused(&rig, &words).await?;
    rig.tf.write("provider.tf", &block)?;
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn in_another_account_it_is_not_gone() -> anyhow::Result<()> {
    let rig = set_up().await?;
    let elsewhere = "arn:aws:rds:us-east-1:999999999999:cluster:shop";
    rig.edit_state(|instance| instance["attributes"]["arn"] = json!(elsewhere))?;
    rig.simulator.remove_cluster("shop");
    refused(&rig, &["Cluster looked for in the wrong place", elsewhere, "region us-east-1, account 123456789012"]).await
}

#[tokio::test]
async fn under_another_identifier_it_is_not_gone() -> anyhow::Result<()> {
    let rig = set_up().await?;
    rig.tag(OURS, &[("clickpipes:cluster", "orders")]).await?;
    let renamed = ClusterSpec::new("orders").without_postgres().parameter_group(OURS);
    rig.simulator.create_cluster(renamed).await?.become_another(&rig.cluster.resource_id);
    rig.simulator.remove_cluster("shop");
    refused(&rig, &["The cluster was renamed", "renamed to orders", &rig.cluster.resource_id]).await?;
    // The remedy works.
    rig.tf.write(
        "main.tf",
        "resource \"clickpipes_aurora_source\" \"shop\" {\n  cluster_identifier = \"orders\"\n  reboot = \"writer\"\n  \
         force_destroy = true\n  parameter_group = { name = \"clickpipes-shop-aurora-postgresql15\" }\n}\n",
    )?;
    rig.tf.run(["state", "rm", SOURCE]).await?.succeeded()?;
    rig.tf.run(["import", "-no-color", SOURCE, "orders"]).await?.succeeded()?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    rig.tf.destroy().await?;
    assert_eq!(rig.simulator.parameter_groups(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn without_an_account_it_cannot_be_told() -> anyhow::Result<()> {
    let rig = set_up().await?;
    rig.simulator.remove_cluster("shop");
    rig.simulator.inject_fault("GetCallerIdentity", acceptance_tests::simulator::Fault::AccessDenied, u32::MAX);
    refused(&rig, &["GetCallerIdentity"]).await
}

#[tokio::test]
async fn the_account_is_asked_for_only_if_the_cluster_is_not_found() -> anyhow::Result<()> {
    let rig = set_up().await?;
    rig.tf.assert_empty_plan().await?;
    assert!(!rig.simulator.calls().iter().any(|call| call.action == "GetCallerIdentity"));
    rig.simulator.remove_cluster("shop");
    let plan = rig.tf.plan().await?;
    assert_eq!(plan.actions(SOURCE), ["delete", "create"]);
    let message = plan.outcome.message();
    let line = format!("DeleteDBClusterParameterGroup {OURS}");
    assert!(message.contains("Parameter groups of a deleted cluster are left") && message.contains(&line), "{message}");
    assert!(rig.simulator.calls().iter().any(|call| call.action == "GetCallerIdentity"));
    // A cluster of that name that is there by then gets a new source.
    rig.simulator.create_cluster(ClusterSpec::new("shop").without_postgres()).await?;
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await
}

#[tokio::test]
async fn what_was_created_for_a_cluster_that_is_gone_goes_with_the_destroy() -> anyhow::Result<()> {
    for refresh in ["-refresh=true", "-refresh=false"] {
        let rig = set_up().await?;
        rig.simulator.remove_cluster("shop");
        rig.tf.run(["destroy", "-no-color", "-auto-approve", refresh]).await?.succeeded()?;
        assert_eq!(rig.simulator.parameter_group(OURS), None);
        assert_eq!(rig.state().await?, Value::Null);
    }
    Ok(())
}
