//! `ReadResource`: what exists now. Always answers with a state: an absent one would mean that the resource is gone.

use super::{identity, keep_state, plan_pipeline, self_check, stored};
use crate::failure::Failure;
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::resource::{Failed, Refreshed, Resource};
use crate::terraform::{Diagnostic, Diagnostics, Model, Severity, Value};
use crate::wire::{dynamic_value, encode_diagnostics};

pub(super) async fn read<R: Resource>(
    context: &Context,
    request: proto::read_resource::Request,
) -> proto::read_resource::Response {
    match observe::<R>(context, &request).await {
        Ok(Observed { value, private, new_identity, mut diagnostics }) => {
            if cfg!(debug_assertions) {
                diagnostics.extend(self_check::stored(R::Model::attributes(), &value, "a refresh"));
            }
            proto::read_resource::Response {
                new_state: Some(dynamic_value::encode(&value)),
                private,
                new_identity,
                diagnostics: encode_diagnostics(diagnostics),
                ..Default::default()
            }
        }
        Err(diagnostics) => unread(&request)(encode_diagnostics(diagnostics)),
    }
}

/// The answer if nothing could be read: the unchanged state, with the reasons.
pub(super) fn unread(
    request: &proto::read_resource::Request,
) -> impl FnOnce(Vec<proto::Diagnostic>) -> proto::read_resource::Response + use<> {
    let (new_state, private, new_identity) =
        (request.current_state.clone(), request.private.clone(), request.current_identity.clone());
    move |diagnostics| proto::read_resource::Response { new_state, private, new_identity, diagnostics, ..Default::default() }
}

struct Observed {
    value: Value,
    private: Vec<u8>,
    new_identity: Option<proto::ResourceIdentityData>,
    diagnostics: Diagnostics,
}

impl Observed {
    fn gone(diagnostics: Diagnostics) -> Self {
        Self { value: Value::Null, private: Vec::new(), new_identity: None, diagnostics }
    }
}

async fn observe<R: Resource>(context: &Context, request: &proto::read_resource::Request) -> Result<Observed, Diagnostics> {
    let current = stored::decode_value::<R>(request.current_state.as_ref())?;
    let private = stored::decode_private::<R>(&request.private);
    let identity = identity::decode::<R::Identity>(request.current_identity.as_ref())?;
    let Some(prior) = stored::prior::<R>(&current, &private)? else { return Ok(Observed::gone(Diagnostics::new())) };
    let kept = |diagnostics| {
        // A state written by an earlier Terraform has none.
        let of_state = || identity::encode(&R::identity(&prior.model, None));
        let new_identity = Some(request.current_identity.clone().unwrap_or_else(of_state));
        Observed { value: current.clone(), private: request.private.clone(), new_identity, diagnostics }
    };
    match R::read(context, &prior, &private).await.map_err(Failed::into_failure) {
        Ok(Refreshed { existing: Some(existing), said }) => {
            let (value, _) = plan_pipeline::seal(R::Model::attributes(), Model::encode(&existing.model));
            let found = R::identity(&existing.model, identity.as_ref());
            if let Some(given) = identity.filter(|_| R::is_import(&private)) {
                identity::check_found(&given, &found)?;
            }
            let private = stored::encode_private::<R>(&existing.private);
            let new_identity = Some(identity::encode(&found));
            Ok(Observed { value, private, new_identity, diagnostics: said.into_diagnostics() })
        }
        Ok(Refreshed { existing: None, said }) => Ok(Observed::gone(said.into_diagnostics())),
        Err(Failure::Missing(missing)) if R::is_import(&private) => Err(missing.into()),
        Err(Failure::Missing(missing)) => Ok(Observed::gone(Diagnostic { severity: Severity::Warning, ..missing }.into())),
        // There is no state to keep yet.
        Err(failure @ (Failure::ConfigurationUnknown | Failure::Unreachable(_))) if R::is_import(&private) => {
            Err(failure.into_diagnostics())
        }
        Err(Failure::ConfigurationUnknown) => Ok(kept(Diagnostics::new())),
        Err(failure) => Ok(kept(keep_state::go_on(context, failure)?)),
    }
}
