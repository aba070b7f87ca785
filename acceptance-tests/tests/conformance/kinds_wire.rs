//! Data sources, ephemeral resources, lists and actions over the wire: every value at every place, invalid values, invalid types,
//! and a provider whose own configuration is not known yet.

use acceptance_tests::core_client::schema::Schema;
use acceptance_tests::core_client::{CoreClient, Failure, Kind, Refinement, TerraformCore, Value, errors, message, msgpack};
use anyhow::{Context as _, Result, ensure};
use terraform_provider_clickpipes::proto::tfplugin6::{
    self as pb, Diagnostic, DynamicValue, invoke_action::event::Type as Event,
};

use crate::Outcome;
use crate::fixture;
use crate::kinds::run;
use crate::offline::Nobody;
use crate::places::{Place, all_unknown, another, refined, some};
use crate::world::{end, schemas, unconfigured};

fn inhabitants(core: &TerraformCore) -> Vec<(Kind, String, Schema)> {
    let of_kind = |kind: Kind| core.schemas().of(kind).iter().map(move |(name, schema)| (kind, name.clone(), schema.clone()));
    Kind::ALL.into_iter().flat_map(of_kind).collect()
}

/// What every RPC that takes a configuration says about this one.
async fn every_rpc(
    core: &TerraformCore,
    kind: Kind,
    type_name: &str,
    config: &DynamicValue,
) -> Result<Vec<(&'static str, Vec<Diagnostic>)>> {
    let mut provider = core.provider();
    let (name, config) = (type_name.to_owned(), Some(config.clone()));
    Ok(match kind {
        Kind::DataSource => {
            let validate = pb::validate_data_resource_config::Request { type_name: name.clone(), config: config.clone() };
            let read = pb::read_data_source::Request { type_name: name, config, ..Default::default() };
            vec![
                ("validate", provider.validate_data_resource_config(validate).await?.into_inner().diagnostics),
                ("read", provider.read_data_source(read).await?.into_inner().diagnostics),
            ]
        }
        Kind::Ephemeral => {
            let validate = pb::validate_ephemeral_resource_config::Request { type_name: name.clone(), config: config.clone() };
            let open = pb::open_ephemeral_resource::Request { type_name: name, config, ..Default::default() };
            vec![
                ("validate", provider.validate_ephemeral_resource_config(validate).await?.into_inner().diagnostics),
                ("open", provider.open_ephemeral_resource(open).await?.into_inner().diagnostics),
            ]
        }
        Kind::List => {
            let validate = pb::validate_list_resource_config::Request {
                type_name: name.clone(),
                config: config.clone(),
                ..Default::default()
            };
            let list = pb::list_resource::Request { type_name: name, config, limit: 10, ..Default::default() };
            let validated = provider.validate_list_resource_config(validate).await?.into_inner().diagnostics;
            let mut stream = provider.list_resource(list).await?.into_inner();
            let mut listed = Vec::new();
            while let Some(event) = stream.message().await? {
                listed.extend(event.diagnostic);
            }
            vec![("validate", validated), ("list", listed)]
        }
        Kind::Action => {
            let validate = pb::validate_action_config::Request { type_name: name.clone(), config: config.clone() };
            let plan = pb::plan_action::Request { action_type: name.clone(), config: config.clone(), ..Default::default() };
            let invoke = pb::invoke_action::Request { action_type: name, config, ..Default::default() };
            let validated = provider.validate_action_config(validate).await?.into_inner().diagnostics;
            let planned = provider.plan_action(plan).await?.into_inner().diagnostics;
            let mut stream = provider.invoke_action(invoke).await?.into_inner();
            let mut invoked = Vec::new();
            while let Some(event) = stream.message().await? {
                if let Some(Event::Completed(end)) = event.r#type {
                    invoked.extend(end.diagnostics);
                }
            }
            vec![("validate", validated), ("plan", planned), ("invoke", invoked)]
        }
    })
}

#[tokio::test]
async fn each_of_a_kind_is_tried_on_something() -> Outcome {
    let schemas = schemas().await?;
    for kind in Kind::ALL {
        fixture::of_kind(&schemas, kind)?;
    }
    fixture::of_functions(&schemas)?;
    Ok(())
}

