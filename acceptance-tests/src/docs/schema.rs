//! The section "Schema" of a page: what is required, optional and read-only, and the schemas nested in it.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use terraform_provider_clickpipes::proto::tfplugin6::{Schema, schema::Attribute};

use super::attribute_type;

const WRITE_ONLY: &str = "https://developer.hashicorp.com/terraform/language/resources/ephemeral#write-only-arguments";

/// Describes a whole schema, below a heading of the second level.
///
/// # Errors
/// An attribute has no description or no type; the message names it.
pub(super) fn section(schema: &Schema) -> Result<String> {
    let attributes = schema.block.as_ref().map(|block| block.attributes.as_slice()).unwrap_or_default();
    let mut text = "## Schema\n".to_owned();
    for (title, members) in groups(attributes) {
        let _ = write!(text, "\n### {title}\n\n{}", list(&[], &members)?);
    }
    nested(&mut text, &[], attributes)?;
    Ok(text)
}

/// The attributes by what the practitioner may do with them, each group sorted by name.
fn groups(attributes: &[Attribute]) -> Vec<(&'static str, Vec<&Attribute>)> {
    let kind = |attribute: &Attribute| match attribute {
        attribute if attribute.required => "Required",
        attribute if attribute.optional => "Optional",
        _ => "Read-Only",
    };
    let group = |title| {
        let mut members: Vec<&Attribute> = attributes.iter().filter(|attribute| kind(attribute) == title).collect();
        members.sort_by_key(|attribute| attribute.name.as_str());
        (title, members)
    };
    ["Required", "Optional", "Read-Only"].into_iter().map(group).filter(|(_, members)| !members.is_empty()).collect()
}

fn list(path: &[&str], attributes: &[&Attribute]) -> Result<String> {
    let mut text = String::new();
    for attribute in attributes {
        let path = [path, &[attribute.name.as_str()]].concat();
        ensure!(!attribute.description.trim().is_empty(), "{} has no description", path.join("."));
        let mut kind = attribute_type::name(attribute)?;
        if attribute.sensitive {
            kind.push_str(", Sensitive");
        }
        if attribute.write_only {
            let _ = write!(kind, ", [Write-only]({WRITE_ONLY})");
        }
        let deprecated = if attribute.deprecated { "**Deprecated.** " } else { "" };
        let description = paragraphs(&attribute.description).join("\n\n  ");
        let _ = write!(text, "- `{}` ({kind}) {deprecated}{description}", attribute.name);
        if attribute.nested_type.is_some() {
            let _ = write!(text, " (see [below for nested schema](#{}))", anchor(&path));
        }
        text.push('\n');
    }
    Ok(text)
}

fn nested(text: &mut String, path: &[&str], attributes: &[Attribute]) -> Result<()> {
    let mut attributes: Vec<&Attribute> = attributes.iter().collect();
    attributes.sort_by_key(|attribute| attribute.name.as_str());
    for attribute in attributes {
        let Some(object) = &attribute.nested_type else { continue };
        let path = [path, &[attribute.name.as_str()]].concat();
        let _ = write!(text, "\n<a id=\"{}\"></a>\n\n### Nested Schema for `{}`\n", anchor(&path), path.join("."));
        for (title, members) in groups(&object.attributes) {
            let _ = write!(text, "\n{title}:\n\n{}", list(&path, &members)?);
        }
        nested(text, &path, &object.attributes)?;
    }
    Ok(())
}

fn anchor(path: &[&str]) -> String {
    format!("nestedatt--{}", path.join("--"))
}

/// The paragraphs of a description. Line breaks come from the source, so lines are joined.
pub(super) fn paragraphs(description: &str) -> Vec<String> {
    let join = |paragraph: &str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    description.split("\n\n").map(join).filter(|paragraph| !paragraph.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use terraform_provider_clickpipes::proto::tfplugin6::schema::{Block, Object, object::NestingMode};

    use super::*;

    fn attribute(name: &str, description: &str) -> Attribute {
        Attribute {
            name: name.to_owned(),
            r#type: br#""string""#.to_vec(),
            description: description.to_owned(),
            ..Attribute::default()
        }
    }

    fn schema(attributes: Vec<Attribute>) -> Schema {
        Schema { version: 0, block: Some(Block { attributes, ..Block::default() }) }
    }

    #[test]
    fn groups_are_sorted_and_nested_schemas_have_anchors() {
        let leaf = Attribute { optional: true, ..attribute("where", "A filter.") };
        let object = Object { attributes: vec![leaf], nesting: NestingMode::Map as i32, ..Object::default() };
        let described = section(&schema(vec![
            Attribute {
                optional: true,
                sensitive: true,
                write_only: true,
                ..attribute("password_wo", "A\nsecret.\n\nKept\nnowhere.")
            },
            Attribute { optional: true, r#type: Vec::new(), nested_type: Some(object), ..attribute("options", "By table.") },
            Attribute { computed: true, ..attribute("id", "The id.") },
            Attribute { required: true, ..attribute("name", "The name.") },
        ]));
        let expected = format!(
            "## Schema\n\n### Required\n\n- `name` (String) The name.\n\n### Optional\n\n- `options` (Attributes Map) By table. (see [below \
             for nested schema](#nestedatt--options))\n- `password_wo` (String, Sensitive, [Write-only]({WRITE_ONLY})) A secret.\n\n  Kept \
             nowhere.\n\n### Read-Only\n\n- `id` (String) The id.\n\n<a id=\"nestedatt--options\"></a>\n\n### Nested Schema for \
             `options`\n\nOptional:\n\n- `where` (String) A filter.\n"
        );
        assert_eq!(described.unwrap(), expected);
    }

    #[test]
    fn an_attribute_without_a_description_is_named() {
        let object =
            Object { attributes: vec![attribute("where", " ")], nesting: NestingMode::Single as i32, ..Object::default() };
        let options = Attribute { r#type: Vec::new(), nested_type: Some(object), ..attribute("options", "By table.") };
        assert_eq!(section(&schema(vec![options])).unwrap_err().to_string(), "options.where has no description");
    }
}
