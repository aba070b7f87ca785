//! Declared schemas as protobuf.

use super::value_type::type_json;
use crate::proto::tfplugin6 as proto;
use crate::terraform::{Attribute, Declaration, Kind, Nesting, Parameter, Schema};

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

/// The attributes that identify one object of a resource. An import needs the required ones.
pub(crate) fn encode_identity_schema(version: i64, attributes: &[Attribute]) -> proto::ResourceIdentitySchema {
    let encode = |attribute: &Attribute| proto::resource_identity_schema::IdentityAttribute {
        name: attribute.name.clone(),
        r#type: type_json(&attribute.kind.value_type()).to_string().into_bytes(),
        required_for_import: attribute.flags.required,
        optional_for_import: attribute.flags.optional,
        description: attribute.description.clone(),
    };
    proto::ResourceIdentitySchema { version, identity_attributes: attributes.iter().map(encode).collect() }
}

/// The parameters and the result of a function.
pub(crate) fn encode_function(declaration: &Declaration) -> proto::Function {
    let parameter = |parameter: &Parameter| proto::function::Parameter {
        name: parameter.name.to_owned(),
        r#type: type_json(&parameter.of).to_string().into_bytes(),
        allow_null_value: parameter.nullable,
        allow_unknown_values: false,
        description: parameter.description.to_owned(),
        description_kind: proto::StringKind::Markdown as i32,
    };
    let returns = proto::function::Return { r#type: type_json(&declaration.returns).to_string().into_bytes() };
    proto::Function {
        parameters: declaration.parameters.iter().map(parameter).collect(),
        r#return: Some(returns),
        summary: declaration.summary.to_owned(),
        description: declaration.description.to_owned(),
        description_kind: proto::StringKind::Markdown as i32,
        ..Default::default()
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
