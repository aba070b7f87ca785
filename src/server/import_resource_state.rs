//! `ImportResourceState`: from an id to the least that Read needs.

use super::{plan_pipeline, self_check, stored};
use crate::proto::tfplugin6 as proto;
use crate::resource::Resource;
use crate::terraform::{Diagnostics, Model};
use crate::wire::{dynamic_value, encode_diagnostics};

pub(super) fn import<R: Resource>(request: &proto::import_resource_state::Request) -> proto::import_resource_state::Response {
    match R::import(&request.id) {
        Ok(existing) => {
            let attributes = R::Model::attributes();
            let value = plan_pipeline::fill_defaults(&attributes, Model::encode(&existing.model));
            let (value, _) = plan_pipeline::seal(&attributes, value);
            let imported = proto::import_resource_state::ImportedResource {
                type_name: R::TYPE_NAME.to_owned(),
                state: Some(dynamic_value::encode(&value)),
                private: stored::encode_private::<R>(&existing.private),
                ..Default::default()
            };
            let mut diagnostics = Diagnostics::new();
            if cfg!(debug_assertions) {
                diagnostics.extend(self_check::stored(&attributes, &value, "an import"));
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
