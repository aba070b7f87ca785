//! Import by cluster identifier, then an empty plan.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::rig::{OURS, Rig, SOURCE};

#[tokio::test]
async fn what_this_resource_made_is_imported_and_the_same_configuration_plans_nothing() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    let arguments = "parameters = { max_wal_senders = \"30\" }\n  tags = { team = \"shop\" }";
    rig.source(arguments)?;
    rig.tf.apply().await?;
    rig.tf.run(["state", "rm", SOURCE]).await?.succeeded()?;
    let before = rig.changes()?;
    rig.tf.import(SOURCE, "shop").await?;
    rig.tf.assert_empty_plan().await?;
    let state = rig.state().await?;
    assert_eq!(state["parameter_group_name"], OURS);
    assert_eq!(state["parameters"]["max_wal_senders"], "30");
    assert_eq!(rig.changes()?, before, "an import changes nothing");
    Ok(())
}

#[tokio::test]
async fn the_configuration_that_terraform_generates_plans_nothing() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.tf.write("main.tf", &format!("import {{\n  to = {SOURCE}\n  id = \"shop\"\n}}\n"))?;
    let generated = rig.tf.folder().join("generated.tf");
    let out = format!("-generate-config-out={}", generated.display());
    rig.tf.run(["plan", "-no-color", out.as_str()]).await?.succeeded()?;
    rig.tf.apply().await?;
    rig.tf.assert_empty_plan().await?;
    assert_eq!(rig.changes()?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_cluster_that_does_not_exist_cannot_be_imported() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("")?;
    rig.tf.run(["import", "-no-color", SOURCE, "nowhere"]).await?.failed()?;
    let failure = rig.tf.run(["import", "-no-color", SOURCE, "Shop!"]).await?.failed()?;
    assert!(failure.message().contains("Invalid import id"), "{}", failure.message());
    Ok(())
}

/// Some hundred parameters would be stored beside every state.
#[tokio::test]
async fn private_data_hold_what_a_plan_needs_and_not_the_whole_list_of_parameters() -> anyhow::Result<()> {
    let rig = Rig::without_postgres().await?;
    rig.source("")?;
    rig.tf.apply().await?;
    let private = || -> anyhow::Result<String> {
        let state: Value = serde_json::from_str(&std::fs::read_to_string(rig.tf.folder().join("terraform.tfstate"))?)?;
        let private = state["resources"][0]["instances"][0]["private"].as_str().context("no private data")?;
        Ok(String::from_utf8(STANDARD.decode(private)?)?)
    };
    let applied = private()?;
    rig.tf.refresh_only().await?;
    for private in [&applied, &private()?] {
        assert!(private.contains("wal_sender_timeout") && !private.contains("autovacuum"), "{private}");
        assert!(private.len() < 4096, "{} bytes: {private}", private.len());
    }
    // Of a parameter that was not wanted before, the plan asks what the family says.
    rig.source("parameters = { autovacuum_max_workers = \"5\" }")?;
    let plan = rig.tf.plan().await?;
    let set = format!("ModifyDBClusterParameterGroup {OURS}: autovacuum_max_workers = 5 (pending-reboot)");
    assert_eq!(plan.operations(SOURCE), [set]);
    rig.tf.apply_plan(&plan).await?;
    rig.tf.assert_empty_plan().await?;
    rig.source("parameters = { autovacuum_max_worker = \"5\" }")?;
    let failure = rig.plan_fails().await?.message();
    assert!(failure.contains("Not a modifiable cluster parameter (autovacuum_max_worker)"), "{failure}");
    rig.source("parameters = { max_replication_slots = \"3\" }")?;
    let failure = rig.plan_fails().await?.message();
    assert!(failure.contains("Value not allowed (max_replication_slots)"), "{failure}");
    Ok(())
}
