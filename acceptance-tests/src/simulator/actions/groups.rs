//! Cluster parameter groups themselves; their parameters are in `parameters`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::describe::page;
use super::tags::tag_list;
use crate::simulator::account::ACCOUNT;
use crate::simulator::catalogue;
use crate::simulator::error::ApiError;
use crate::simulator::request::Request;
use crate::simulator::shared::Shared;
use crate::simulator::state::{ParameterGroup, State, default_family};
use crate::simulator::xml::Xml;

fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:rds:{region}:{ACCOUNT}:cluster-pg:{name}")
}

fn write(xml: &mut Xml, name: &str, family: &str, description: &str, arn: &str) {
    xml.text("DBClusterParameterGroupName", name).text("DBParameterGroupFamily", family);
    xml.text("Description", description).text("DBClusterParameterGroupArn", arn);
}

pub(super) fn describe(shared: &Arc<Shared>, state: &State, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBClusterParameterGroupName", "Filters", "MaxRecords", "Marker"])?;
    let mut groups: Vec<[String; 4]> = Vec::new();
    for major in 11..=18 {
        let family = format!("aurora-postgresql{major}");
        let name = format!("default.{family}");
        let arn = arn(&shared.options.region, &name);
        groups.push([name, family.clone(), format!("Default cluster parameter group for {family}"), arn]);
    }
    groups.extend(
        state
            .groups
            .values()
            .map(|group| [group.name.clone(), group.family.clone(), group.description.clone(), group.arn.clone()]),
    );
    if let Some(wanted) = request.get("DBClusterParameterGroupName") {
        groups.retain(|[name, ..]| *name == wanted.to_lowercase());
        if groups.is_empty() {
            return Err(ApiError::group_not_found(wanted));
        }
    }
    let (groups, marker) = page(request, &groups, shared.options.page_size)?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.list("DBClusterParameterGroups", "DBClusterParameterGroup", groups, |xml, [name, family, description, arn]| {
        write(xml, name, family, description, arn)
    });
    Ok(xml)
}

pub(super) fn create(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBClusterParameterGroupName", "DBParameterGroupFamily", "Description", "Tags"])?;
    let (name, family, description) = (
        request.required("DBClusterParameterGroupName")?,
        request.required("DBParameterGroupFamily")?,
        request.required("Description")?,
    );
    let mut state = shared.state();
    let group = create_group(&mut state, &shared.options.region, name, family, description, tag_list(request))?;
    let mut xml = Xml::default();
    xml.element("DBClusterParameterGroup", |xml| write(xml, &group.name, &group.family, &group.description, &group.arn));
    Ok(xml)
}

/// Adds a group to the account.
pub(crate) fn create_group<'a>(
    state: &'a mut State,
    region: &str,
    name: &str,
    family: &str,
    description: &str,
    tags: BTreeMap<String, String>,
) -> Result<&'a ParameterGroup, ApiError> {
    let name = name.to_lowercase();
    check_name(&name)?;
    if catalogue::family_major(family).is_none() {
        return Err(ApiError::invalid_value(format!("ParameterGroupFamily {family} is not a valid parameter group family")));
    }
    if description.is_empty() {
        return Err(ApiError::invalid_value("The parameter Description must be provided and must not be blank."));
    }
    if state.groups.contains_key(&name) || default_family(&name).is_some() {
        return Err(ApiError::group_exists(&name));
    }
    let group = ParameterGroup {
        arn: arn(region, &name),
        name: name.clone(),
        family: family.to_owned(),
        description: description.to_owned(),
        values: BTreeMap::new(),
        tags,
    };
    Ok(state.groups.entry(name).or_insert(group))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let well_formed = letters
        && (1..=255).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.ends_with('-')
        && !name.contains("--");
    if well_formed {
        return Ok(());
    }
    Err(ApiError::invalid_value(format!(
        "The parameter DBClusterParameterGroupName is not a valid identifier: {name}. It must begin with a letter, contain only ASCII letters, digits and hyphens, and must not end with a hyphen or contain two consecutive hyphens."
    )))
}

pub(super) fn delete(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBClusterParameterGroupName"])?;
    let name = request.required("DBClusterParameterGroupName")?.to_lowercase();
    let mut state = shared.state();
    if default_family(&name).is_some() {
        return Err(ApiError::group_state(format!("Default DBClusterParameterGroup cannot be deleted: {name}")));
    }
    if let Some(cluster) = state.clusters.values().find(|cluster| cluster.parameter_group == name) {
        return Err(ApiError::group_state(format!(
            "One or more database clusters are still members of this parameter group {name} ({}), so the group cannot be deleted",
            cluster.identifier
        )));
    }
    state.groups.remove(&name).ok_or_else(|| ApiError::group_not_found(&name))?;
    Ok(Xml::default())
}
