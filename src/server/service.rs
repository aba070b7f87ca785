//! The RPCs by name; each finds its handler.

use std::future::Future;

use tonic::{Request, Response, Status};

use super::events::Events;
use super::handler::{ACTIONS, ConfiguredHandler, DATA_SOURCES, EPHEMERALS, FUNCTIONS, LISTS, Named, RESOURCES, find};
use super::unsupported::unsupported;
use super::{
    ProviderService, call_function, configure_provider, get_provider_schema, guarded, invoke_action, list_resource,
    read_resource, unknown,
};
use crate::proto::tfplugin6 as proto;
use crate::terraform::{CallFault, Diagnostics};
use crate::wire::encode_diagnostics;

/// Validates a configuration of one of these.
async fn validated<H: ConfiguredHandler + ?Sized>(
    all: &'static [&'static H],
    kind: &str,
    name: &str,
    config: Option<&proto::DynamicValue>,
) -> Vec<proto::Diagnostic> {
    let Some(handler) = find(all, name) else { return unknown(kind, name) };
    let answer = async { encode_diagnostics(handler.validate(config)) };
    guarded(answer, |diagnostics| diagnostics).await.map(Response::into_inner).unwrap_or_default()
}

/// No diagnostics if the name exists, otherwise that there is none.
fn known<H: Named + ?Sized>(all: &'static [&'static H], kind: &str, name: &str) -> Vec<proto::Diagnostic> {
    if find(all, name).is_some() { Vec::new() } else { unknown(kind, name) }
}

/// The RPCs that are not supported, answered in one place.
macro_rules! not_offered {
    ($($method:ident($module:ident, $rpc:literal)),+ $(,)?) => {
        $( fn $method<'life, 'future>(&'life self, _: Request<proto::$module::Request>)
            -> std::pin::Pin<Box<dyn Future<Output = Result<Response<proto::$module::Response>, Status>> + Send + 'future>>
        where 'life: 'future, Self: 'future {
            Box::pin(async { unsupported($rpc) })
        } )+
    };
}

#[tonic::async_trait]
impl proto::provider_server::Provider for ProviderService {
    async fn get_metadata(
        &self,
        _: Request<proto::get_metadata::Request>,
    ) -> Result<Response<proto::get_metadata::Response>, Status> {
        Ok(Response::new(get_provider_schema::metadata()))
    }

    async fn get_provider_schema(
        &self,
        _: Request<proto::get_provider_schema::Request>,
    ) -> Result<Response<proto::get_provider_schema::Response>, Status> {
        Ok(Response::new(get_provider_schema::schema()))
    }

    async fn get_resource_identity_schemas(
        &self,
        _: Request<proto::get_resource_identity_schemas::Request>,
    ) -> Result<Response<proto::get_resource_identity_schemas::Response>, Status> {
        Ok(Response::new(get_provider_schema::identities()))
    }

    async fn get_functions(
        &self,
        _: Request<proto::get_functions::Request>,
    ) -> Result<Response<proto::get_functions::Response>, Status> {
        Ok(Response::new(get_provider_schema::functions()))
    }

    async fn validate_provider_config(
        &self,
        request: Request<proto::validate_provider_config::Request>,
    ) -> Result<Response<proto::validate_provider_config::Response>, Status> {
        let request = request.into_inner();
        let answer = async { configure_provider::validate(&request) };
        guarded(answer, |diagnostics| proto::validate_provider_config::Response { diagnostics }).await
    }

    async fn configure_provider(
        &self,
        request: Request<proto::configure_provider::Request>,
    ) -> Result<Response<proto::configure_provider::Response>, Status> {
        let request = request.into_inner();
        let answer = async {
            let diagnostics = match configure_provider::configure(&request) {
                Ok(provider) => {
                    self.configured(provider);
                    Diagnostics::new()
                }
                Err(diagnostics) => diagnostics,
            };
            proto::configure_provider::Response { diagnostics: encode_diagnostics(diagnostics) }
        };
        guarded(answer, |diagnostics| proto::configure_provider::Response { diagnostics }).await
    }

    async fn stop_provider(
        &self,
        _: Request<proto::stop_provider::Request>,
    ) -> Result<Response<proto::stop_provider::Response>, Status> {
        tracing::info!("Terraform requested a stop: running operations end early");
        self.context().cancel().cancel();
        Ok(Response::new(proto::stop_provider::Response::default()))
    }

    async fn validate_resource_config(
        &self,
        request: Request<proto::validate_resource_config::Request>,
    ) -> Result<Response<proto::validate_resource_config::Response>, Status> {
        let request = request.into_inner();
        let answer = async {
            match find(RESOURCES, &request.type_name) {
                Some(handler) => handler.validate(request),
                None => proto::validate_resource_config::Response { diagnostics: unknown("resource type", &request.type_name) },
            }
        };
        guarded(answer, |diagnostics| proto::validate_resource_config::Response { diagnostics }).await
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<proto::upgrade_resource_state::Request>,
    ) -> Result<Response<proto::upgrade_resource_state::Response>, Status> {
        let request = request.into_inner();
        let failed = |diagnostics| proto::upgrade_resource_state::Response { diagnostics, ..Default::default() };
        let answer = async {
            match find(RESOURCES, &request.type_name) {
                Some(handler) => handler.upgrade(request),
                None => failed(unknown("resource type", &request.type_name)),
            }
        };
        guarded(answer, failed).await
    }

