//! States that earlier releases wrote, each a folder of `fixtures/` with its configuration and database: this build reads every
//! one of them, plans nothing, and turns it into the state that it would have written itself.

use std::fs;
use std::path::{Path, PathBuf};

use acceptance_tests::rig::Rig;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

const PASSWORD: &str = "a-password-of-some-length";

/// The folders with a state, oldest release first.
fn releases() -> Result<Vec<PathBuf>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let entries = fs::read_dir(fixtures)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("state-"));
    let mut folders: Vec<PathBuf> = entries.into_iter().filter(named).collect();
    folders.sort();
    Ok(folders)
}

/// The resources as that release stored them.
fn stored(folder: &Path) -> Result<Vec<Value>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let read = |file: PathBuf| serde_json::from_str(&fs::read_to_string(&file)?).with_context(|| file.display().to_string());
    files.into_iter().map(read).collect()
}

/// Address and attributes of every resource of the root module, except the last planned operations and their impact, which the state keeps.
async fn attributes(rig: &Rig) -> Result<Vec<Value>> {
    let state = rig.tf.state().await?;
    let resources = state["values"]["root_module"]["resources"].as_array().context("the state is empty")?;
    let without_plan = |resource: &Value| {
        let mut values = resource["values"].clone();
        values["operations"] = Value::Null;
        values["impact"] = Value::Null;
        json!([resource["address"], values])
    };
    Ok(resources.iter().map(without_plan).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_of_every_release_is_read_and_plans_nothing() -> Result<()> {
    let releases = releases()?;
    ensure!(!releases.is_empty(), "there are no states of earlier releases");
    for folder in releases {
        reads(&folder).await.with_context(|| folder.display().to_string())?;
    }
    Ok(())
}

async fn reads(folder: &Path) -> Result<()> {
    let mut rig = Rig::start().await?;
    rig.tf.set_env("TF_VAR_password", PASSWORD);
    rig.sql(&fs::read_to_string(folder.join("database.sql"))?).await?;
    rig.main(&fs::read_to_string(folder.join("main.tf"))?)?;
    rig.tf.apply().await?;
    let own = attributes(&rig).await?;

    let path = rig.tf.folder().join("terraform.tfstate");
    let mut state: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    let mut resources = stored(folder)?;
    ensure!(resources.len() == own.len(), "the fixture and the configuration have not the same resources");
    for resource in &mut resources {
        // Terraform and OpenTofu name different registries.
        resource["provider"] = state["resources"][0]["provider"].clone();
    }
    state["resources"] = resources.into();
    state["serial"] = 1000.into();
    fs::write(&path, state.to_string())?;

    rig.tf.assert_empty_plan().await?;
    rig.tf.refresh_only().await?;
    assert_eq!(attributes(&rig).await?, own);
    rig.tf.assert_empty_plan().await
}