#[tokio::test]
async fn a_configuration_of_unknowns_is_valid() -> Outcome {
    let (client, mut core) = unconfigured().await?;
    for (kind, type_name, schema) in inhabitants(&core) {
        for unknown in [Value::unknown(), Value::Unknown(Refinement::not_null())] {
            let config = schema.object(|attribute| attribute.is_argument().then(|| unknown.clone()));
            core.validate_of(kind, &type_name, message(&config)).await.with_context(|| kind.address(&type_name))?;
            if kind == Kind::Action {
                core.plan_action(&type_name, &config).await?;
            }
        }
    }
    end(client).await
}

#[tokio::test]
async fn each_argument_may_be_unknown_refined_known_or_null() -> Outcome {
    let (client, mut core) = unconfigured().await?;
    for (kind, type_name, schema) in inhabitants(&core) {
        for place in Place::all(&schema.attributes) {
            let of = place.argument.value_type();
            let unknown = refined(&of).into_iter().chain([Value::unknown()]).map(|value| (value, false));
            for (value, is_known) in unknown.chain([(some(&of), true), (Value::Null, true)]) {
                let place_of = || format!("{}.{} as {value:?}", kind.address(&type_name), place.name());
                let config = place.with(&schema.attributes, value.clone());
                match core.validate_of(kind, &type_name, message(&config)).await {
                    Ok(_) => {}
                    // A value that makes no sense may be refused, but with the provider's own message.
                    Err(Failure::Refused(said)) if is_known => {
                        let said = errors(&said);
                        ensure!(!said.iter().any(|error| error.contains("Cannot decode")), "{}: {said:?}", place_of());
                    }
                    Err(failure) => return Err(failure).with_context(place_of),
                }
            }
        }
    }
    end(client).await
}

#[tokio::test]
async fn a_value_of_another_type_is_refused_with_its_path_by_every_rpc() -> Outcome {
    let (client, core) = unconfigured().await?;
    for (kind, type_name, schema) in inhabitants(&core) {
        for place in Place::all(&schema.attributes) {
            let config = place.with(&schema.attributes, another(&place.argument.value_type()));
            for (rpc, said) in every_rpc(&core, kind, &type_name, &message(&config)).await? {
                let unread =
                    |error: &String| error.contains("Cannot decode a value sent by Terraform") && error.contains(&place.name());
                let said = errors(&said);
                ensure!(said.iter().any(unread), "{rpc} {}.{}: {said:?}", kind.address(&type_name), place.name());
            }
        }
    }
    end(client).await
}

#[tokio::test]
async fn a_truncated_or_hostile_value_is_an_error_of_every_rpc_and_the_provider_lives_on() -> Outcome {
    let (client, core) = unconfigured().await?;
    for (kind, type_name, schema) in inhabitants(&core) {
        let whole = msgpack::encode(&all_unknown(&schema.attributes));
        let truncated = (1..whole.len()).map(|length| whole[..length].to_vec());
        let hostile = [
            vec![0xdf, 0xff, 0xff, 0xff, 0xff],
            vec![0xc6, 0xff, 0xff, 0xff, 0xff],
            vec![0x91; 1 << 20],
            vec![0x81; 1 << 20],
            vec![0xc1],
            [whole.as_slice(), &[0xc0]].concat(),
        ];
        for msgpack in truncated.chain(hostile) {
            let start = msgpack[..msgpack.len().min(32)].to_vec();
            for (rpc, said) in every_rpc(&core, kind, &type_name, &DynamicValue { msgpack, json: Vec::new() }).await? {
                let said = errors(&said);
                let told = !said.is_empty() && !said.iter().any(|error| error.contains("panicked"));
                ensure!(told, "{rpc} {}: {start:02x?}...: {said:?}", kind.address(&type_name));
            }
        }
    }
    end(client).await
}

/// Core sends neither to a validation; other clients may send them as values, which may be unknown.
#[tokio::test]
async fn a_list_is_validated_with_whatever_limit() -> Outcome {
    let (client, core) = unconfigured().await?;
    for (type_name, schema) in &core.schemas().list_resources {
        let config = message(&all_unknown(&schema.attributes));
        let some_limit = [Value::Number(5.into()), Value::unknown(), Value::Null];
        let some_include = [Value::Bool(true), Value::unknown(), Value::Null];
        for (limit, include) in some_limit.iter().zip(&some_include) {
            let request = pb::validate_list_resource_config::Request {
                type_name: type_name.clone(),
                config: Some(config.clone()),
                include_resource_object: Some(message(include)),
                limit: Some(message(limit)),
            };
            let said = core.provider().validate_list_resource_config(request).await?.into_inner().diagnostics;
            ensure!(errors(&said).is_empty(), "{type_name}: {said:?}");
        }
    }
    end(client).await
}

