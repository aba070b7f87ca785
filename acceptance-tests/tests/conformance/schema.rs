//! The schema itself. Core's rules for it are checked whenever the client loads a provider.

use acceptance_tests::core_client::{CoreClient, TerraformCore, Version, Walk};
use anyhow::{Context as _, ensure};
use terraform_provider_clickpipes::proto::tfplugin6::{self as pb, get_provider_schema, schema::Attribute};

use crate::Outcome;
use crate::entry;
use crate::places::Place;
use crate::world::schemas;

async fn answer(client: &mut CoreClient) -> anyhow::Result<get_provider_schema::Response> {
    Ok(client.provider.get_provider_schema(get_provider_schema::Request {}).await?.into_inner())
}

#[tokio::test]
async fn core_loads_it_and_every_attribute_says_what_it_is() -> Outcome {
    fn described(path: &str, attributes: &[Attribute]) -> Outcome {
        for attribute in attributes {
            let path = format!("{path}.{}", attribute.name);
            ensure!(!attribute.description.trim().is_empty(), "{path} has no description");
            described(&path, attribute.nested_type.as_ref().map_or(&[], |nested| &nested.attributes))?;
        }
        Ok(())
    }
    let mut client = CoreClient::start().await?;
    TerraformCore::load(client.provider.clone()).await?;
    let schemas = answer(&mut client).await?;
    let provider = ("provider".to_owned(), schemas.provider.context("no provider schema")?);
    let actions =
        schemas.action_schemas.into_iter().filter_map(|(name, action)| Some((format!("action {name}"), action.schema?)));
    let prefixed = |prefix: &'static str| move |(name, schema)| (format!("{prefix} {name}"), schema);
    let others = schemas.data_source_schemas.into_iter().map(prefixed("data source"));
    let others = others.chain(schemas.ephemeral_resource_schemas.into_iter().map(prefixed("ephemeral resource")));
    let others = others.chain(schemas.list_resource_schemas.into_iter().map(prefixed("list resource"))).chain(actions);
    for (name, schema) in schemas.resource_schemas.into_iter().chain([provider]).chain(others) {
        let block = schema.block.with_context(|| format!("{name} has no block"))?;
        ensure!(!block.description.trim().is_empty(), "{name} has no description");
        described(&name, &block.attributes)?;
    }
    client.close().await?;
    Ok(())
}

#[tokio::test]
async fn every_resource_has_a_life_to_live() -> Outcome {
    entry::all(&schemas().await?)?;
    let missing = entry::Entry::of("clickpipes_later").err().context("there is one for a resource that does not exist")?;
    ensure!(
        missing.to_string().contains("add ") && missing.to_string().contains("fixtures/life/clickpipes_later.json"),
        "{missing}"
    );
    Ok(())
}

/// Terraform asks GetProviderSchema, others ask GetMetadata first.
#[tokio::test]
async fn the_metadata_name_what_the_schema_has() -> Outcome {
    let mut client = CoreClient::start().await?;
    let schema = answer(&mut client).await?;
    let metadata = client.provider.get_metadata(pb::get_metadata::Request {}).await?.into_inner();
    let sorted = |names: Vec<&String>| {
        let mut names: Vec<String> = names.into_iter().cloned().collect();
        names.sort();
        names
    };
    let named: [(&str, Vec<&String>, Vec<&String>); 6] = [
        ("resources", schema.resource_schemas.keys().collect(), metadata.resources.iter().map(|one| &one.type_name).collect()),
        (
            "data sources",
            schema.data_source_schemas.keys().collect(),
            metadata.data_sources.iter().map(|one| &one.type_name).collect(),
        ),
        (
            "ephemeral resources",
            schema.ephemeral_resource_schemas.keys().collect(),
            metadata.ephemeral_resources.iter().map(|one| &one.type_name).collect(),
        ),
        (
            "lists",
            schema.list_resource_schemas.keys().collect(),
            metadata.list_resources.iter().map(|one| &one.type_name).collect(),
        ),
        ("actions", schema.action_schemas.keys().collect(), metadata.actions.iter().map(|one| &one.type_name).collect()),
        ("functions", schema.functions.keys().collect(), metadata.functions.iter().map(|one| &one.name).collect()),
    ];
    for (what, in_schema, in_metadata) in named {
        assert_eq!(sorted(in_schema), sorted(in_metadata), "{what}");
    }
    assert_eq!(schema.server_capabilities, metadata.server_capabilities);
    client.close().await?;
    Ok(())
}

#[tokio::test]
async fn two_processes_have_the_same_one() -> Outcome {
    let (mut one, mut other) = (CoreClient::start().await?, CoreClient::start().await?);
    assert_eq!(answer(&mut one).await?, answer(&mut other).await?);
    one.close().await?;
    other.close().await?;
    Ok(())
}

/// Terraform may have it in a cache and never ask this process for it.
#[tokio::test]
async fn no_handler_waits_for_it_to_be_asked_for() -> Outcome {
    let schemas = schemas().await?;
    for (type_name, entry) in entry::all(&schemas)? {
        let client = CoreClient::start().await?;
        let mut core = TerraformCore::with_schemas(client.provider.clone(), schemas.clone());
        let subject = entry.subject(&core, &type_name)?;
        let provider = schemas.provider.object(|_| Some(acceptance_tests::core_client::Value::unknown()));
        core.configure_with(&provider).await?;
        core.validate(&type_name, &subject.create).await?;
        core.plan(&type_name, None, &subject.create, Walk::Plan(Version::V1_11)).await?;
        core.upgrade(&type_name, core.resource(&type_name)?.version, b"{}".to_vec()).await?;
        client.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_unknown_resource_type_is_a_diagnostic_of_every_rpc() -> Outcome {
    let mut client = CoreClient::start().await?;
    let type_name = "clickpipes_no_such_thing".to_owned();
    let provider = &mut client.provider;
    let request = pb::validate_resource_config::Request { type_name: type_name.clone(), ..Default::default() };
    let validated = provider.validate_resource_config(request).await?.into_inner().diagnostics;
    let request = pb::upgrade_resource_state::Request { type_name: type_name.clone(), ..Default::default() };
    let upgraded = provider.upgrade_resource_state(request).await?.into_inner().diagnostics;
    let request = pb::read_resource::Request { type_name: type_name.clone(), ..Default::default() };
    let read = provider.read_resource(request).await?.into_inner().diagnostics;
    let request = pb::plan_resource_change::Request { type_name: type_name.clone(), ..Default::default() };
    let planned = provider.plan_resource_change(request).await?.into_inner().diagnostics;
    let request = pb::apply_resource_change::Request { type_name: type_name.clone(), ..Default::default() };
    let applied = provider.apply_resource_change(request).await?.into_inner().diagnostics;
    let request = pb::import_resource_state::Request { type_name, ..Default::default() };
    let imported = provider.import_resource_state(request).await?.into_inner().diagnostics;
    for diagnostics in [validated, upgraded, read, planned, applied, imported] {
        let errors = acceptance_tests::core_client::errors(&diagnostics);
        ensure!(errors.iter().any(|error| error.contains("clickpipes_no_such_thing")), "{errors:?}");
    }
    client.close().await?;
    Ok(())
}

#[tokio::test]
async fn the_walk_reaches_nested_attributes() -> Outcome {
    let schemas = schemas().await?;
    let places: Vec<Place> = schemas.resources.values().flat_map(|schema| Place::all(&schema.attributes)).collect();
    ensure!(places.iter().any(|place| place.path().0.len() > 1), "no resource has a nested attribute any more: drop this test");
    Ok(())
}
