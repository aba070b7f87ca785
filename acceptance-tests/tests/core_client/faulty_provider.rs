//! A provider with one small resource in memory, one inhabitant of every other kind, and at most one fault.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use acceptance_tests::core_client::{
    Refinement, TerraformCore, Value, connect_over, message, msgpack, schema::Schema, state_json,
};
use anyhow::Result;
use terraform_provider_clickpipes::proto::tfplugin6::{
    self as pb, Diagnostic, DynamicValue, attribute_path::Step, attribute_path::step::Selector, diagnostic::Severity,
    provider_client::ProviderClient, provider_server::ProviderServer, schema::Attribute, schema::object::NestingMode,
};
use tokio::net::UnixStream;
use tonic::codegen::tokio_stream::{self, StreamExt as _};
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use super::fault::Fault;
use super::{identity_answers, inhabitants};

/// The resource.
pub const THING: &str = "test_thing";

/// The service.
pub struct FaultyProvider {
    fault: Option<Fault>,
    schema: Schema,
    thing: Mutex<Option<Value>>,
    called: AtomicBool,
}

/// Starts a provider with this fault, and core with it.
pub async fn core(fault: Option<Fault>) -> Result<TerraformCore> {
    let (ours, its) = UnixStream::pair()?;
    let schema = Schema::decode(&thing_schema()).map_err(anyhow::Error::msg)?;
    let service = FaultyProvider { fault, schema, thing: Mutex::new(None), called: AtomicBool::new(false) };
    let service = ProviderServer::new(service);
    let incoming = tokio_stream::iter([Ok::<_, io::Error>(its)]).chain(tokio_stream::pending());
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    Ok(TerraformCore::load(ProviderClient::new(connect_over(ours).await?)).await?)
}

