//! `GetProviderSchema`, `GetFunctions`, `GetResourceIdentitySchemas` and `GetMetadata`: what this provider offers. Older clients
//! ignore the kinds that they do not know.

use super::handler::{ACTIONS, ConfiguredHandler, DATA_SOURCES, EPHEMERALS, FUNCTIONS, LISTS, Named, RESOURCES};
use crate::proto::tfplugin6 as proto;
use crate::proto::tfplugin6::get_metadata::{
    ActionMetadata, DataSourceMetadata, EphemeralMetadata, FunctionMetadata, ListResourceMetadata, ResourceMetadata,
};
use crate::provider;
use crate::wire::{encode_function, encode_identity_schema, encode_schema};

pub(super) fn schema() -> proto::get_provider_schema::Response {
    let resources = RESOURCES.iter().map(|resource| (resource.name().to_owned(), encode_schema(&resource.schema())));
    let actions = schemas(ACTIONS).map(|(name, schema)| (name, proto::ActionSchema { schema: Some(schema) }));
    proto::get_provider_schema::Response {
        provider: Some(encode_schema(&provider::schema())),
        resource_schemas: resources.collect(),
        data_source_schemas: schemas(DATA_SOURCES).collect(),
        ephemeral_resource_schemas: schemas(EPHEMERALS).collect(),
        list_resource_schemas: schemas(LISTS).collect(),
        action_schemas: actions.collect(),
        functions: functions().functions,
        server_capabilities: Some(capabilities()),
        ..Default::default()
    }
}

pub(super) fn functions() -> proto::get_functions::Response {
    let functions = FUNCTIONS.iter().map(|function| (function.name().to_owned(), encode_function(&function.declaration())));
    proto::get_functions::Response { functions: functions.collect(), ..Default::default() }
}

pub(super) fn identities() -> proto::get_resource_identity_schemas::Response {
    let identities = RESOURCES.iter().map(|resource| {
        let (version, attributes) = resource.identity_schema();
        (resource.name().to_owned(), encode_identity_schema(version, attributes))
    });
    proto::get_resource_identity_schemas::Response { identity_schemas: identities.collect(), ..Default::default() }
}

pub(super) fn metadata() -> proto::get_metadata::Response {
    proto::get_metadata::Response {
        resources: names(RESOURCES).map(|type_name| ResourceMetadata { type_name }).collect(),
        data_sources: names(DATA_SOURCES).map(|type_name| DataSourceMetadata { type_name }).collect(),
        functions: names(FUNCTIONS).map(|name| FunctionMetadata { name }).collect(),
        ephemeral_resources: names(EPHEMERALS).map(|type_name| EphemeralMetadata { type_name }).collect(),
        list_resources: names(LISTS).map(|type_name| ListResourceMetadata { type_name }).collect(),
        actions: names(ACTIONS).map(|type_name| ActionMetadata { type_name }).collect(),
        server_capabilities: Some(capabilities()),
        ..Default::default()
    }
}

fn names<H: Named + ?Sized>(all: &'static [&'static H]) -> impl Iterator<Item = String> {
    all.iter().map(|one| one.name().to_owned())
}

fn schemas<H: ConfiguredHandler + ?Sized>(all: &'static [&'static H]) -> impl Iterator<Item = (String, proto::Schema)> {
    all.iter().map(|one| (one.name().to_owned(), encode_schema(&one.schema())))
}

fn capabilities() -> proto::ServerCapabilities {
    proto::ServerCapabilities { plan_destroy: true, get_provider_schema_optional: true, ..Default::default() }
}
