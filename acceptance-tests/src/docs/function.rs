//! What a page says about a function: its signature, and its arguments.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use terraform_provider_clickpipes::proto::tfplugin6::Function;

use super::{attribute_type, schema};

/// The signature in one line.
///
/// # Errors
/// A type is missing, or Terraform does not know it.
pub(super) fn signature(name: &str, function: &Function) -> Result<String> {
    let of = |notation: &[u8]| attribute_type::of_notation(notation).map(|name| name.to_lowercase());
    let parameters = function.parameters.iter().map(|parameter| Ok(format!("{} {}", parameter.name, of(&parameter.r#type)?)));
    let parameters = parameters.collect::<Result<Vec<_>>>()?.join(", ");
    let returns = function.r#return.as_ref().context("it gives nothing")?;
    Ok(format!("```text\n{name}({parameters}) {}\n```", of(&returns.r#type)?))
}

/// The arguments, numbered.
///
/// # Errors
/// As [`signature`].
pub(super) fn arguments(function: &Function) -> Result<String> {
    let mut text = String::new();
    for (index, parameter) in function.parameters.iter().enumerate() {
        let of = attribute_type::of_notation(&parameter.r#type)?;
        let nullable = if parameter.allow_null_value { ", Nullable" } else { "" };
        let description = schema::paragraphs(&parameter.description).join("\n\n   ");
        let _ = writeln!(text, "{}. `{}` ({of}{nullable}) {description}", index + 1, parameter.name);
    }
    Ok(text)
}
