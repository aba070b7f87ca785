//! The actions of the API: each reads or changes the state and leaves what takes time to `lifecycle`.

mod clusters;
mod engine;
mod global;
mod groups;
mod instances;
mod parameters;
mod secrets;
mod settings;
mod sts;
mod tags;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::ApiError;
use super::request::Request;
use super::service::{Content, Service};
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

/// One page of `items`: those from the marker on, and the next marker if something is left.
fn page<'a, T>(request: &Request, items: &'a [T], default_size: usize) -> Result<(&'a [T], Option<String>), ApiError> {
    let size =
        match request.get("MaxRecords") {
            None => default_size,
            Some(text) => text.parse().ok().filter(|size| (20..=100).contains(size)).ok_or_else(|| {
                ApiError::invalid_value(format!("Invalid value {text} for MaxRecords. Must be between 20 and 100"))
            })?,
        };
    let start: usize = match request.get("Marker") {
        None => 0,
        Some(marker) => marker.parse().map_err(|_| ApiError::invalid_value(format!("Invalid marker: {marker}")))?,
    };
    let end = items.len().min(start.saturating_add(size));
    let page = items.get(start..end).ok_or_else(|| ApiError::invalid_value(format!("Invalid marker: {start}")))?;
    Ok((page, (end < items.len()).then(|| end.to_string())))
}

/// The values of one filter.
fn filter_values<'a>(filter: &BTreeMap<&str, &'a str>) -> Vec<&'a str> {
    filter.iter().filter(|(key, _)| key.starts_with("Values")).map(|(_, value)| *value).collect()
}

fn tag_list(request: &Request) -> BTreeMap<String, String> {
    let tags = request.list("Tags");
    tags.iter()
        .filter_map(|tag| Some(((*tag.get("Key")?).to_owned(), tag.get("Value").copied().unwrap_or_default().to_owned())))
        .collect()
}

fn write_tags(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    xml.list("TagList", "Tag", tags, |xml, (key, value)| {
        xml.text("Key", key).text("Value", value);
    });
}
