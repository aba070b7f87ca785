//! The kinds that have pages, as the Registry lays them out.

use std::collections::BTreeMap;

use anyhow::Result;
use terraform_provider_clickpipes::proto::tfplugin6::{
    Function, ResourceIdentitySchema, Schema, get_provider_schema, get_resource_identity_schemas,
};

use crate::core_client::CoreClient;

/// What has a page.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A managed resource, and the attributes of its identity.
    Resource(Schema, ResourceIdentitySchema),
    /// Anything else with a schema.
    Configured(Schema),
    /// A function.
    Function(Function),
}

/// One kind of the protocol.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its name on pages.
    pub title: &'static str,
    /// Its folder in `docs/`, `docs/templates/` and `examples/`.
    pub folder: &'static str,
    /// The file of its example.
    pub example: &'static str,
    /// Its inhabitants by name.
    pub subjects: BTreeMap<String, Subject>,
}

/// Asks the provider built from this source what it offers: the provider block, and every kind.
///
/// # Errors
/// If it does not build, start or answer.
pub async fn fetch() -> Result<(Option<Schema>, Vec<Kind>)> {
    let mut core = CoreClient::start().await?;
    let answer = core.provider.get_provider_schema(get_provider_schema::Request {}).await?.into_inner();
    let request = get_resource_identity_schemas::Request {};
    let mut identities = core.provider.get_resource_identity_schemas(request).await?.into_inner().identity_schemas;
    core.close().await?;
    let resources = answer.resource_schemas.into_iter().map(|(name, schema)| {
        let identity = identities.remove(&name).unwrap_or_default();
        (name, Subject::Resource(schema, identity))
    });
    let resources = resources.collect();
    let configured = |schemas: &mut dyn Iterator<Item = (String, Schema)>| {
        schemas.map(|(name, schema)| (name, Subject::Configured(schema))).collect::<BTreeMap<_, _>>()
    };
    let actions = answer.action_schemas.into_iter().filter_map(|(name, action)| Some((name, action.schema?)));
    let functions = answer.functions.into_iter().map(|(name, function)| (name, Subject::Function(function)));
    let kind = |title, folder, example, subjects| Kind { title, folder, example, subjects };
    let kinds = vec![
        kind("Resource", "resources", "resource.tf", resources),
        kind("Data Source", "data-sources", "data-source.tf", configured(&mut answer.data_source_schemas.into_iter())),
        kind("Function", "functions", "function.tf", functions.collect()),
        kind(
            "Ephemeral Resource",
            "ephemeral-resources",
            "ephemeral-resource.tf",
            configured(&mut answer.ephemeral_resource_schemas.into_iter()),
        ),
        kind(
            "List Resource",
            "list-resources",
            "list-resource.tfquery.hcl",
            configured(&mut answer.list_resource_schemas.into_iter()),
        ),
        kind("Action", "actions", "action.tf", configured(&mut actions.into_iter())),
    ];
    Ok((answer.provider, kinds))
}
