//! Dispatch: one file per RPC, each of which decodes, calls and encodes. gRPC errors are for misuse of the protocol only; everything that
//! a practitioner can cause is a diagnostic.

mod apply_resource_change;
mod configure_provider;
mod get_provider_schema;
pub(crate) mod handler;
mod import_resource_state;
mod keep_state;
mod panic;
mod plan_pipeline;
mod plan_resource_change;
mod read_resource;
mod self_check;
mod stored;
mod unsupported;
mod upgrade_resource_state;
mod validate_resource_config;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{PoisonError, RwLock};

use futures_util::FutureExt;
use tonic::{Request, Response, Status};

use crate::proto::tfplugin6 as proto;
use crate::provider::{Context, ProviderContext};
use crate::terraform::{Diagnostic, Diagnostics};
use crate::wire::encode_diagnostics;
use unsupported::{NoStream, unsupported};

/// The provider as a gRPC service.
#[derive(Debug, Default)]
pub struct ProviderService {
    /// Replaced whole when Terraform configures: a provider that runs on its own serves one run after another, and a stop ends only the
    /// one that it came in.
    context: RwLock<Context>,
}

impl ProviderService {
    /// A provider that is not configured yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn configured(&self, provider: ProviderContext) {
        *self.context.write().unwrap_or_else(PoisonError::into_inner) = Context::new(provider);
    }

    fn context(&self) -> Context {
        self.context.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Runs a handler. A panic in it becomes the answer that `on_panic` makes of the diagnostic.
async fn guarded<T>(
    handler: impl Future<Output = T>,
    on_panic: impl FnOnce(Vec<proto::Diagnostic>) -> T,
) -> Result<Response<T>, Status> {
    let answer = match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(answer) => answer,
        Err(payload) => on_panic(encode_diagnostics(panic::diagnostic(payload.as_ref()).into())),
    };
    Ok(Response::new(answer))
}

fn unknown_type(type_name: &str) -> Vec<proto::Diagnostic> {
    let detail = format!("This provider has no resource type {type_name:?}.");
    encode_diagnostics(Diagnostics::from(Diagnostic::error("Unknown resource type", detail)))
}

/// The RPCs that are not offered, answered in one place.
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
        Ok(Response::new(proto::get_resource_identity_schemas::Response::default()))
    }

    async fn get_functions(
        &self,
        _: Request<proto::get_functions::Request>,
    ) -> Result<Response<proto::get_functions::Response>, Status> {
        Ok(Response::new(proto::get_functions::Response::default()))
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
        tracing::info!("Terraform asks to stop: running operations end early");
        self.context().cancel().cancel();
        Ok(Response::new(proto::stop_provider::Response::default()))
    }

    async fn validate_resource_config(
        &self,
        request: Request<proto::validate_resource_config::Request>,
    ) -> Result<Response<proto::validate_resource_config::Response>, Status> {
        let request = request.into_inner();
        let answer = async {
            match handler::find(&request.type_name) {
                Some(handler) => handler.validate(request),
                None => proto::validate_resource_config::Response { diagnostics: unknown_type(&request.type_name) },
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
            match handler::find(&request.type_name) {
                Some(handler) => handler.upgrade(request),
                None => failed(unknown_type(&request.type_name)),
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
        let Some(handler) = handler::find(&request.type_name) else {
            return Ok(Response::new(failed(unknown_type(&request.type_name))));
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
        let Some(handler) = handler::find(&request.type_name) else {
            return Ok(Response::new(failed(unknown_type(&request.type_name))));
        };
        let context = self.context();
        guarded(handler.plan(&context, request), failed).await
    }

    async fn apply_resource_change(
        &self,
        request: Request<proto::apply_resource_change::Request>,
    ) -> Result<Response<proto::apply_resource_change::Response>, Status> {
        let request = request.into_inner();
        let (state, private) = (request.prior_state.clone(), request.planned_private.clone());
        let failed =
            |diagnostics| proto::apply_resource_change::Response { new_state: state, private, diagnostics, ..Default::default() };
        let Some(handler) = handler::find(&request.type_name) else {
            return Ok(Response::new(failed(unknown_type(&request.type_name))));
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
        let answer = async {
            match handler::find(&request.type_name) {
                Some(handler) => handler.import(request),
                None => failed(unknown_type(&request.type_name)),
            }
        };
        guarded(answer, failed).await
    }

    type ListResourceStream = NoStream<proto::list_resource::Event>;

    async fn list_resource(
        &self,
        _: Request<proto::list_resource::Request>,
    ) -> Result<Response<Self::ListResourceStream>, Status> {
        unsupported("ListResource")
    }

    type InvokeActionStream = NoStream<proto::invoke_action::Event>;

    async fn invoke_action(
        &self,
        _: Request<proto::invoke_action::Request>,
    ) -> Result<Response<Self::InvokeActionStream>, Status> {
        unsupported("InvokeAction")
    }

    type ReadStateBytesStream = NoStream<proto::read_state_bytes::Response>;

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
        upgrade_resource_identity(upgrade_resource_identity, "UpgradeResourceIdentity"),
        move_resource_state(move_resource_state, "MoveResourceState"),
        generate_resource_config(generate_resource_config, "GenerateResourceConfig"),
        validate_data_resource_config(validate_data_resource_config, "ValidateDataResourceConfig"),
        read_data_source(read_data_source, "ReadDataSource"),
        validate_ephemeral_resource_config(validate_ephemeral_resource_config, "ValidateEphemeralResourceConfig"),
        open_ephemeral_resource(open_ephemeral_resource, "OpenEphemeralResource"),
        renew_ephemeral_resource(renew_ephemeral_resource, "RenewEphemeralResource"),
        close_ephemeral_resource(close_ephemeral_resource, "CloseEphemeralResource"),
        call_function(call_function, "CallFunction"),
        validate_list_resource_config(validate_list_resource_config, "ValidateListResourceConfig"),
        validate_action_config(validate_action_config, "ValidateActionConfig"),
        plan_action(plan_action, "PlanAction"),
        validate_state_store_config(validate_state_store, "ValidateStateStoreConfig"),
        configure_state_store(configure_state_store, "ConfigureStateStore"),
        get_states(get_states, "GetStates"),
        delete_state(delete_state, "DeleteState"),
        lock_state(lock_state, "LockState"),
        unlock_state(unlock_state, "UnlockState"),
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
