//! Import by cluster identifier, then an empty plan.

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
