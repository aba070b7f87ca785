//! Which Terraform the suite runs with, and the message for an older one.
//!
//! A Terraform that does not know write-only arguments says so when it requests a validation: a configuration that uses one gets
//! a clear error, and others are not affected.

use std::collections::BTreeMap;
use std::io::Write as _;

use acceptance_tests::core_client::CoreClient;
use acceptance_tests::terraform_cli::{Terraform, executable};
use anyhow::{Context as _, Result, ensure};
use terraform_provider_clickpipes::proto::tfplugin6::{
    ClientCapabilities, Diagnostic, DynamicValue, get_provider_schema, validate_resource_config,
};

/// Names the version where it is always visible: the harness hides the normal output of a passing test.
#[tokio::test]
async fn the_suite_says_which_terraform_it_runs() -> Result<()> {
    let executable = executable()?;
    let version = Terraform::new()?.run(["version", "-json"]).await?.succeeded()?.json()?;
    let number = version["terraform_version"].as_str().context("it names no version")?;
    let name = executable.file_name().unwrap_or(executable.as_os_str()).to_string_lossy();
    writeln!(std::io::stderr(), "The acceptance tests run {name} {number} ({}).", executable.display())?;
    let minor: Vec<u32> = number.split(['.', '-']).map_while(|part| part.parse().ok()).collect();
    ensure!(minor >= vec![1, 11], "{name} {number} is older than 1.11, and the suite uses write-only arguments");
    Ok(())
}

/// Validates a user with or without `password_wo`, for a client that allows write-only attributes or does not.
async fn validate(password: bool, write_only_attributes_allowed: bool) -> Result<Vec<Diagnostic>> {
    let type_name = "clickpipes_replication_user";
    let mut core = CoreClient::start().await?;
    let schemas = core.provider.get_provider_schema(get_provider_schema::Request {}).await?.into_inner();
    let block = schemas.resource_schemas[type_name].block.as_ref().context("a schema without a block")?;
    let mut config: BTreeMap<&str, serde_json::Value> =
        block.attributes.iter().map(|attribute| (attribute.name.as_str(), serde_json::Value::Null)).collect();
    config.insert("name", "clickpipes".into());
    config.insert("database", "app".into());
    if password {
        config.insert("password_wo", "a-password-of-some-length".into());
        config.insert("password_wo_version", 1.into());
    }
    let request = validate_resource_config::Request {
        type_name: type_name.to_owned(),
        config: Some(DynamicValue { json: serde_json::to_vec(&config)?, ..DynamicValue::default() }),
        client_capabilities: Some(ClientCapabilities { write_only_attributes_allowed, ..ClientCapabilities::default() }),
    };
    let diagnostics = core.provider.validate_resource_config(request).await?.into_inner().diagnostics;
    core.close().await?;
    Ok(diagnostics)
}

#[tokio::test]
async fn a_write_only_argument_needs_a_terraform_that_knows_it() -> Result<()> {
    let diagnostics = validate(true, false).await?;
    let [refusal] = diagnostics.as_slice() else { panic!("{diagnostics:?}") };
    assert_eq!(refusal.summary, "Terraform is too old for write-only attributes");
    for part in ["password_wo", "Terraform 1.11 or OpenTofu 1.11", "leave the attribute out"] {
        assert!(refusal.detail.contains(part), "{part:?} is missing in {:?}", refusal.detail);
    }
    assert!(refusal.attribute.is_some(), "{refusal:?}");
    assert!(!refusal.detail.contains("a-password"), "{refusal:?}");
    Ok(())
}

#[tokio::test]
async fn without_one_any_terraform_will_do() -> Result<()> {
    assert_eq!(validate(false, false).await?, []);
    assert_eq!(validate(true, true).await?, []);
    Ok(())
}
