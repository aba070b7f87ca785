//! Broken messages for every RPC of every kind. Nothing is configured, so no server is called; a panic would be returned as a
//! diagnostic that says so.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use tonic::Request;

use super::handler::{ACTIONS, DATA_SOURCES, EPHEMERALS, FUNCTIONS, LISTS, Named};
use super::*;
use crate::proto::tfplugin6::provider_server::Provider;
use crate::terraform::{Type, Value};
use crate::wire::dynamic_value;
use crate::wire::tests::mutate::{Dice, cases, mutate};

/// A value of the type, with an unknown, an absent and an awkward part.
fn sample(of: &Type, dice: &mut Dice) -> Value {
    const TEXTS: [&str; 12] =
        ["", "a", "sales.orders", "\"a\".\"b\"", "10m", "writer", "insert", ".", "\u{0}", "ü", "-1s", "iam/ü"];
    match (dice.below(12), of) {
        (0, _) => Value::Null,
        (1, _) => Value::Unknown,
        (_, Type::Bool) => Value::Bool(dice.below(2) > 0),
        (_, Type::Number) => match dice.below(4) {
            0 => Value::Number("1e300".parse().unwrap()),
            1 => Value::Number("-0.5".parse().unwrap()),
            _ => Value::from(5432),
        },
        (_, Type::String) => Value::from(TEXTS[dice.below(TEXTS.len())]),
        (_, Type::List(of) | Type::Set(of)) => Value::List((0..dice.below(4)).map(|_| sample(of, dice)).collect()),
        (_, Type::Map(of)) => {
            Value::Map((0..dice.below(3)).map(|_| (TEXTS[dice.below(TEXTS.len())].to_owned(), sample(of, dice))).collect())
        }
        // Functions have their own.
        (_, Type::Tuple(_) | Type::Dynamic) => Value::Null,
        (_, Type::Object(attributes)) => {
            Value::Map(attributes.iter().map(|(name, of)| (name.clone(), sample(of, dice))).collect::<BTreeMap<_, _>>())
        }
    }
}

/// A value as a message; every second one is broken.
fn message(of: &Type, dice: &mut Dice) -> Option<proto::DynamicValue> {
    let mut message = dynamic_value::encode(&sample(of, dice));
    if dice.below(2) > 0 {
        message.msgpack = mutate(&message.msgpack, dice);
    }
    Some(message)
}

/// The request as it arrives: whole, broken but readable, or not at all.
fn arrive<M: prost::Message + Default>(request: M, dice: &mut Dice) -> Option<Request<M>> {
    let request = if dice.below(3) == 0 { M::decode(&mutate(&request.encode_to_vec(), dice)[..]).ok()? } else { request };
    Some(Request::new(request))
}

/// Any handler of a kind.
fn any<H: Named + ?Sized>(all: &'static [&'static H], dice: &mut Dice) -> &'static H {
    all[dice.below(all.len())]
}

