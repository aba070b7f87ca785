//! `UpgradeResourceState`: called before every refresh, with the state as JSON in the shape of the version that wrote it.

use super::{plan_pipeline, self_check};
use crate::proto::tfplugin6 as proto;
use crate::resource::Resource;
use crate::terraform::{Diagnostic, Diagnostics, Model, Value};
use crate::wire::{decode_state, dynamic_value, encode_diagnostics};

pub(super) fn upgrade<R: Resource>(request: &proto::upgrade_resource_state::Request) -> proto::upgrade_resource_state::Response {
    match decode::<R>(request) {
        Ok(value) => {
            let mut diagnostics = Diagnostics::new();
            if cfg!(debug_assertions) {
                diagnostics.extend(self_check::stored(R::Model::attributes(), &value, "an upgrade of the state"));
            }
            proto::upgrade_resource_state::Response {
                upgraded_state: Some(dynamic_value::encode(&value)),
                diagnostics: encode_diagnostics(diagnostics),
            }
        }
        Err(diagnostics) => {
            proto::upgrade_resource_state::Response { diagnostics: encode_diagnostics(diagnostics), ..Default::default() }
        }
    }
}

fn decode<R: Resource>(request: &proto::upgrade_resource_state::Request) -> Result<Value, Diagnostics> {
    if request.version > R::VERSION {
        let detail = format!(
            "The state has version {}, but this provider knows version {}: use a newer provider.",
            request.version,
            R::VERSION
        );
        return Err(Diagnostic::error("State of a newer provider", detail).into());
    }
    let raw = request.raw_state.as_ref();
    if raw.is_some_and(|raw| raw.json.is_empty() && !raw.flatmap.is_empty()) {
        let detail = "The state was written before Terraform 0.12, when this provider did not exist.";
        return Err(Diagnostic::error("State format not supported", detail).into());
    }
    let json = raw.map(|raw| raw.json.as_slice()).unwrap_or_default();
    let value = decode_state(json, R::Model::value_type())
        .map_err(|error| Diagnostic::from_error("The stored state cannot be read", &error))?;
    // The state may contain a value from before its attribute was write-only, or from a manual edit. Terraform rejects it in the
    // answer.
    Ok(plan_pipeline::seal(R::Model::attributes(), value).0)
}
