//! What a page says about a resource's identity.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use terraform_provider_clickpipes::proto::tfplugin6::{ResourceIdentitySchema, resource_identity_schema::IdentityAttribute};

use super::{attribute_type, schema};

/// The attributes, by whether an import needs them.
///
/// # Errors
/// There are none, or one lacks its type or its description.
pub(super) fn section(identity: &ResourceIdentitySchema) -> Result<String> {
    ensure!(!identity.identity_attributes.is_empty(), "the resource has no identity");
    let mut text = String::new();
    for (title, required) in [("Required", true), ("Optional", false)] {
        let mut members: Vec<&IdentityAttribute> =
            identity.identity_attributes.iter().filter(|attribute| attribute.required_for_import == required).collect();
        members.sort_by_key(|attribute| attribute.name.as_str());
        if members.is_empty() {
            continue;
        }
        let _ = write!(text, "#### {title}\n\n");
        for attribute in members {
            ensure!(!attribute.description.trim().is_empty(), "{} of the identity has no description", attribute.name);
            let of = attribute_type::of_notation(&attribute.r#type)?;
            let description = schema::paragraphs(&attribute.description).join("\n\n  ");
            let _ = writeln!(text, "- `{}` ({of}) {description}", attribute.name);
        }
        text.push('\n');
    }
    Ok(text)
}