    async fn read_resource(
        &self,
        request: Request<proto::read_resource::Request>,
    ) -> Result<Response<proto::read_resource::Response>, Status> {
        let request = request.into_inner();
        // A missing new_state would mean that the resource is gone.
        let failed = read_resource::unread(&request);
        let Some(handler) = find(RESOURCES, &request.type_name) else {
            return Ok(Response::new(failed(unknown("resource type", &request.type_name))));
        };
        let context = self.context();
        guarded(handler.read(&context, request), failed).await
    }

    async fn plan_resource_change(
        &self,
        request: Request<proto::plan_resource_change::Request>,
    ) -> Result<Response<proto::plan_resource_change::Response>, Status> {
        let request = request.into_inner();
        let failed = |diagnostics| proto::plan_resource_change::Response { diagnostics, ..Default::default() };
        let Some(handler) = find(RESOURCES, &request.type_name) else {
            return Ok(Response::new(failed(unknown("resource type", &request.type_name))));
        };
        let context = self.context();
        guarded(handler.plan(&context, request), failed).await
    }

    async fn apply_resource_change(
        &self,
        request: Request<proto::apply_resource_change::Request>,
    ) -> Result<Response<proto::apply_resource_change::Response>, Status> {
        let request = request.into_inner();
        let (new_state, private, new_identity) =
            (request.prior_state.clone(), request.planned_private.clone(), request.planned_identity.clone());
        let failed = |diagnostics| proto::apply_resource_change::Response {
            new_state,
            private,
            new_identity,
            diagnostics,
            ..Default::default()
        };
        let Some(handler) = find(RESOURCES, &request.type_name) else {
            return Ok(Response::new(failed(unknown("resource type", &request.type_name))));
        };
        let context = self.context();
        guarded(handler.apply(&context, request), failed).await
    }

    async fn import_resource_state(
        &self,
        request: Request<proto::import_resource_state::Request>,
    ) -> Result<Response<proto::import_resource_state::Response>, Status> {
        let request = request.into_inner();
        let failed = |diagnostics| proto::import_resource_state::Response { diagnostics, ..Default::default() };
        let context = self.context();
        let answer = async {
            match find(RESOURCES, &request.type_name) {
                Some(handler) => handler.import(&context, request),
                None => failed(unknown("resource type", &request.type_name)),
            }
        };
        guarded(answer, failed).await
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<proto::upgrade_resource_identity::Request>,
    ) -> Result<Response<proto::upgrade_resource_identity::Response>, Status> {
        let request = request.into_inner();
        let failed = |diagnostics| proto::upgrade_resource_identity::Response { diagnostics, ..Default::default() };
        let answer = async {
            match find(RESOURCES, &request.type_name) {
                Some(handler) => handler.upgrade_identity(&request),
                None => failed(unknown("resource type", &request.type_name)),
            }
        };
        guarded(answer, failed).await
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<proto::validate_data_resource_config::Request>,
    ) -> Result<Response<proto::validate_data_resource_config::Response>, Status> {
        let proto::validate_data_resource_config::Request { type_name, config } = request.into_inner();
        let diagnostics = validated(DATA_SOURCES, "data source", &type_name, config.as_ref()).await;
        Ok(Response::new(proto::validate_data_resource_config::Response { diagnostics }))
    }

    async fn read_data_source(
        &self,
        request: Request<proto::read_data_source::Request>,
    ) -> Result<Response<proto::read_data_source::Response>, Status> {
        let request = request.into_inner();
        let failed = |diagnostics| proto::read_data_source::Response { diagnostics, ..Default::default() };
        let Some(handler) = find(DATA_SOURCES, &request.type_name) else {
            return Ok(Response::new(failed(unknown("data source", &request.type_name))));
        };
        let context = self.context();
        guarded(handler.read(&context, request), failed).await
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<proto::validate_ephemeral_resource_config::Request>,
    ) -> Result<Response<proto::validate_ephemeral_resource_config::Response>, Status> {
        let proto::validate_ephemeral_resource_config::Request { type_name, config } = request.into_inner();
        let diagnostics = validated(EPHEMERALS, "ephemeral resource", &type_name, config.as_ref()).await;
        Ok(Response::new(proto::validate_ephemeral_resource_config::Response { diagnostics }))
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<proto::open_ephemeral_resource::Request>,
    ) -> Result<Response<proto::open_ephemeral_resource::Response>, Status> {
        let request = request.into_inner();
        let failed = |diagnostics| proto::open_ephemeral_resource::Response { diagnostics, ..Default::default() };
        let Some(handler) = find(EPHEMERALS, &request.type_name) else {
            return Ok(Response::new(failed(unknown("ephemeral resource", &request.type_name))));
        };
        let context = self.context();
        guarded(handler.open(&context, request), failed).await
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<proto::renew_ephemeral_resource::Request>,
    ) -> Result<Response<proto::renew_ephemeral_resource::Response>, Status> {
        // None of them needs a renewal.
        let diagnostics = known(EPHEMERALS, "ephemeral resource", &request.into_inner().type_name);
        Ok(Response::new(proto::renew_ephemeral_resource::Response { diagnostics, ..Default::default() }))
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<proto::close_ephemeral_resource::Request>,
    ) -> Result<Response<proto::close_ephemeral_resource::Response>, Status> {
        let diagnostics = known(EPHEMERALS, "ephemeral resource", &request.into_inner().type_name);
        Ok(Response::new(proto::close_ephemeral_resource::Response { diagnostics }))
    }

