//! `ApplyResourceChange`. Answers with what exists, also after an error, a panic or a cancellation.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::{identity, panic, plan_pipeline, self_check, stored};
use crate::failure::Failure;
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::resource::{ApplyRequest, Existing, PriorOf, Resource, Said, Saved};
use crate::terraform::{Diagnostic, Diagnostics, Model, Value};
use crate::wire::{dynamic_value, encode_diagnostics};

pub(super) async fn apply<R: Resource>(
    context: &Context,
    request: proto::apply_resource_change::Request,
) -> proto::apply_resource_change::Response {
    let Decoded { config, prior, planned, private, identity } = match decode::<R>(&request) {
        Ok(decoded) => decoded,
        Err(diagnostics) => {
            return proto::apply_resource_change::Response {
                new_state: request.prior_state,
                private: request.planned_private,
                new_identity: request.planned_identity,
                diagnostics: encode_diagnostics(diagnostics),
                ..Default::default()
            };
        }
    };
    let saved = Saved::<R>::default();
    let run = run(context, config.as_ref(), prior.as_ref(), &planned, &private, &saved);
    let outcome = match AssertUnwindSafe(run).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(payload) => Err(panic::diagnostic(payload.as_ref()).into()),
    };
    let failed = outcome.as_ref().map_or(true, Diagnostics::has_errors);
    let mut diagnostics = outcome.unwrap_or_else(|diagnostics| diagnostics);
    let before = prior.filter(|_| failed).map(|prior| Existing { model: prior.model, private });
    let left = saved.take().or(before);
    let (value, private, new_identity) = match left {
        None => (Value::Null, Vec::new(), None),
        Some(existing) => {
            let actual = Model::encode(&existing.model);
            let value = if failed { actual } else { plan_pipeline::fulfil(&planned, &actual) };
            let (value, unknown) = plan_pipeline::seal(R::Model::attributes(), value);
            if !failed {
                diagnostics.extend(unknown.into_iter().map(left_unknown));
            }
            let identity = R::identity(&existing.model, identity.as_ref());
            (value, stored::encode_private::<R>(&existing.private), Some(identity::encode(&identity)))
        }
    };
    if cfg!(debug_assertions) {
        let attributes = R::Model::attributes();
        // The stored state is kept, so an error loses nothing.
        diagnostics.extend(match diagnostics.has_errors() {
            true => self_check::stored(attributes, &value, "a failed apply"),
            false => self_check::applied(attributes, &planned, &value),
        });
    }
    proto::apply_resource_change::Response {
        new_state: Some(dynamic_value::encode(&value)),
        private,
        new_identity,
        diagnostics: encode_diagnostics(diagnostics),
        ..Default::default()
    }
}

struct Decoded<R: Resource> {
    config: Option<R::Model>,
    prior: Option<PriorOf<R>>,
    planned: Value,
    private: R::Private,
    /// The planned one.
    identity: Option<R::Identity>,
}

fn decode<R: Resource>(request: &proto::apply_resource_change::Request) -> Result<Decoded<R>, Diagnostics> {
    let config = stored::decode_value::<R>(request.config.as_ref())?;
    let prior = stored::decode_value::<R>(request.prior_state.as_ref())?;
    let planned = stored::decode_value::<R>(request.planned_state.as_ref())?;
    // For a destroy the planned private data is the stored one.
    let private = match planned.is_null() {
        true => stored::decode_private::<R>(&request.planned_private),
        false => stored::decode_planned_private::<R>(&request.planned_private)?,
    };
    Ok(Decoded {
        config: if config.is_null() { None } else { Some(stored::model::<R>(&config)?) },
        prior: stored::prior::<R>(&prior, &private)?,
        planned,
        private,
        identity: identity::decode(request.planned_identity.as_ref())?,
    })
}

async fn run<R: Resource>(
    context: &Context,
    config: Option<&R::Model>,
    prior: Option<&PriorOf<R>>,
    planned: &Value,
    planned_private: &R::Private,
    saved: &Saved<R>,
) -> Result<Diagnostics, Diagnostics> {
    let outcome = match (prior, config) {
        (Some(prior), _) if planned.is_null() => R::destroy(context, prior, planned_private, saved).await,
        (_, Some(config)) if !planned.is_null() => {
            let model = stored::model::<R>(planned)?;
            let Some(desired) = R::decode(config)? else { return Err(Failure::ConfigurationUnknown.into_diagnostics()) };
            let request = ApplyRequest { config, desired: &desired, prior, planned: &model, planned_private };
            R::apply(context, &request, saved).await
        }
        _ => Ok(Said::default()),
    };
    outcome.map(Said::into_diagnostics).map_err(|failed| failed.into_failure().into_diagnostics())
}

fn left_unknown(path: crate::terraform::AttributePath) -> Diagnostic {
    let detail = format!("Attribute {path} has no value after apply. This is a bug in the provider; please report it.");
    Diagnostic::error("Value missing after apply", detail).at(path)
}
