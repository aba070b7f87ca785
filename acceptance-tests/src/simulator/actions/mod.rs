//! The actions of the API: each reads or changes the state and leaves slow changes to `lifecycle`.

mod clusters;
mod describe;
mod engine;
mod global;
mod groups;
mod instances;
mod parameters;
mod secrets;
mod settings;
mod sts;
mod tags;

use std::sync::Arc;

use super::content::Content;
use super::error::ApiError;
use super::request::Request;
use super::service::Service;
use super::shared::Shared;
use super::xml::Xml;

pub(crate) use groups::create_group;

/// Answers one call.
pub(crate) fn dispatch(shared: &Arc<Shared>, request: &Request) -> Result<Content, ApiError> {
    match (request.service, request.action.as_str()) {
        (Service::Rds, _) => dispatch_rds(shared, request).map(Content::Xml),
        (Service::SecretsManager, "GetSecretValue") => shared.read(request, |state| secrets::get_value(state, request)),
        (Service::Sts, "AssumeRole") => sts::assume_role(shared, request).map(Content::Xml),
        (Service::Sts, "GetCallerIdentity") => sts::caller_identity(shared, request).map(Content::Xml),
        (_, other) => Err(ApiError::not_simulated(&format!("the action {other}"))),
    }
}

fn dispatch_rds(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    match request.action.as_str() {
        "DescribeDBClusters" => shared.read(request, |state| clusters::describe(shared, state, request)),
        "CreateDBCluster" => clusters::create(shared, request),
        "ModifyDBCluster" => clusters::modify(shared, request),
        "DeleteDBCluster" => clusters::delete(shared, request),
        "FailoverDBCluster" => clusters::fail_over(shared, request),
        "DescribeDBInstances" => shared.read(request, |state| instances::describe(shared, state, request)),
        "CreateDBInstance" => instances::create(shared, request),
        "ModifyDBInstance" => instances::modify(shared, request),
        "DeleteDBInstance" => instances::delete(shared, request),
        "RebootDBInstance" => instances::reboot(shared, request),
        "DescribeDBClusterParameterGroups" => shared.read(request, |state| groups::describe(shared, state, request)),
        "CreateDBClusterParameterGroup" => groups::create(shared, request),
        "DeleteDBClusterParameterGroup" => groups::delete(shared, request),
        "DescribeDBClusterParameters" => shared.read(request, |state| parameters::describe(shared, state, request)),
        "DescribeEngineDefaultClusterParameters" => parameters::describe_engine_defaults(shared, request),
        "ModifyDBClusterParameterGroup" => parameters::modify(shared, request),
        "ResetDBClusterParameterGroup" => parameters::reset(shared, request),
        "DescribeDBEngineVersions" => engine::describe_engine_versions(shared, request),
        "DescribeGlobalClusters" => shared.read(request, |state| global::describe(shared, state, request)),
        "ListTagsForResource" => shared.read(request, |state| tags::list(state, request)),
        "AddTagsToResource" => tags::add(shared, request),
        "RemoveTagsFromResource" => tags::remove(shared, request),
        other => Err(ApiError::not_simulated(&format!("the action {other}"))),
    }
}