    async fn call_function(
        &self,
        request: Request<proto::call_function::Request>,
    ) -> Result<Response<proto::call_function::Response>, Status> {
        let request = request.into_inner();
        let failed = |diagnostics: Vec<proto::Diagnostic>| {
            let text = diagnostics.into_iter().map(|diagnostic| diagnostic.detail).collect::<Vec<_>>().join(" ");
            call_function::failed(CallFault { text, argument: None })
        };
        let answer = async {
            match find(FUNCTIONS, &request.name) {
                Some(handler) => handler.call(&request.arguments),
                None => failed(unknown("function", &request.name)),
            }
        };
        guarded(answer, failed).await
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<proto::validate_list_resource_config::Request>,
    ) -> Result<Response<proto::validate_list_resource_config::Response>, Status> {
        let request = request.into_inner();
        let diagnostics = validated(LISTS, "list resource", &request.type_name, request.config.as_ref()).await;
        Ok(Response::new(proto::validate_list_resource_config::Response { diagnostics }))
    }

    type ListResourceStream = Events<proto::list_resource::Event>;

    async fn list_resource(
        &self,
        request: Request<proto::list_resource::Request>,
    ) -> Result<Response<Self::ListResourceStream>, Status> {
        let request = request.into_inner();
        Ok(Response::new(match find(LISTS, &request.type_name) {
            Some(handler) => handler.list(self.context(), request),
            None => list_resource::failed(unknown("list resource", &request.type_name)),
        }))
    }

    async fn validate_action_config(
        &self,
        request: Request<proto::validate_action_config::Request>,
    ) -> Result<Response<proto::validate_action_config::Response>, Status> {
        let proto::validate_action_config::Request { type_name, config } = request.into_inner();
        let diagnostics = validated(ACTIONS, "action", &type_name, config.as_ref()).await;
        Ok(Response::new(proto::validate_action_config::Response { diagnostics }))
    }

    async fn plan_action(
        &self,
        request: Request<proto::plan_action::Request>,
    ) -> Result<Response<proto::plan_action::Response>, Status> {
        let request = request.into_inner();
        let failed = |diagnostics| proto::plan_action::Response { diagnostics, ..Default::default() };
        let Some(handler) = find(ACTIONS, &request.action_type) else {
            return Ok(Response::new(failed(unknown("action", &request.action_type))));
        };
        let context = self.context();
        guarded(handler.plan(&context, request), failed).await
    }

    type InvokeActionStream = Events<proto::invoke_action::Event>;

    async fn invoke_action(
        &self,
        request: Request<proto::invoke_action::Request>,
    ) -> Result<Response<Self::InvokeActionStream>, Status> {
        let request = request.into_inner();
        Ok(Response::new(match find(ACTIONS, &request.action_type) {
            Some(handler) => handler.invoke(self.context(), request),
            None => invoke_action::failed(unknown("action", &request.action_type)),
        }))
    }

    type ReadStateBytesStream = Events<proto::read_state_bytes::Response>;

    async fn read_state_bytes(
        &self,
        _: Request<proto::read_state_bytes::Request>,
    ) -> Result<Response<Self::ReadStateBytesStream>, Status> {
        unsupported("ReadStateBytes")
    }

    async fn write_state_bytes(
        &self,
        _: Request<tonic::Streaming<proto::write_state_bytes::RequestChunk>>,
    ) -> Result<Response<proto::write_state_bytes::Response>, Status> {
        unsupported("WriteStateBytes")
    }

    not_offered! {
        move_resource_state(move_resource_state, "MoveResourceState"),
        generate_resource_config(generate_resource_config, "GenerateResourceConfig"),
        validate_state_store_config(validate_state_store, "ValidateStateStoreConfig"),
        configure_state_store(configure_state_store, "ConfigureStateStore"),
        get_states(get_states, "GetStates"),
        delete_state(delete_state, "DeleteState"),
        lock_state(lock_state, "LockState"),
        unlock_state(unlock_state, "UnlockState"),
    }
}
