//! Parameters of cluster parameter groups: list, set, reset.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::describe::page;
use crate::simulator::catalogue::{self, Parameter};
use crate::simulator::error::ApiError;
use crate::simulator::lifecycle;
use crate::simulator::request::Request;
use crate::simulator::shared::Shared;
use crate::simulator::state::{State, UserValue};
use crate::simulator::xml::Xml;

/// The most that one call may change.
const LIMIT: usize = 20;

fn write(xml: &mut Xml, parameter: &Parameter, user: Option<&UserValue>) {
    xml.text("ParameterName", parameter.name);
    xml.optional("ParameterValue", user.map(|user| user.value.as_str()).or(parameter.default));
    xml.text("Description", "").text("Source", if user.is_some() { "user" } else { parameter.source });
    xml.text("ApplyType", parameter.apply_type).text("DataType", parameter.data_type);
    if !parameter.allowed_values.is_empty() {
        xml.text("AllowedValues", parameter.allowed_values);
    }
    xml.text("IsModifiable", parameter.is_modifiable);
    xml.text("ApplyMethod", user.map_or("pending-reboot", |user| user.apply_method.as_str()));
    xml.element("SupportedEngineModes", |xml| {
        xml.text("member", "provisioned");
    });
}

pub(super) fn describe(shared: &Arc<Shared>, state: &State, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBClusterParameterGroupName", "Source", "Filters", "MaxRecords", "Marker"])?;
    let name = request.required("DBClusterParameterGroupName")?.to_lowercase();
    let family = state.group_family(&name)?;
    let empty = BTreeMap::new();
    let values = state.groups.get(&name).map_or(&empty, |group| &group.values);
    let mut parameters: Vec<(&Parameter, Option<&UserValue>)> =
        catalogue::parameters(&family).map(|parameter| (parameter, values.get(parameter.name))).collect();
    if let Some(source) = request.get("Source") {
        parameters.retain(|(parameter, user)| source == if user.is_some() { "user" } else { parameter.source });
    }
    let (parameters, marker) = page(request, &parameters, shared.options.page_size)?;
    let mut xml = Xml::default();
    xml.list("Parameters", "Parameter", parameters, |xml, (parameter, user)| write(xml, parameter, *user));
    xml.optional("Marker", marker);
    Ok(xml)
}

pub(super) fn describe_engine_defaults(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBParameterGroupFamily", "Filters", "MaxRecords", "Marker"])?;
    let family = request.required("DBParameterGroupFamily")?;
    if catalogue::family_major(family).is_none() {
        return Err(ApiError::invalid_value(format!("ParameterGroupFamily {family} is not a valid parameter group family")));
    }
    let parameters: Vec<&Parameter> = catalogue::parameters(family).collect();
    let (parameters, marker) = page(request, &parameters, shared.options.page_size)?;
    let mut xml = Xml::default();
    xml.element("EngineDefaults", |xml| {
        xml.text("DBParameterGroupFamily", family);
        xml.optional("Marker", marker);
        xml.list("Parameters", "Parameter", parameters, |xml, parameter| write(xml, parameter, None));
    });
    Ok(xml)
}

/// A change of one parameter: a new value, or none for the default.
struct Change {
    parameter: &'static Parameter,
    value: Option<UserValue>,
}

pub(super) fn modify(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBClusterParameterGroupName", "Parameters"])?;
    let name = request.required("DBClusterParameterGroupName")?.to_lowercase();
    let mut state = shared.state();
    let family = state.group_mut(&name)?.family.clone();
    let sent = request.list("Parameters");
    if sent.is_empty() {
        return Err(ApiError::missing("Parameters"));
    }
    let mut changes = Vec::new();
    for fields in &sent {
        let (parameter, apply_method) = identify(&family, fields)?;
        let value = fields.get("ParameterValue").copied().ok_or_else(|| ApiError::missing("ParameterValue"))?;
        parameter.check(value)?;
        changes.push(Change {
            parameter,
            value: Some(UserValue { value: value.to_owned(), apply_method: apply_method.to_owned() }),
        });
    }
    change(shared, &mut state, &name, changes)
}

pub(super) fn reset(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBClusterParameterGroupName", "ResetAllParameters", "Parameters"])?;
    let name = request.required("DBClusterParameterGroupName")?.to_lowercase();
    let mut state = shared.state();
    let group = state.group_mut(&name)?;
    let mut changes = Vec::new();
    if request.flag("ResetAllParameters")?.unwrap_or(false) {
        let set: Vec<String> = group.values.keys().cloned().collect();
        for parameter in set {
            changes.push(Change { parameter: catalogue::find(&group.family, &parameter)?, value: None });
        }
    } else {
        let sent = request.list("Parameters");
        if sent.is_empty() {
            return Err(ApiError::missing("Parameters"));
        }
        for fields in &sent {
            changes.push(Change { parameter: identify(&group.family, fields)?.0, value: None });
        }
    }
    change(shared, &mut state, &name, changes)
}

fn identify<'a>(family: &str, fields: &BTreeMap<&'a str, &'a str>) -> Result<(&'static Parameter, &'a str), ApiError> {
    let name = fields.get("ParameterName").copied().ok_or_else(|| ApiError::missing("ParameterName"))?;
    let apply_method = fields.get("ApplyMethod").copied().ok_or_else(|| ApiError::missing("ApplyMethod"))?;
    let parameter = catalogue::find(family, name)?;
    match apply_method {
        "immediate" if parameter.apply_type == "static" => {
            Err(ApiError::invalid_combination(format!("cannot use immediate apply method for static parameter: {name}")))
        }
        "immediate" | "pending-reboot" => Ok((parameter, apply_method)),
        other => Err(ApiError::invalid_value(format!("Invalid apply method: {other}"))),
    }
}

fn change(shared: &Arc<Shared>, state: &mut State, name: &str, changes: Vec<Change>) -> Result<Xml, ApiError> {
    if changes.len() > LIMIT && !changes.iter().all(|change| change.value.is_none()) {
        return Err(ApiError::invalid_value(format!("A maximum of {LIMIT} parameters can be modified in a single request.")));
    }
    let group = state.group_mut(name)?;
    let (mut waits, mut at_once) = (false, false);
    for Change { parameter, value } in changes {
        let before = group.values.get(parameter.name).map(|set| set.value.clone());
        let immediate = parameter.apply_type == "dynamic" && value.as_ref().is_none_or(|value| value.apply_method == "immediate");
        let after = match value {
            Some(value) => {
                let text = value.value.clone();
                group.values.insert(parameter.name.to_owned(), value);
                Some(text)
            }
            None => {
                group.values.remove(parameter.name);
                None
            }
        };
        if before != after {
            waits |= !immediate;
            at_once |= immediate;
        }
    }
    lifecycle::group_changed(shared, state, name, waits, at_once);
    let mut xml = Xml::default();
    xml.text("DBClusterParameterGroupName", name);
    Ok(xml)
}
