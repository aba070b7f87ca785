//! Declared schemas as protobuf.

use crate::proto::tfplugin6 as proto;
use crate::terraform::{Attribute, Kind, Nesting, Schema, Type};

/// A schema as Terraform expects it.
pub(crate) fn encode_schema(schema: &Schema) -> proto::Schema {
    proto::Schema {
        version: schema.version,
        block: Some(proto::schema::Block {
            version: schema.version,
            attributes: schema.attributes.iter().map(attribute).collect(),
            description: schema.description.clone(),
            description_kind: proto::StringKind::Markdown as i32,
            ..Default::default()
        }),
    }
}

fn attribute(attribute: &Attribute) -> proto::schema::Attribute {
    // Terraform rejects a schema that fills both `type` and `nested_type`.
    let (plain, nested) = match &attribute.kind {
        Kind::Plain(plain) => (type_json(plain).to_string().into_bytes(), None),
        Kind::Nested { nesting, attributes } => (Vec::new(), Some(object(*nesting, attributes))),
    };
    proto::schema::Attribute {
        name: attribute.name.clone(),
        r#type: plain,
        nested_type: nested,
        description: attribute.description.clone(),
        description_kind: proto::StringKind::Markdown as i32,
        required: attribute.flags.required,
        optional: attribute.flags.optional,
        computed: attribute.flags.computed,
        sensitive: attribute.flags.sensitive,
        write_only: attribute.flags.write_only,
        ..Default::default()
    }
}

fn object(nesting: Nesting, attributes: &[Attribute]) -> proto::schema::Object {
    use proto::schema::object::NestingMode;
    let nesting = match nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Map => NestingMode::Map,
    };
    proto::schema::Object {
        attributes: attributes.iter().map(attribute).collect(),
        nesting: nesting as i32,
        ..Default::default()
    }
}

/// A type in cty's JSON notation: `"string"`, `["list","string"]`, `["object",{...}]`.
pub(crate) fn type_json(of: &Type) -> serde_json::Value {
    use serde_json::{Value as Json, json};
    match of {
        Type::Bool => json!("bool"),
        Type::Number => json!("number"),
        Type::String => json!("string"),
        Type::List(element) => json!(["list", type_json(element)]),
        Type::Set(element) => json!(["set", type_json(element)]),
        Type::Map(element) => json!(["map", type_json(element)]),
        Type::Object(attributes) => {
            let attributes = attributes.iter().map(|(name, of)| (name.clone(), type_json(of)));
            json!(["object", Json::Object(attributes.collect())])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_ctys_notation() {
        let of = Type::Map(Box::new(Type::Object(vec![("columns".to_owned(), Type::List(Box::new(Type::String)))])));
        assert_eq!(type_json(&of).to_string(), r#"["map",["object",{"columns":["list","string"]}]]"#);
    }
}
