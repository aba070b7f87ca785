//! `UpgradeResourceIdentity`: the stored identity, as JSON in the shape of the version that wrote it.

use super::identity;
use crate::proto::tfplugin6 as proto;
use crate::resource::Resource;
use crate::terraform::{Diagnostic, Diagnostics, Model, Trail};
use crate::wire::{decode_state, encode_diagnostics};

pub(super) fn upgrade<R: Resource>(
    request: &proto::upgrade_resource_identity::Request,
) -> proto::upgrade_resource_identity::Response {
    match decode::<R>(request) {
        Ok(upgraded) => proto::upgrade_resource_identity::Response {
            upgraded_identity: Some(identity::encode(&upgraded)),
            ..Default::default()
        },
        Err(diagnostics) => {
            proto::upgrade_resource_identity::Response { diagnostics: encode_diagnostics(diagnostics), ..Default::default() }
        }
    }
}

fn decode<R: Resource>(request: &proto::upgrade_resource_identity::Request) -> Result<R::Identity, Diagnostics> {
    if request.version > R::IDENTITY_VERSION {
        let detail = format!(
            "The identity has version {}, but this provider knows version {}: use a newer provider.",
            request.version,
            R::IDENTITY_VERSION
        );
        return Err(Diagnostic::error("Identity of a newer provider", detail).into());
    }
    let json = request.raw_identity.as_ref().map(|raw| raw.json.as_slice()).unwrap_or_default();
    let value = decode_state(json, R::Identity::value_type())
        .map_err(|error| Diagnostic::from_error("The stored identity cannot be read", &error))?;
    R::Identity::decode(&value, &Trail::Root)
}
