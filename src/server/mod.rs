//! Dispatch: one file per RPC; each decodes, calls and encodes. gRPC errors are for misuse of the protocol only; everything that
//! a practitioner can cause is a diagnostic.

mod apply_resource_change;
mod call_function;
mod configure_provider;
mod configured;
mod events;
mod get_provider_schema;
pub(crate) mod handler;
mod identity;
mod import_resource_state;
mod invoke_action;
mod keep_state;
mod list_resource;
mod open_ephemeral_resource;
mod panic;
mod plan_action;
mod plan_pipeline;
mod plan_resource_change;
mod read_data_source;
mod read_resource;
mod self_check;
mod service;
mod stored;
mod unsupported;
mod upgrade_resource_identity;
mod upgrade_resource_state;
mod validate_resource_config;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{PoisonError, RwLock};

use futures_util::FutureExt;
use tonic::{Response, Status};

use crate::proto::tfplugin6 as proto;
use crate::provider::{Context, ProviderContext};
use crate::terraform::Diagnostic;
use crate::wire::encode_diagnostics;

/// The provider as a gRPC service.
#[derive(Debug, Default)]
pub struct ProviderService {
    /// Replaced as a whole when Terraform configures: a provider that runs on its own serves one run after another, and a stop
    /// ends only the current run.
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

/// Runs a handler. If it panics, `on_panic` makes the answer from the diagnostic.
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

/// There is none with this name: `kind` is what was looked up, such as `resource type`.
fn unknown(kind: &str, name: &str) -> Vec<proto::Diagnostic> {
    let detail = format!("This provider has no {kind} {name:?}.");
    encode_diagnostics(Diagnostic::error(format!("Unknown {kind}"), detail).into())
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
