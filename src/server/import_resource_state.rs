//! `ImportResourceState`: from an id or an identity to the minimum that Read needs.

use super::{identity, plan_pipeline, self_check, stored};
use crate::proto::tfplugin6 as proto;
use crate::provider::Context;
use crate::resource::{Existing, Resource};
use crate::terraform::{Diagnostics, Model};
use crate::wire::{dynamic_value, encode_diagnostics};

pub(super) fn import<R: Resource>(
    context: &Context,
    request: &proto::import_resource_state::Request,
) -> proto::import_resource_state::Response {
    match start::<R>(context, request) {
        Ok((existing, identity)) => {
            let attributes = R::Model::attributes();
            let value = plan_pipeline::fill_defaults(attributes, Model::encode(&existing.model));
            let (value, _) = plan_pipeline::seal(attributes, value);
            let imported = proto::import_resource_state::ImportedResource {
                type_name: R::TYPE_NAME.to_owned(),
                state: Some(dynamic_value::encode(&value)),
                private: stored::encode_private::<R>(&existing.private),
                identity: Some(identity::encode(&identity)),
            };
            let mut diagnostics = Diagnostics::new();
            if cfg!(debug_assertions) {
                diagnostics.extend(self_check::stored(attributes, &value, "an import"));
            }
            proto::import_resource_state::Response {
                imported_resources: vec![imported],
                diagnostics: encode_diagnostics(diagnostics),
                ..Default::default()
            }
        }
        Err(diagnostics) => {
            proto::import_resource_state::Response { diagnostics: encode_diagnostics(diagnostics), ..Default::default() }
        }
    }
}

/// The initial state of the import, and its known identity. A given identity is kept until Read has found the object.
fn start<R: Resource>(
    context: &Context,
    request: &proto::import_resource_state::Request,
) -> Result<(Existing<R>, R::Identity), Diagnostics> {
    match identity::decode::<R::Identity>(request.identity.as_ref())? {
        Some(given) => {
            let existing = R::import_by(context, &given).map_err(|failure| failure.into_diagnostics())?;
            Ok((existing, given))
        }
        None => {
            let existing = R::import(&request.id)?;
            let identity = R::identity(&existing.model, None);
            Ok((existing, identity))
        }
    }
}
