//! Every place of a schema where a configuration may hold a value, and configurations with one value there.

use acceptance_tests::core_client::schema::{Attribute, Nesting, Shape};
use acceptance_tests::core_client::{Path, Refinement, Type, Value};

/// A place: an argument, below the arguments that it is nested in.
#[derive(Clone, Debug)]
pub struct Place {
    outer: Vec<Attribute>,
    /// The argument itself.
    pub argument: Attribute,
}

impl Place {
    /// All places below these attributes.
    pub fn all(attributes: &[Attribute]) -> Vec<Self> {
        let mut found = Vec::new();
        walk(attributes, &[], &mut found);
        found
    }

    /// The path to it.
    pub fn path(&self) -> Path {
        let mut path = Path::root();
        for outer in &self.outer {
            path = path.attribute(&outer.name);
            path = match outer.shape {
                Shape::Nested(Nesting::List, _) => path.index(0),
                Shape::Nested(Nesting::Map, _) => path.key("key"),
                _ => path,
            };
        }
        path.attribute(&self.argument.name)
    }

    /// How a message of the provider names it.
    pub fn name(&self) -> String {
        self.path().to_string().trim_start_matches('.').to_owned()
    }

    /// An object in which every argument is unknown and this one has the value.
    pub fn with(&self, attributes: &[Attribute], value: Value) -> Value {
        self.among(attributes, value, &all_unknown)
    }

    /// An object in which only this argument has a value.
    pub fn alone(&self, attributes: &[Attribute], value: Value) -> Value {
        self.among(attributes, value, &all_null)
    }

    fn among(&self, attributes: &[Attribute], value: Value, others: &impl Fn(&[Attribute]) -> Value) -> Value {
        let (attribute, inner) = match self.outer.split_first() {
            None => (&self.argument, value),
            Some((first, inner)) => {
                let Shape::Nested(nesting, nested) = &first.shape else { unreachable!("only nested attributes have inner ones") };
                let below = Self { outer: inner.to_vec(), argument: self.argument.clone() };
                let object = below.among(nested, value, others);
                (
                    first,
                    match nesting {
                        Nesting::Single => object,
                        Nesting::List => Value::List(vec![object]),
                        Nesting::Set => Value::set(vec![object]),
                        Nesting::Map => Value::Map([("key".to_owned(), object)].into()),
                    },
                )
            }
        };
        others(attributes).with(&attribute.name, inner)
    }
}

fn walk(attributes: &[Attribute], outer: &[Attribute], found: &mut Vec<Place>) {
    for attribute in attributes.iter().filter(|attribute| attribute.is_argument()) {
        found.push(Place { outer: outer.to_vec(), argument: attribute.clone() });
        if let Shape::Nested(_, inner) = &attribute.shape {
            walk(inner, &[outer, std::slice::from_ref(attribute)].concat(), found);
        }
    }
}

/// An object in which every argument is unknown.
pub fn all_unknown(attributes: &[Attribute]) -> Value {
    let value = |attribute: &Attribute| if attribute.is_argument() { Value::unknown() } else { Value::Null };
    Value::Object(attributes.iter().map(|attribute| (attribute.name.clone(), value(attribute))).collect())
}

/// An object without any.
fn all_null(attributes: &[Attribute]) -> Value {
    Value::Object(attributes.iter().map(|attribute| (attribute.name.clone(), Value::Null)).collect())
}

/// An object in which the nested objects exist, at any depth, and every argument in them is unknown.
pub fn innermost_unknown(attributes: &[Attribute]) -> Value {
    let value = |attribute: &Attribute| match &attribute.shape {
        Shape::Nested(Nesting::Single, inner) if attribute.is_argument() => innermost_unknown(inner),
        _ if attribute.is_argument() => Value::unknown(),
        _ => Value::Null,
    };
    Value::Object(attributes.iter().map(|attribute| (attribute.name.clone(), value(attribute))).collect())
}

/// Some value of a type. It need not make sense.
pub fn some(of: &Type) -> Value {
    match of {
        Type::Bool => Value::Bool(true),
        Type::Number => Value::Number(5.into()),
        Type::Text => Value::text("some"),
        Type::List(of) => Value::List(vec![some(of)]),
        Type::Set(of) => Value::set(vec![some(of)]),
        Type::Map(of) => Value::Map([("some".to_owned(), some(of))].into()),
        Type::Object(attributes) => Value::Object(attributes.iter().map(|(name, of)| (name.clone(), some(of))).collect()),
        Type::Tuple(of) => Value::List(of.iter().map(some).collect()),
        Type::Dynamic => Value::Typed(Box::new(Type::Text), Box::new(Value::text("some"))),
    }
}

/// A value of another type.
pub fn another(of: &Type) -> Value {
    match of {
        Type::Bool | Type::List(_) | Type::Set(_) | Type::Tuple(_) => Value::text("no bool and no list"),
        // Any value whose type is missing.
        Type::Dynamic => Value::text("no type"),
        Type::Number => Value::text("no number"),
        Type::Text => Value::Bool(true),
        Type::Map(_) | Type::Object(_) => Value::List(vec![Value::Bool(true)]),
    }
}

/// Unknown values with every refinement that core may send for a type.
pub fn refined(of: &Type) -> Vec<Value> {
    let not_null = Refinement::not_null();
    let further = match of {
        Type::Text => Refinement { prefix: Some("some-".to_owned()), ..not_null.clone() },
        Type::Number => Refinement { least: Some((1.into(), true)), most: Some((99.into(), false)), ..not_null.clone() },
        Type::List(_) | Type::Set(_) | Type::Map(_) => Refinement { shortest: Some(1), longest: Some(9), ..not_null.clone() },
        Type::Bool | Type::Object(_) | Type::Tuple(_) | Type::Dynamic => Refinement { null: Some(true), ..Refinement::default() },
    };
    vec![Value::Unknown(not_null), Value::Unknown(further)]
}
