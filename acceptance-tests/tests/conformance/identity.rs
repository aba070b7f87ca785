//! Identities beyond the lives of their resources, which check them at each step: their schema, and messages that no client
//! should send.

use acceptance_tests::core_client::{CoreClient, Failure, Value, errors, message, msgpack, state_json};
use anyhow::{Context as _, ensure};
use terraform_provider_clickpipes::proto::tfplugin6::{self as pb, DynamicValue, ResourceIdentityData};

use crate::Outcome;
use crate::places::{another, some};
use crate::world::{end, unconfigured};

#[tokio::test]
async fn every_attribute_of_an_identity_says_what_it_is_and_two_processes_agree() -> Outcome {
    let mut answers = Vec::new();
    for _ in 0..2 {
        let mut client = CoreClient::start().await?;
        let request = pb::get_resource_identity_schemas::Request {};
        answers.push(client.provider.get_resource_identity_schemas(request).await?.into_inner());
        client.close().await?;
    }
    assert_eq!(answers[0], answers[1]);
    for (type_name, schema) in &answers[0].identity_schemas {
        for attribute in &schema.identity_attributes {
            ensure!(!attribute.description.trim().is_empty(), "{type_name}: {} has no description", attribute.name);
        }
    }
    Ok(())
}

/// Core only asks for an upgrade of earlier versions. The current version is returned unchanged, and an unreadable one is an
/// error.
#[tokio::test]
async fn a_stored_identity_is_read_and_a_hostile_one_is_an_error() -> Outcome {
    let (client, mut core) = unconfigured().await?;
    for (type_name, schema) in core.schemas().identities.clone() {
        let identity = schema.object(|attribute| Some(some(&attribute.value_type())));
        let json = state_json::encode(&identity).to_string().into_bytes();
        let upgraded =
            core.upgrade_identity(&type_name, schema.version, json.clone()).await.with_context(|| type_name.clone())?;
        assert_eq!(upgraded, identity, "{type_name}");
        let mistyped = state_json::encode(&schema.object(|attribute| Some(another(&attribute.value_type()))));
        let hostile = ["{".to_owned(), "[]".to_owned(), String::new(), "[".repeat(1 << 20), mistyped.to_string()];
        for json in hostile {
            let start = json[..json.len().min(8)].to_owned();
            let failure = core.upgrade_identity(&type_name, schema.version, json.into_bytes()).await.err();
            let failure = failure.with_context(|| format!("{type_name}: {start:?}... passed"))?;
            ensure!(!failure.errors().is_empty() && !failure.to_string().contains("panicked"), "{start:?}...: {failure}");
        }
        let newer = core.upgrade_identity(&type_name, schema.version + 1, json).await.err();
        ensure!(newer.is_some_and(|failure| !failure.errors().is_empty()), "{type_name}: a newer identity was read");
    }
    if !core.schemas().identities.is_empty() {
        let request =
            pb::upgrade_resource_identity::Request { type_name: "clickpipes_no_such_thing".to_owned(), ..Default::default() };
        let said = core.provider().upgrade_resource_identity(request).await?.into_inner().diagnostics;
        ensure!(errors(&said).iter().any(|error| error.contains("clickpipes_no_such_thing")), "{said:?}");
    }
    end(client).await
}

#[tokio::test]
async fn an_import_by_no_identity_is_refused() -> Outcome {
    let (client, mut core) = unconfigured().await?;
    for (type_name, schema) in core.schemas().identities.clone() {
        let mistyped = schema.object(|attribute| Some(another(&attribute.value_type())));
        let missing = schema.object(|_| None);
        for identity in [mistyped, missing] {
            let failure = core.import_by_identity(&type_name, &identity).await.err();
            let failure = failure.with_context(|| format!("{type_name}: {identity:?} was imported"))?;
            ensure!(matches!(failure, Failure::Refused(_)), "{type_name}: {failure}");
        }
        let request = pb::import_resource_state::Request { type_name: type_name.clone(), ..Default::default() };
        let said = core.provider().import_resource_state(request).await?.into_inner().diagnostics;
        ensure!(!errors(&said).is_empty(), "{type_name}: imported by nothing at all");
    }
    end(client).await
}

/// A provider need not check what it returned itself, but nothing in it may end the process, and the state stays unchanged.
#[tokio::test]
async fn an_identity_that_cannot_be_read_ends_nothing() -> Outcome {
    let (client, core) = unconfigured().await?;
    for (type_name, identity_schema) in &core.schemas().identities {
        let schema = core.resource(type_name)?;
        let mistyped = msgpack_of(&identity_schema.object(|attribute| Some(another(&attribute.value_type()))));
        for msgpack in [mistyped, vec![0xc1], vec![0x91; 1 << 20], Vec::new()] {
            let identity = Some(ResourceIdentityData { identity_data: Some(DynamicValue { msgpack, json: Vec::new() }) });
            let state = Some(message(&schema.object(|_| None)));
            let read = pb::read_resource::Request {
                type_name: type_name.clone(),
                current_state: state.clone(),
                current_identity: identity.clone(),
                ..Default::default()
            };
            let read = core.provider().read_resource(read).await?.into_inner();
            let left = read.new_state.with_context(|| format!("{type_name}: the answer has no state"))?;
            let left = msgpack::decode(&left.msgpack, &schema.value_type()).map_err(anyhow::Error::msg)?;
            assert_eq!(left, schema.object(|_| None), "{type_name}");
            let plan = pb::plan_resource_change::Request {
                type_name: type_name.clone(),
                prior_state: state.clone(),
                prior_identity: identity.clone(),
                ..Default::default()
            };
            let planned = core.provider().plan_resource_change(plan).await?.into_inner();
            let said = [errors(&read.diagnostics), errors(&planned.diagnostics)].concat();
            ensure!(!said.iter().any(|error| error.contains("panicked")), "{type_name}: {said:?}");
        }
    }
    end(client).await
}

fn msgpack_of(identity: &Value) -> Vec<u8> {
    message(identity).msgpack
}
