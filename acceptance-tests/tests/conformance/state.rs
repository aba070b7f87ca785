//! Stored states as any Terraform may pass them.

use acceptance_tests::core_client::{CoreClient, Failure, Object, TerraformCore, Type, Value, errors, message, state_json};
use anyhow::{Context as _, ensure};
use serde_json::{Map, Number, Value as Json};
use terraform_provider_clickpipes::proto::tfplugin6 as pb;

use crate::Outcome;
use crate::places::{another, some};

#[tokio::test]
async fn what_an_older_state_lacks_is_null_and_a_hostile_one_is_an_error() -> Outcome {
    let client = CoreClient::start().await?;
    let mut core = TerraformCore::load(client.provider.clone()).await?;
    for (type_name, schema) in core.schemas().resources.clone() {
        let upgraded = core.upgrade(&type_name, schema.version, b"{}".to_vec()).await?;
        assert_eq!(upgraded, schema.object(|_| None), "{type_name}");
        for json in ["{".to_owned(), "[]".to_owned(), String::new(), "[".repeat(1 << 20)] {
            let start = json[..json.len().min(8)].to_owned();
            let failure = core.upgrade(&type_name, schema.version, json.into_bytes()).await.err();
            let failure = failure.with_context(|| format!("{type_name}: {start:?}... passed"))?;
            ensure!(!failure.errors().is_empty() && !failure.to_string().contains("panicked"), "{start:?}...: {failure}");
        }
        let newer = core.upgrade(&type_name, schema.version + 1, b"{}".to_vec()).await.err();
        ensure!(newer.is_some_and(|failure| !failure.errors().is_empty()), "{type_name}: a newer state was read");
    }
    client.close().await?;
    Ok(())
}

#[tokio::test]
async fn each_attribute_is_read_as_it_was_stored() -> Outcome {
    let client = CoreClient::start().await?;
    let mut core = TerraformCore::load(client.provider.clone()).await?;
    for (type_name, schema) in core.schemas().resources.clone() {
        for attribute in schema.attributes.iter().filter(|attribute| !attribute.write_only) {
            let of = attribute.value_type();
            let exact = ["5", "0.1", "1e3", "123456789012345678901234567890", "0.1234567890123456789"];
            let stored: Vec<(Json, Value)> = match of {
                Type::Number => {
                    let read = exact.iter().map(|text| Ok((Json::Number(text.parse::<Number>()?), Value::Number(text.parse()?))));
                    read.collect::<anyhow::Result<_>>()?
                }
                ref of => vec![(state_json::encode(&some(of)), some(of)), (Json::Null, Value::Null)],
            };
            let state = |json: Json| Json::Object(Map::from_iter([(attribute.name.clone(), json)])).to_string().into_bytes();
            for (json, value) in stored {
                let upgraded = core.upgrade(&type_name, schema.version, state(json.clone())).await?;
                assert_eq!(upgraded.attribute(&attribute.name), value, "{type_name}.{} as {json}", attribute.name);
            }
            let mistyped = core.upgrade(&type_name, schema.version, state(state_json::encode(&another(&of)))).await.err();
            let named = mistyped.is_some_and(|failure| failure.errors().iter().any(|error| error.contains(&attribute.name)));
            ensure!(named, "{type_name}.{}: another type was read, or its path is not named", attribute.name);
        }
    }
    client.close().await?;
    Ok(())
}

/// A write-only value that is in a state for some reason is not passed on.
#[tokio::test]
async fn a_stored_write_only_value_is_dropped() -> Outcome {
    let client = CoreClient::start().await?;
    let mut core = TerraformCore::load(client.provider.clone()).await?;
    for (type_name, schema) in core.schemas().resources.clone() {
        for attribute in schema.attributes.iter().filter(|attribute| attribute.write_only) {
            let value = state_json::encode(&some(&attribute.value_type()));
            let state = Json::Object(Map::from_iter([(attribute.name.clone(), value)])).to_string().into_bytes();
            core.upgrade(&type_name, schema.version, state).await.with_context(|| type_name.clone())?;
        }
    }
    client.close().await?;
    Ok(())
}

/// A refresh that cannot even read its request answers with the unchanged state and private data: an absent state would mean that
/// the object is gone.
#[tokio::test]
async fn a_refresh_that_fails_keeps_state_and_private_data() -> Outcome {
    let mut client = CoreClient::start().await?;
    let core = TerraformCore::load(client.provider.clone()).await?;
    for (type_name, schema) in &core.schemas().resources {
        let broken = schema.object(|attribute| Some(another(&attribute.value_type())));
        let request = pb::read_resource::Request {
            type_name: type_name.clone(),
            current_state: Some(message(&broken)),
            private: b"private".to_vec(),
            ..Default::default()
        };
        let answer = client.provider.read_resource(request.clone()).await?.into_inner();
        ensure!(!errors(&answer.diagnostics).is_empty(), "{type_name}: it was read");
        assert_eq!((answer.new_state, answer.private), (request.current_state, request.private), "{type_name}");
    }
    client.close().await?;
    Ok(())
}

/// An apply that cannot read its request does nothing, and loses nothing.
#[tokio::test]
async fn an_apply_that_cannot_begin_keeps_the_state() -> Outcome {
    let client = CoreClient::start().await?;
    let mut core = TerraformCore::load(client.provider.clone()).await?;
    for (type_name, schema) in core.schemas().resources.clone() {
        // A bool, a number or a list does not have this type; strings do, so the first string gets a bool.
        let value = schema.object(|attribute| Some(another(&attribute.value_type())));
        let object = Object::new(value, b"private".to_vec());
        let planned = acceptance_tests::core_client::Planned {
            action: acceptance_tests::core_client::rules::action::Action::Delete,
            state: Value::Null,
            private: object.private.clone(),
            identity: None,
            warnings: Vec::new(),
        };
        let applied = core.apply(&type_name, Some(&object), &planned, &Value::Null).await;
        // The answer is what was sent, which core could not have read either.
        match applied {
            Ok(applied) => {
                let words = applied.failure.context("it was destroyed")?.to_string();
                ensure!(words.contains("cannot be decoded"), "{type_name}: {words}");
            }
            Err(Failure::Status(words)) => anyhow::bail!("{type_name}: {words}"),
            Err(failure) => return Err(failure.into()),
        }
    }
    client.close().await?;
    Ok(())
}
