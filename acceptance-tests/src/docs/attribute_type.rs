//! Types in the Registry's words.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use terraform_provider_clickpipes::proto::tfplugin6::schema::{Attribute, object::NestingMode};

/// Names the type of an attribute: `String`, `List of String`, `Attributes Map`.
///
/// # Errors
/// If the schema has no type that Terraform knows.
pub(super) fn name(attribute: &Attribute) -> Result<String> {
    let Some(nested) = &attribute.nested_type else {
        let cty = serde_json::from_slice(&attribute.r#type).with_context(|| format!("the type of {}", attribute.name))?;
        return plain(&cty);
    };
    Ok(match nested.nesting() {
        NestingMode::Single => "Attributes",
        NestingMode::List => "Attributes List",
        NestingMode::Set => "Attributes Set",
        NestingMode::Map => "Attributes Map",
        NestingMode::Invalid => bail!("{} has no nesting", attribute.name),
    }
    .to_owned())
}

/// Names a type in cty's notation, as in a schema.
///
/// # Errors
/// If Terraform does not know the type.
pub(super) fn of_notation(notation: &[u8]) -> Result<String> {
    plain(&serde_json::from_slice(notation)?)
}

/// Names a type in cty's notation.
fn plain(cty: &Value) -> Result<String> {
    let name = match (cty.as_str(), cty[0].as_str()) {
        (Some("string"), _) => "String".to_owned(),
        (Some("number"), _) => "Number".to_owned(),
        (Some("bool"), _) => "Boolean".to_owned(),
        (Some("dynamic"), _) => "Dynamic".to_owned(),
        (_, Some("list")) => format!("List of {}", plain(&cty[1])?),
        (_, Some("set")) => format!("Set of {}", plain(&cty[1])?),
        (_, Some("map")) => format!("Map of {}", plain(&cty[1])?),
        (_, Some("object")) => "Object".to_owned(),
        _ => bail!("{cty} is no type"),
    };
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cty: &str, expected: &str) {
        let attribute = Attribute { r#type: cty.as_bytes().to_vec(), ..Attribute::default() };
        assert_eq!(name(&attribute).unwrap(), expected);
    }

    #[test]
    fn types_have_the_registrys_names() {
        check(r#""bool""#, "Boolean");
        check(r#"["list","string"]"#, "List of String");
        check(r#"["map",["set","number"]]"#, "Map of Set of Number");
        assert!(name(&Attribute { r#type: br#""text""#.to_vec(), ..Attribute::default() }).is_err());
    }
}
