//! `ValidateResourceConfig`: a configuration by itself, possibly with unknown values.

use std::collections::BTreeSet;

use super::stored;
use crate::proto::tfplugin6 as proto;
use crate::resource::Resource;
use crate::terraform::{Attribute, AttributePath, Diagnostic, Diagnostics, Model, Value};
use crate::wire::encode_diagnostics;

pub(super) fn validate<R: Resource>(
    request: &proto::validate_resource_config::Request,
) -> proto::validate_resource_config::Response {
    let write_only_allowed = request.client_capabilities.as_ref().is_some_and(|client| client.write_only_attributes_allowed);
    let diagnostics = check::<R>(request, write_only_allowed).unwrap_or_else(|diagnostics| diagnostics);
    proto::validate_resource_config::Response { diagnostics: encode_diagnostics(diagnostics) }
}

fn check<R: Resource>(
    request: &proto::validate_resource_config::Request,
    write_only_allowed: bool,
) -> Result<Diagnostics, Diagnostics> {
    let config = stored::decode_value::<R>(request.config.as_ref())?;
    let mut diagnostics = Diagnostics::new();
    for attribute in R::Model::attributes() {
        let value = config.get(&attribute.name);
        if attribute.flags.write_only && !write_only_allowed && !value.is_null() {
            diagnostics.push(needs_write_only(attribute));
        }
        if attribute.flags.unordered {
            diagnostics.extend(duplicates(attribute, value));
        }
    }
    diagnostics.extend(R::validate(&stored::model::<R>(&config)?));
    Ok(diagnostics)
}

fn needs_write_only(attribute: &Attribute) -> Diagnostic {
    let detail = format!(
        "Attribute {} is write-only: its value is not stored. This needs Terraform 1.11 or OpenTofu 1.11, or later: \
         upgrade, or leave the attribute out.",
        attribute.name
    );
    Diagnostic::error("Terraform is too old for write-only attributes", detail).at(AttributePath::of(&attribute.name))
}

fn duplicates(attribute: &Attribute, value: &Value) -> Diagnostics {
    let Value::List(members) = value else { return Diagnostics::new() };
    let mut seen = BTreeSet::new();
    let mut faults = Diagnostics::new();
    for (index, member) in members.iter().enumerate() {
        if member.contains_unknown() || seen.insert(member) {
            continue;
        }
        let name = if let Value::String(name) = member { name.as_str() } else { "the same value" };
        let path = AttributePath::of(&attribute.name).index(index);
        faults.push(
            Diagnostic::error("Duplicate entry", format!("Attribute {path}: {name} is listed twice. Remove one of the two."))
                .at(path),
        );
        if faults.has_enough_errors() {
            break;
        }
    }
    faults
}