fn thing_schema() -> pb::Schema {
    let plain = |name: &str, of: &str| Attribute { name: name.to_owned(), r#type: of.as_bytes().to_vec(), ..Default::default() };
    let text = |name| plain(name, "\"string\"");
    let member = pb::schema::Object {
        attributes: vec![Attribute { required: true, ..text("name") }, Attribute { computed: true, ..text("id") }],
        nesting: NestingMode::List.into(),
        ..Default::default()
    };
    let option = pb::schema::Object {
        attributes: vec![Attribute { required: true, ..text("filter") }],
        nesting: NestingMode::Map.into(),
        ..Default::default()
    };
    let attributes = vec![
        Attribute { required: true, ..text("name") },
        Attribute { optional: true, ..plain("size", "\"number\"") },
        Attribute { optional: true, computed: true, ..text("owner") },
        Attribute { optional: true, sensitive: true, ..text("key") },
        Attribute { optional: true, write_only: true, ..text("password_wo") },
        Attribute { optional: true, nested_type: Some(member), ..plain("members", "") },
        Attribute { computed: true, ..text("id") },
        Attribute { optional: true, nested_type: Some(option), ..plain("options", "") },
        Attribute { optional: true, ..plain("tables", r#"["list","string"]"#) },
        Attribute { optional: true, ..plain("tags", r#"["map","string"]"#) },
        Attribute { optional: true, ..plain("publish", r#"["set","string"]"#) },
    ];
    pb::Schema { version: 0, block: Some(pb::schema::Block { attributes, ..Default::default() }) }
}

impl FaultyProvider {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn thing(&self) -> MutexGuard<'_, Option<Value>> {
        self.thing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn value(&self, message: Option<&DynamicValue>) -> Value {
        message.map_or(Value::Null, |message| msgpack::decode(&message.msgpack, &self.schema.value_type()).unwrap())
    }

    /// The plan of a create or an update: the proposal, with the id unknown until the object exists.
    fn plan(&self, prior: &Value, config: &Value, proposed: &Value) -> Value {
        let mut planned = proposed.with("password_wo", Value::Null);
        if let Value::List(members) = planned.attribute("members") {
            let with_id =
                |member: Value| if member.attribute("id").is_null() { member.with("id", Value::unknown()) } else { member };
            planned = planned.with("members", Value::List(members.into_iter().map(with_id).collect()));
        }
        if planned.attribute("owner").is_null() {
            planned = planned.with("owner", Value::text("admin"));
        }
        if prior.is_null() {
            planned = planned.with("id", Value::Unknown(Refinement { prefix: Some("id-".to_owned()), ..Refinement::not_null() }));
        }
        match self.fault {
            Some(Fault::PlansAnotherValue) => planned.with("name", Value::text("other")),
            Some(Fault::PlansAnotherValueThanBefore)
                if prior.attribute("name") != config.attribute("name") && !prior.is_null() =>
            {
                planned.with("name", Value::text("other"))
            }
            Some(Fault::PlansWhatIsNotConfigured) if config.attribute("size").is_null() => {
                planned.with("size", Value::Number(7.into()))
            }
            Some(Fault::PlansAnotherSecret) => planned.with("key", Value::text("other")),
            Some(Fault::PlansAnotherSecretThanBefore)
                if !prior.is_null() && prior.attribute("key") != config.attribute("key") =>
            {
                planned.with("key", Value::text("other"))
            }
            Some(Fault::PlansASecretThatIsNotConfigured) if config.attribute("key").is_null() => {
                planned.with("key", Value::text("other"))
            }
            Some(Fault::PlansNoMembers) => planned.with("members", Value::Null),
            Some(Fault::PlansOtherKeys) => {
                let Value::Map(options) = planned.attribute("options") else { unreachable!() };
                let renamed = options.into_values().map(|option| ("renamed".to_owned(), option));
                planned.with("options", Value::Map(renamed.collect()))
            }
            Some(Fault::PlansFewerMembers) => planned.with("members", Value::List(Vec::new())),
            Some(Fault::PlansUnknownMembers) => planned.with("members", Value::unknown()),
            Some(Fault::PlansWriteOnly) => planned.with("password_wo", config.attribute("password_wo")),
            Some(Fault::PlansAbsence) => Value::Null,
            Some(Fault::PlansAgain) => planned.with("owner", Value::unknown()),
            _ => planned,
        }
    }

    /// What exists after an apply.
    fn make(&self, planned: &Value) -> Value {
        let made = planned.map_unknown(&|| Value::text("id-1"));
        let made = match self.fault {
            Some(Fault::PlansAgain) => made.with("owner", Value::text("admin")),
            _ => made,
        };
        *self.thing() = Some(made.clone());
        match self.fault {
            Some(Fault::AppliesAnotherValue) => made.with("size", Value::Number(42.into())),
            Some(Fault::AppliesAnotherSecret) => made.with("key", Value::text("other")),
            Some(Fault::AppliesNull) => made.with("tables", Value::Null),
            Some(Fault::AppliesFewerTables) => made.with("tables", Value::List(Vec::new())),
            Some(Fault::AppliesMoreTables) => made.with("tables", Value::List(vec![Value::text("t"), Value::text("u")])),
            Some(Fault::AppliesAnotherTag) => {
                let tags = [("other".to_owned(), Value::text("v"))];
                made.with("tags", Value::Map(tags.into()))
            }
            Some(Fault::AppliesAnotherMember) => {
                let member = [("name".to_owned(), Value::text("b")), ("id".to_owned(), Value::text("id-1"))];
                made.with("members", Value::List(vec![Value::Object(member.into())]))
            }
            Some(Fault::AppliesMorePublished) => {
                made.with("publish", Value::set(vec![Value::text("insert"), Value::text("update")]))
            }
            Some(Fault::AppliesOthersPublished) => made.with("publish", Value::set(vec![Value::text("update")])),
            Some(Fault::BreaksAPromise) => made.with("id", Value::text("1")),
            Some(Fault::LeavesUnknown) => made.with("id", Value::unknown()),
            Some(Fault::AppliesWriteOnly) => made.with("password_wo", Value::text("hunter2")),
            Some(Fault::AppliesNothing) => Value::Null,
            _ => made,
        }
    }

    /// The answer of a step after it was tampered with.
    fn tampered(&self, value: Value, unknown: Fault, write_only: Fault, another: Fault) -> Value {
        match self.fault {
            Some(fault) if fault == unknown => value.with("id", Value::unknown()),
            Some(fault) if fault == write_only => value.with("password_wo", Value::text("hunter2")),
            Some(fault) if fault == another => value.with("size", Value::Number(42.into())),
            _ => value,
        }
    }
}

fn error(summary: &str) -> Vec<Diagnostic> {
    vec![Diagnostic { severity: Severity::Error.into(), summary: summary.to_owned(), ..Default::default() }]
}

fn deferred(defers: bool) -> Option<pb::Deferred> {
    defers.then(pb::Deferred::default)
}

/// The RPCs that the client never calls.
macro_rules! not_called {
    ($($method:ident: $module:ident),+ $(,)?) => {
        $( fn $method<'life, 'future>(&'life self, _: Request<pb::$module::Request>)
            -> std::pin::Pin<Box<dyn Future<Output = Result<Response<pb::$module::Response>, Status>> + Send + 'future>>
        where 'life: 'future, Self: 'future {
            Box::pin(async { Err(Status::unimplemented(stringify!($method))) })
        } )+
    };
}

#[tonic::async_trait]
impl pb::provider_server::Provider for FaultyProvider {
    async fn get_provider_schema(
        &self,
        _: Request<pb::get_provider_schema::Request>,
    ) -> Result<Response<pb::get_provider_schema::Response>, Status> {
        let mut schema = thing_schema();
        if self.has(Fault::SchemaTypedTwice)
            && let Some(block) = &mut schema.block
        {
            block.attributes[5].r#type = br#"["list","string"]"#.to_vec();
        }
        let provider = pb::Schema { block: Some(pb::schema::Block::default()), ..Default::default() };
        let mut offered = pb::get_provider_schema::Response {
            provider: Some(provider).filter(|_| !self.has(Fault::SchemaMissing)),
            resource_schemas: [(THING.to_owned(), schema)].into(),
            ..Default::default()
        };
        inhabitants::offer(self.fault, &mut offered);
        Ok(Response::new(offered))
    }

    async fn get_resource_identity_schemas(
        &self,
        _: Request<pb::get_resource_identity_schemas::Request>,
    ) -> Result<Response<pb::get_resource_identity_schemas::Response>, Status> {
        identity_answers::schemas(self.fault).map(Response::new)
    }

    async fn get_functions(
        &self,
        _: Request<pb::get_functions::Request>,
    ) -> Result<Response<pb::get_functions::Response>, Status> {
        let functions = if self.has(Fault::FunctionsDiffer) { Default::default() } else { inhabitants::functions(self.fault) };
        Ok(Response::new(pb::get_functions::Response { functions, ..Default::default() }))
    }

    async fn validate_provider_config(
        &self,
        _: Request<pb::validate_provider_config::Request>,
    ) -> Result<Response<pb::validate_provider_config::Response>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn configure_provider(
        &self,
        _: Request<pb::configure_provider::Request>,
    ) -> Result<Response<pb::configure_provider::Response>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn validate_resource_config(
        &self,
        _: Request<pb::validate_resource_config::Request>,
    ) -> Result<Response<pb::validate_resource_config::Response>, Status> {
        let diagnostics = match self.fault {
            Some(Fault::SeverityMissing) => vec![Diagnostic { summary: "Nobody sees this".to_owned(), ..Default::default() }],
            Some(Fault::Refuses) => error("No such thing"),
            _ => Vec::new(),
        };
        Ok(Response::new(pb::validate_resource_config::Response { diagnostics }))
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<pb::upgrade_resource_state::Request>,
    ) -> Result<Response<pb::upgrade_resource_state::Response>, Status> {
        let json = serde_json::from_slice(&request.into_inner().raw_state.unwrap_or_default().json).unwrap();
        let stored = state_json::decode(&json, &self.schema.value_type(), state_json::Missing::IsNull).unwrap();
        let value = self.tampered(stored, Fault::UpgradesToUnknown, Fault::UpgradesToWriteOnly, Fault::UpgradesToAnotherValue);
        let upgraded_state = Some(message(&value)).filter(|_| !self.has(Fault::UpgradesWithoutState));
        Ok(Response::new(pb::upgrade_resource_state::Response { upgraded_state, ..Default::default() }))
    }

    async fn read_resource(
        &self,
        request: Request<pb::read_resource::Request>,
    ) -> Result<Response<pb::read_resource::Response>, Status> {
        let request = request.into_inner();
        let before = self.value(request.current_state.as_ref());
        let found = match self.fault {
            Some(Fault::ReadLosesTheObject | Fault::ImportsWhatIsNotThere) => None,
            Some(Fault::ReadsTheDestroyed) => self.thing().clone().or(Some(before)),
            _ => self.thing().clone(),
        };
        let value = found.map_or(Value::Null, |thing| {
            self.tampered(thing, Fault::ReadsUnknown, Fault::ReadsWriteOnly, Fault::ReadsAnotherValue)
        });
        Ok(Response::new(pb::read_resource::Response {
            new_state: Some(message(&value)).filter(|_| !self.has(Fault::ReadsWithoutState)),
            private: if self.has(Fault::ReadLosesPrivate) { Vec::new() } else { request.private },
            deferred: deferred(self.has(Fault::ReadDefers)),
            new_identity: identity_answers::read(self.fault, &value, request.current_identity),
            ..Default::default()
        }))
    }

    async fn plan_resource_change(
        &self,
        request: Request<pb::plan_resource_change::Request>,
    ) -> Result<Response<pb::plan_resource_change::Response>, Status> {
        let request = request.into_inner();
        let prior = self.value(request.prior_state.as_ref());
        let config = self.value(request.config.as_ref());
        let applying = request.client_capabilities.is_some_and(|client| client.deferral_allowed);
        if config.is_null() {
            let planned = if self.has(Fault::PlansToKeepTheDestroyed) { prior } else { Value::Null };
            let planned_state = Some(message(&planned));
            let planned_private = request.prior_private;
            return Ok(Response::new(pb::plan_resource_change::Response {
                planned_state,
                planned_private,
                ..Default::default()
            }));
        }
        let mut planned = self.plan(&prior, &config, &self.value(request.proposed_new_state.as_ref()));
        let differs = (self.has(Fault::LastPlanDiffers) && applying)
            || (self.has(Fault::LastPlanDiffersFromPrivate) && !request.planned_private.is_empty());
        if differs {
            planned = planned.with("owner", Value::text("another"));
        }
        let path =
            |name: &str| pb::AttributePath { steps: vec![Step { selector: Some(Selector::AttributeName(name.to_owned())) }] };
        let renamed = !prior.is_null() && prior.attribute("name") != planned.attribute("name");
        let replaced = match self.fault {
            Some(Fault::ReplacesForNothing) => vec![path("nothing")],
            Some(Fault::LastPlanReplaces) if applying => vec![path("size")],
            _ if renamed => vec![path("name")],
            _ => Vec::new(),
        };
        let planned_identity = identity_answers::planned(self.fault, &prior, &planned, !request.planned_private.is_empty());
        let planned_state = match self.fault {
            Some(Fault::PlansWithoutAnAttribute) => {
                let Value::Object(mut entries) = planned else { unreachable!() };
                entries.remove("size");
                message(&Value::Object(entries))
            }
            // An object of as many attributes, the first of which is an extension of two bytes.
            Some(Fault::PlansAnOddExtension) => {
                let mut msgpack = vec![0x8b, 0xa2, b'i', b'd', 0xd5, 7, 0, 0];
                let Value::Object(mut entries) = planned else { unreachable!() };
                entries.remove("id");
                msgpack.extend(&msgpack::encode(&Value::Object(entries))[1..]);
                DynamicValue { msgpack, ..Default::default() }
            }
            _ => message(&planned),
        };
        Ok(Response::new(pb::plan_resource_change::Response {
            planned_state: Some(planned_state),
            requires_replace: replaced,
            planned_private: if self.has(Fault::PlanLosesPrivate) { Vec::new() } else { b"planned".to_vec() },
            legacy_type_system: self.has(Fault::PlansByLegacyRules),
            deferred: deferred(self.has(Fault::Defers) || (self.has(Fault::DefersInApply) && applying)),
            planned_identity,
            ..Default::default()
        }))
    }

    async fn apply_resource_change(
        &self,
        request: Request<pb::apply_resource_change::Request>,
    ) -> Result<Response<pb::apply_resource_change::Response>, Status> {
        let request = request.into_inner();
        let planned = self.value(request.planned_state.as_ref());
        let mut answer = pb::apply_resource_change::Response {
            private: b"stored".to_vec(),
            legacy_type_system: self.has(Fault::AppliesByLegacyRules),
            ..Default::default()
        };
        let value = match self.fault {
            Some(Fault::DropsTheCall) => return Err(Status::cancelled("the provider is gone")),
            Some(Fault::FailsHalfWay) => {
                answer.diagnostics = error("Half-way");
                self.make(&planned)
            }
            Some(Fault::FailsWithoutState) => {
                answer.diagnostics = error("Nothing done");
                Value::Null
            }
            Some(Fault::KeepsTheDestroyed) if planned.is_null() => self.value(request.prior_state.as_ref()),
            _ if planned.is_null() => {
                *self.thing() = None;
                Value::Null
            }
            _ => self.make(&planned),
        };
        answer.new_identity = identity_answers::applied(self.fault, &value.unknown_as_null());
        answer.new_state = Some(message(&value)).filter(|_| !self.has(Fault::AppliesWithoutState));
        if self.has(Fault::ApplyLosesPrivate) {
            answer.private = Vec::new();
        }
        Ok(Response::new(answer))
    }

    async fn import_resource_state(
        &self,
        request: Request<pb::import_resource_state::Request>,
    ) -> Result<Response<pb::import_resource_state::Response>, Status> {
        let identity = request.into_inner().identity;
        let (by_identity, by_half) = (identity.is_some(), identity_answers::is_half(identity));
        let found = self.thing().clone().unwrap_or(Value::Null);
        let value = match self.fault {
            Some(Fault::ImportsNull) => Value::Null,
            Some(Fault::ImportsOnlyByAWholeIdentity) if by_half => Value::Null,
            Some(Fault::ImportsWriteOnly) => found.with("password_wo", Value::text("hunter2")),
            Some(Fault::ImportsUnknown) => found.with("id", Value::unknown()),
            _ => found,
        };
        if self.has(Fault::ImportsAnotherValue) || (by_identity && self.has(Fault::ImportsAnotherObjectByIdentity)) {
            *self.thing() = Some(value.with("owner", Value::text("another")));
        }
        let imported = pb::import_resource_state::ImportedResource {
            type_name: if self.has(Fault::ImportsAnotherType) { "test_other".to_owned() } else { THING.to_owned() },
            state: Some(message(&value)),
            private: b"imported".to_vec(),
            identity: identity_answers::imported(self.fault, &value),
        };
        let imported_resources = match self.fault {
            Some(Fault::ImportsNothing) => Vec::new(),
            Some(Fault::ImportsTwo) => vec![imported.clone(), imported],
            _ => vec![imported],
        };
        let deferred = deferred(self.has(Fault::ImportDefers));
        Ok(Response::new(pb::import_resource_state::Response { imported_resources, deferred, ..Default::default() }))
    }

    type ListResourceStream = tonic::codegen::BoxStream<pb::list_resource::Event>;

    async fn list_resource(
        &self,
        request: Request<pb::list_resource::Request>,
    ) -> Result<Response<Self::ListResourceStream>, Status> {
        let events = inhabitants::list(self.fault, &self.schema, &request.into_inner());
        Ok(Response::new(Box::pin(tokio_stream::iter(events))))
    }

    type InvokeActionStream = tonic::codegen::BoxStream<pb::invoke_action::Event>;

    async fn invoke_action(
        &self,
        request: Request<pb::invoke_action::Request>,
    ) -> Result<Response<Self::InvokeActionStream>, Status> {
        let events = inhabitants::invoke(self.fault, &request.into_inner());
        Ok(Response::new(Box::pin(tokio_stream::iter(events))))
    }

    async fn upgrade_resource_identity(
        &self,
        _: Request<pb::upgrade_resource_identity::Request>,
    ) -> Result<Response<pb::upgrade_resource_identity::Response>, Status> {
        Ok(Response::new(identity_answers::upgraded(self.fault)))
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<pb::validate_data_resource_config::Request>,
    ) -> Result<Response<pb::validate_data_resource_config::Response>, Status> {
        let diagnostics = inhabitants::refusals(request.into_inner().config.as_ref(), true);
        Ok(Response::new(pb::validate_data_resource_config::Response { diagnostics }))
    }

    async fn read_data_source(
        &self,
        request: Request<pb::read_data_source::Request>,
    ) -> Result<Response<pb::read_data_source::Response>, Status> {
        Ok(Response::new(inhabitants::read(self.fault, &request.into_inner())))
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<pb::validate_ephemeral_resource_config::Request>,
    ) -> Result<Response<pb::validate_ephemeral_resource_config::Response>, Status> {
        let diagnostics = inhabitants::refusals(request.into_inner().config.as_ref(), true);
        Ok(Response::new(pb::validate_ephemeral_resource_config::Response { diagnostics }))
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<pb::open_ephemeral_resource::Request>,
    ) -> Result<Response<pb::open_ephemeral_resource::Response>, Status> {
        Ok(Response::new(inhabitants::open(self.fault, &request.into_inner())))
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<pb::renew_ephemeral_resource::Request>,
    ) -> Result<Response<pb::renew_ephemeral_resource::Response>, Status> {
        Ok(Response::new(inhabitants::renew(&request.into_inner())))
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<pb::close_ephemeral_resource::Request>,
    ) -> Result<Response<pb::close_ephemeral_resource::Response>, Status> {
        Ok(Response::new(inhabitants::close(&request.into_inner())))
    }

    async fn call_function(
        &self,
        request: Request<pb::call_function::Request>,
    ) -> Result<Response<pb::call_function::Response>, Status> {
        let again = self.called.swap(true, Ordering::SeqCst);
        Ok(Response::new(inhabitants::call(self.fault, again, &request.into_inner())))
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<pb::validate_list_resource_config::Request>,
    ) -> Result<Response<pb::validate_list_resource_config::Response>, Status> {
        let diagnostics = inhabitants::refusals(request.into_inner().config.as_ref(), false);
        Ok(Response::new(pb::validate_list_resource_config::Response { diagnostics }))
    }

    async fn validate_action_config(
        &self,
        request: Request<pb::validate_action_config::Request>,
    ) -> Result<Response<pb::validate_action_config::Response>, Status> {
        let diagnostics = inhabitants::refusals(request.into_inner().config.as_ref(), false);
        Ok(Response::new(pb::validate_action_config::Response { diagnostics }))
    }

    async fn plan_action(&self, _: Request<pb::plan_action::Request>) -> Result<Response<pb::plan_action::Response>, Status> {
        let deferred = deferred(self.has(Fault::ActionDefers));
        Ok(Response::new(pb::plan_action::Response { deferred, ..Default::default() }))
    }

    type ReadStateBytesStream = tonic::codegen::BoxStream<pb::read_state_bytes::Response>;

    async fn read_state_bytes(
        &self,
        _: Request<pb::read_state_bytes::Request>,
    ) -> Result<Response<Self::ReadStateBytesStream>, Status> {
        Err(Status::unimplemented("read_state_bytes"))
    }

    async fn write_state_bytes(
        &self,
        _: Request<tonic::Streaming<pb::write_state_bytes::RequestChunk>>,
    ) -> Result<Response<pb::write_state_bytes::Response>, Status> {
        Err(Status::unimplemented("write_state_bytes"))
    }

    not_called! {
        get_metadata: get_metadata,
        stop_provider: stop_provider,
        move_resource_state: move_resource_state,
        generate_resource_config: generate_resource_config,
        validate_state_store_config: validate_state_store,
        configure_state_store: configure_state_store,
        get_states: get_states,
        delete_state: delete_state,
        lock_state: lock_state,
        unlock_state: unlock_state,
    }
}
