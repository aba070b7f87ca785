//! Schemas as core reads them from GetProviderSchema. Attributes only, nested ones included: blocks are refused with an error.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use terraform_provider_clickpipes::proto::tfplugin6::{self as pb, schema::object::NestingMode};

use super::state_json;
use super::value::Value;
use super::value_type::Type;

/// How often a nested object occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// Once.
    Single,
    /// In a list.
    List,
    /// In a set.
    Set,
    /// In a map.
    Map,
}

/// What an attribute holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A plain type.
    Plain(Type),
    /// Objects with attributes of their own.
    Nested(Nesting, Vec<Attribute>),
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub shape: Shape,
    /// Must be configured.
    pub required: bool,
    /// May be configured.
    pub optional: bool,
    /// May be set by the provider.
    pub computed: bool,
    /// Not shown.
    pub sensitive: bool,
    /// Given in configuration, never in plan or state.
    pub write_only: bool,
}

impl Attribute {
    /// The type of its value.
    #[must_use]
    pub fn value_type(&self) -> Type {
        match &self.shape {
            Shape::Plain(of) => of.clone(),
            Shape::Nested(nesting, attributes) => {
                let object = Box::new(object_type(attributes));
                match nesting {
                    Nesting::Single => *object,
                    Nesting::List => Type::List(object),
                    Nesting::Set => Type::Set(object),
                    Nesting::Map => Type::Map(object),
                }
            }
        }
    }

    /// Whether a configuration may hold it.
    #[must_use]
    pub fn is_argument(&self) -> bool {
        self.required || self.optional
    }

    fn decode(attribute: &pb::schema::Attribute) -> Result<Self, String> {
        let shape = match &attribute.nested_type {
            None => Shape::Plain(Type::parse(&attribute.r#type).map_err(|error| format!("{}: {error}", attribute.name))?),
            Some(object) => {
                let nesting = match object.nesting() {
                    NestingMode::Single => Nesting::Single,
                    NestingMode::List => Nesting::List,
                    NestingMode::Set => Nesting::Set,
                    NestingMode::Map => Nesting::Map,
                    NestingMode::Invalid => return Err(format!("{}: there is no such nesting", attribute.name)),
                };
                Shape::Nested(nesting, object.attributes.iter().map(Self::decode).collect::<Result<_, _>>()?)
            }
        };
        Ok(Self {
            name: attribute.name.clone(),
            shape,
            required: attribute.required,
            optional: attribute.optional,
            computed: attribute.computed,
            sensitive: attribute.sensitive,
            write_only: attribute.write_only,
        })
    }
}

/// The type of an object with these attributes.
#[must_use]
pub fn object_type(attributes: &[Attribute]) -> Type {
    Type::Object(attributes.iter().map(|attribute| (attribute.name.clone(), attribute.value_type())).collect())
}

/// The schema of the provider block or of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Version of the stored state's shape.
    pub version: i64,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// One that has no block, or blocks within it: this client plays core for attributes only.
    pub fn decode(schema: &pb::Schema) -> Result<Self, String> {
        let block = schema.block.as_ref().ok_or("the schema has no block")?;
        if let Some(nested) = block.block_types.first() {
            let name = &nested.type_name;
            return Err(format!(
                "the conformance client does not know nested blocks, such as {name}: teach it, or use attributes"
            ));
        }
        let attributes = block.attributes.iter().map(Attribute::decode).collect::<Result<_, _>>()?;
        Ok(Self { version: schema.version, attributes })
    }

    /// The type of the whole object.
    #[must_use]
    pub fn value_type(&self) -> Type {
        object_type(&self.attributes)
    }

    /// An object with the same value for each attribute that `value` gives one, and null for the others.
    #[must_use]
    pub fn object(&self, value: impl Fn(&Attribute) -> Option<Value>) -> Value {
        let attributes = self.attributes.iter();
        Value::Object(
            attributes
                .map(|attribute| (attribute.name.clone(), value(attribute).unwrap_or(Value::Null)))
                .collect::<BTreeMap<_, _>>(),
        )
    }

    /// A configuration with these arguments, null for all others, at any depth.
    ///
    /// # Errors
    /// An argument that the schema does not have, or a value of another type than its own.
    pub fn configuration(&self, arguments: &Json) -> Result<Value, String> {
        state_json::decode(arguments, &self.value_type(), state_json::Missing::IsNull)
    }
}

#[cfg(test)]
pub(super) mod examples {
    use super::*;

    /// An attribute of a plain type that is neither given nor computed yet.
    pub fn plain(name: &str, of: Type) -> Attribute {
        let shape = Shape::Plain(of);
        let name = name.to_owned();
        Attribute { name, shape, required: false, optional: false, computed: false, sensitive: false, write_only: false }
    }

    pub fn required(name: &str) -> Attribute {
        Attribute { required: true, ..plain(name, Type::Text) }
    }

    pub fn optional(name: &str, of: Type) -> Attribute {
        Attribute { optional: true, ..plain(name, of) }
    }

    pub fn computed(name: &str) -> Attribute {
        Attribute { computed: true, ..plain(name, Type::Text) }
    }

    pub fn nested(name: &str, nesting: Nesting, attributes: Vec<Attribute>) -> Attribute {
        Attribute { optional: true, shape: Shape::Nested(nesting, attributes), ..plain(name, Type::Text) }
    }

    /// An object of these entries.
    pub fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::Object(entries.map(|(name, value)| (name.to_owned(), value)).into())
    }

    #[test]
    fn blocks_are_refused() {
        let nested = pb::schema::NestedBlock { type_name: "rule".to_owned(), ..Default::default() };
        let block = pb::schema::Block { block_types: vec![nested], ..Default::default() };
        let refusal = Schema::decode(&pb::Schema { version: 0, block: Some(block) }).unwrap_err();
        assert!(refusal.contains("nested blocks, such as rule"), "{refusal}");
    }

    #[test]
    fn a_configuration_has_every_attribute_and_no_other() {
        let schema = Schema {
            version: 0,
            attributes: vec![required("name"), nested("limits", Nesting::Single, vec![optional("read", Type::Text)])],
        };
        let configuration = schema.configuration(&serde_json::json!({ "limits": {} })).unwrap();
        assert_eq!(configuration, object([("name", Value::Null), ("limits", object([("read", Value::Null)]))]));
        assert!(schema.configuration(&serde_json::json!({ "nmae": "a" })).unwrap_err().contains(".nmae"));
    }
}