/// What the provider says to one request about anything but a resource.
async fn answer_of_others(service: &ProviderService, dice: &mut Dice) -> Option<Vec<proto::Diagnostic>> {
    Some(match dice.below(6) {
        0 => {
            let handler = any(DATA_SOURCES, dice);
            let config = message(&handler.schema().value_type(), dice);
            let request = proto::read_data_source::Request { type_name: handler.name().to_owned(), config, ..Default::default() };
            service.read_data_source(arrive(request, dice)?).await.unwrap().into_inner().diagnostics
        }
        1 => {
            let handler = any(EPHEMERALS, dice);
            let config = message(&handler.schema().value_type(), dice);
            let request =
                proto::open_ephemeral_resource::Request { type_name: handler.name().to_owned(), config, ..Default::default() };
            service.open_ephemeral_resource(arrive(request, dice)?).await.unwrap().into_inner().diagnostics
        }
        2 => {
            let handler = any(FUNCTIONS, dice);
            let parameters = handler.declaration().parameters;
            let arguments = parameters.iter().filter_map(|parameter| message(&parameter.of, dice)).collect();
            let request = proto::call_function::Request { name: handler.name().to_owned(), arguments };
            let error = service.call_function(arrive(request, dice)?).await.unwrap().into_inner().error;
            let said = |error: proto::FunctionError| proto::Diagnostic { summary: error.text, ..Default::default() };
            error.map(said).into_iter().collect()
        }
        3 => {
            let handler = any(LISTS, dice);
            let config = message(&handler.schema().value_type(), dice);
            let limit = [0, 1, -1, i64::MAX][dice.below(4)];
            let type_name = handler.name().to_owned();
            let request = proto::list_resource::Request { type_name, config, include_resource_object: dice.below(2) > 0, limit };
            let events = service.list_resource(arrive(request, dice)?).await.unwrap().into_inner();
            events.flat_map(|event| tokio_stream::iter(event.unwrap().diagnostic)).collect().await
        }
        4 => {
            let handler = any(ACTIONS, dice);
            let config = message(&handler.schema().value_type(), dice);
            let request = proto::invoke_action::Request { action_type: handler.name().to_owned(), config, ..Default::default() };
            let events = service.invoke_action(arrive(request, dice)?).await.unwrap().into_inner();
            let events: Vec<_> = events.map(Result::unwrap).collect().await;
            let Some(proto::invoke_action::event::Type::Completed(done)) = events.last().and_then(|event| event.r#type.clone())
            else {
                panic!("it never ends: {events:?}")
            };
            done.diagnostics
        }
        _ => {
            let json = mutate(br#"{"name":"a","database":"b","cluster_identifier":null}"#, dice);
            let raw_identity = Some(proto::RawState { json, ..Default::default() });
            let type_name = any(handler::RESOURCES, dice).name().to_owned();
            let request = proto::upgrade_resource_identity::Request { type_name, version: 0, raw_identity };
            service.upgrade_resource_identity(arrive(request, dice)?).await.unwrap().into_inner().diagnostics
        }
    })
}

/// What the provider says to one request.
async fn answer(service: &ProviderService, dice: &mut Dice) -> Option<Vec<proto::Diagnostic>> {
    if dice.below(3) == 0 {
        return answer_of_others(service, dice).await;
    }
    let handler = any(handler::RESOURCES, dice);
    let type_name = handler.name().to_owned();
    let of = &handler.schema().value_type();
    let identity = |dice: &mut Dice| {
        let of = crate::terraform::Schema { version: 0, description: String::new(), attributes: handler.identity_schema().1 };
        Some(proto::ResourceIdentityData { identity_data: message(&of.value_type(), dice) }).filter(|_| dice.below(2) > 0)
    };
    let private = mutate(br#"{"operations":[],"observed":null}"#, dice);
    Some(match dice.below(8) {
        0 => {
            let request = proto::validate_resource_config::Request { type_name, config: message(of, dice), ..Default::default() };
            service.validate_resource_config(arrive(request, dice)?).await.unwrap().into_inner().diagnostics
        }
        1 | 2 => {
            let request = proto::plan_resource_change::Request {
                type_name,
                prior_state: message(of, dice),
                proposed_new_state: message(of, dice),
                config: message(of, dice),
                prior_private: private,
                prior_identity: identity(dice),
                ..Default::default()
            };
            service.plan_resource_change(arrive(request, dice)?).await.unwrap().into_inner().diagnostics
        }
        3 => {
            let request = proto::apply_resource_change::Request {
                type_name,
                prior_state: message(of, dice),
                planned_state: message(of, dice),
                config: message(of, dice),
                planned_private: private,
                planned_identity: identity(dice),
                ..Default::default()
            };
            service.apply_resource_change(arrive(request, dice)?).await.unwrap().into_inner().diagnostics
        }
        4 => {
            let request = proto::read_resource::Request {
                type_name,
                current_state: message(of, dice),
                private,
                current_identity: identity(dice),
                ..Default::default()
            };
            service.read_resource(arrive(request, dice)?).await.unwrap().into_inner().diagnostics
        }
        5 => {
            let json = mutate(br#"{"name":"a","tables":["x.y"],"timeouts":{"create":"5m"},"port":5432,"ready":true}"#, dice);
            let raw_state = Some(proto::RawState { json, ..Default::default() });
            let request = proto::upgrade_resource_state::Request { type_name, version: 0, raw_state };
            service.upgrade_resource_state(arrive(request, dice)?).await.unwrap().into_inner().diagnostics
        }
        6 => {
            let config = message(&crate::provider::schema().value_type(), dice);
            let request = proto::validate_provider_config::Request { config };
            service.validate_provider_config(arrive(request, dice)?).await.unwrap().into_inner().diagnostics
        }
        _ => {
            let id = String::from_utf8_lossy(&mutate("\"shop\"/clickpipes".as_bytes(), dice)).into_owned();
            let request = proto::import_resource_state::Request { type_name, id, identity: identity(dice), ..Default::default() };
            service.import_resource_state(arrive(request, dice)?).await.unwrap().into_inner().diagnostics
        }
    })
}

#[tokio::test]
async fn no_broken_request_makes_a_handler_panic() {
    let service = ProviderService::new();
    let mut dice = Dice::new(3);
    let mut answered = 0_u64;
    for case in 0..cases(20_000) {
        let Some(diagnostics) = answer(&service, &mut dice).await else { continue };
        let bug = diagnostics
            .iter()
            .find(|diagnostic| diagnostic.summary.contains("panicked") || diagnostic.summary == "Bug in the provider");
        assert!(bug.is_none(), "case {case}: {bug:?}");
        answered += u64::from(diagnostics.is_empty());
    }
    assert!(answered > 0, "only hopeless cases");
}
