//! `GetProviderSchema` and `GetMetadata`: what this provider offers.

use super::handler;
use crate::proto::tfplugin6 as proto;
use crate::provider;
use crate::wire::encode_schema;

pub(super) fn schema() -> proto::get_provider_schema::Response {
    let resources = handler::all().iter().map(|handler| (handler.type_name().to_owned(), encode_schema(&handler.schema())));
    proto::get_provider_schema::Response {
        provider: Some(encode_schema(&provider::schema())),
        resource_schemas: resources.collect(),
        server_capabilities: Some(capabilities()),
        ..Default::default()
    }
}

pub(super) fn metadata() -> proto::get_metadata::Response {
    let resources =
        handler::all().iter().map(|handler| proto::get_metadata::ResourceMetadata { type_name: handler.type_name().to_owned() });
    proto::get_metadata::Response {
        resources: resources.collect(),
        server_capabilities: Some(capabilities()),
        ..Default::default()
    }
}

fn capabilities() -> proto::ServerCapabilities {
    proto::ServerCapabilities { plan_destroy: true, get_provider_schema_optional: true, ..Default::default() }
}