#[tokio::test]
async fn an_unknown_type_is_a_diagnostic_of_every_rpc() -> Outcome {
    let name = "clickpipes_no_such_thing";
    let (client, core) = unconfigured().await?;
    for kind in Kind::ALL {
        if core.schemas().of(kind).is_empty() {
            continue;
        }
        let mut answers = every_rpc(&core, kind, name, &DynamicValue::default()).await?;
        if kind == Kind::Ephemeral {
            let mut provider = core.provider();
            let renew = pb::renew_ephemeral_resource::Request { type_name: name.to_owned(), private: None };
            answers.push(("renew", provider.renew_ephemeral_resource(renew).await?.into_inner().diagnostics));
            let close = pb::close_ephemeral_resource::Request { type_name: name.to_owned(), private: None };
            answers.push(("close", provider.close_ephemeral_resource(close).await?.into_inner().diagnostics));
        }
        for (rpc, said) in answers {
            let said = errors(&said);
            ensure!(said.iter().any(|error| error.contains(name)), "{rpc} of a {}: {said:?}", kind.words());
        }
    }
    end(client).await
}

/// The private data of an ephemeral resource comes back from Terraform only. No content of it may end the process.
#[tokio::test]
async fn private_data_of_somebody_else_end_nothing() -> Outcome {
    let (client, core) = unconfigured().await?;
    for type_name in core.schemas().ephemeral_resources.keys() {
        for private in [None, Some(Vec::new()), Some(b"{".to_vec()), Some(vec![0xff; 1 << 16])] {
            let mut provider = core.provider();
            let renew = pb::renew_ephemeral_resource::Request { type_name: type_name.clone(), private: private.clone() };
            let renewed = provider.renew_ephemeral_resource(renew).await?.into_inner().diagnostics;
            let close = pb::close_ephemeral_resource::Request { type_name: type_name.clone(), private };
            let closed = provider.close_ephemeral_resource(close).await?.into_inner().diagnostics;
            let said = [errors(&renewed), errors(&closed)].concat();
            ensure!(!said.iter().any(|error| error.contains("panicked")), "{type_name}: {said:?}");
        }
    }
    end(client).await
}

/// If the provider's configuration is not known yet, core reads data sources and opens ephemeral resources as usual, and accepts
/// an error, or a result that needs no connection; it must be possible to plan an action.
#[tokio::test]
async fn nothing_is_dialled_before_the_configuration_is_known() -> Outcome {
    let nobody = Nobody::listens()?;
    let client = CoreClient::start_with_env(nobody.environment()).await?;
    let mut core = TerraformCore::load(client.provider.clone()).await?;
    let provider = core.schemas().provider.clone();
    for unknown in [Value::unknown(), Value::Unknown(Refinement::not_null())] {
        core.configure_with(&provider.object(|_| Some(unknown.clone()))).await?;
        for kind in Kind::ALL {
            for (type_name, fixture) in fixture::of_kind(&core.schemas().clone(), kind)? {
                for arguments in &fixture.works {
                    let of = || format!("{} with {arguments}", kind.address(&type_name));
                    let config = core.schemas().configuration_of(kind, &type_name, arguments)?;
                    core.validate_of(kind, &type_name, message(&config)).await.with_context(of)?;
                    if kind == Kind::Action {
                        core.plan_action(&type_name, &config).await.with_context(of)?;
                    }
                    match run(&mut core, kind, &type_name, &config).await {
                        Ok(()) | Err(Failure::Refused(_)) => {}
                        Err(failure) => return Err(failure).with_context(of),
                    }
                    ensure!(!nobody.was_dialled()?, "{}: somebody was dialled", of());
                }
            }
        }
    }
    end(client).await
}

/// Terraform may have the schema from a cache, and validates before it configures.
#[tokio::test]
async fn no_validation_waits_for_the_schema_or_the_configuration() -> Outcome {
    let schemas = schemas().await?;
    for kind in Kind::ALL {
        for (type_name, fixture) in fixture::of_kind(&schemas, kind)? {
            let client = CoreClient::start().await?;
            let mut core = TerraformCore::with_schemas(client.provider.clone(), schemas.clone());
            for arguments in &fixture.works {
                let config = schemas.configuration_of(kind, &type_name, arguments)?;
                core.validate_of(kind, &type_name, message(&config)).await.with_context(|| kind.address(&type_name))?;
            }
            end(client).await?;
        }
    }
    Ok(())
}
