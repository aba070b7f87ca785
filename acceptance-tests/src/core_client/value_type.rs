//! cty's types, from the JSON notation in which a schema has them.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// A type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    Text,
    /// `list(T)`
    List(Box<Type>),
    /// `set(T)`
    Set(Box<Type>),
    /// `map(T)`
    Map(Box<Type>),
    /// `object({...})`
    Object(BTreeMap<String, Type>),
    /// `tuple([...])`: only ever the type of a dynamic value, since no schema of a provider needs it.
    Tuple(Vec<Type>),
    /// `dynamic`: the type travels with the value.
    Dynamic,
}

impl Type {
    /// Reads the notation: `"string"`, `["list","string"]`, `["object",{"a":"bool"}]`.
    ///
    /// # Errors
    /// An invalid type, or one that this client does not know; it is named.
    pub fn parse(notation: &[u8]) -> Result<Self, String> {
        let json = serde_json::from_slice(notation).map_err(|error| format!("the type is no JSON: {error}"))?;
        Self::read(&json)
    }

    /// The notation of the type.
    #[must_use]
    pub fn notation(&self) -> Json {
        match self {
            Self::Bool => "bool".into(),
            Self::Number => "number".into(),
            Self::Text => "string".into(),
            Self::Dynamic => "dynamic".into(),
            Self::List(of) => json!(["list", of.notation()]),
            Self::Set(of) => json!(["set", of.notation()]),
            Self::Map(of) => json!(["map", of.notation()]),
            Self::Tuple(of) => json!(["tuple", of.iter().map(Self::notation).collect::<Vec<_>>()]),
            Self::Object(attributes) => {
                let of: BTreeMap<&String, Json> = attributes.iter().map(|(name, of)| (name, of.notation())).collect();
                json!(["object", of])
            }
        }
    }

    /// Whether the type of some part is known only with its value.
    #[must_use]
    pub fn is_dynamic(&self) -> bool {
        match self {
            Self::Dynamic => true,
            Self::Bool | Self::Number | Self::Text => false,
            Self::List(of) | Self::Set(of) | Self::Map(of) => of.is_dynamic(),
            Self::Tuple(of) => of.iter().any(Self::is_dynamic),
            Self::Object(attributes) => attributes.values().any(Self::is_dynamic),
        }
    }

    fn read(json: &Json) -> Result<Self, String> {
        let inner = |json: &Json| Self::read(json).map(Box::new);
        match json {
            Json::String(name) if name == "bool" => Ok(Self::Bool),
            Json::String(name) if name == "number" => Ok(Self::Number),
            Json::String(name) if name == "string" => Ok(Self::Text),
            Json::String(name) if name == "dynamic" => Ok(Self::Dynamic),
            Json::Array(parts) => match parts.as_slice() {
                [Json::String(kind), of] if kind == "list" => Ok(Self::List(inner(of)?)),
                [Json::String(kind), of] if kind == "set" => Ok(Self::Set(inner(of)?)),
                [Json::String(kind), of] if kind == "map" => Ok(Self::Map(inner(of)?)),
                [Json::String(kind), Json::Array(of)] if kind == "tuple" => {
                    of.iter().map(Self::read).collect::<Result<_, _>>().map(Self::Tuple)
                }
                [Json::String(kind), Json::Object(attributes)] if kind == "object" => {
                    let read = attributes.iter().map(|(name, of)| Ok((name.clone(), Self::read(of)?)));
                    read.collect::<Result<_, String>>().map(Self::Object)
                }
                _ => Err(format!("the conformance client does not know the type {json}: teach it (core_client/value_type.rs)")),
            },
            _ => Err(format!("the conformance client does not know the type {json}: teach it (core_client/value_type.rs)")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notation_is_read_and_what_is_not_known_is_named() {
        let nested = Type::parse(br#"["map",["object",{"columns":["list","string"],"n":"number"}]]"#).unwrap();
        let columns = ("columns".to_owned(), Type::List(Box::new(Type::Text)));
        assert_eq!(nested, Type::Map(Box::new(Type::Object([columns, ("n".to_owned(), Type::Number)].into()))));
        for unknown in [&br#""any""#[..], br#"["tuple","string"]"#, br#"["list"]"#, b"5", b"["] {
            assert!(Type::parse(unknown).is_err());
        }
    }

    #[test]
    fn a_type_is_written_as_it_is_read() {
        for notation in [r#"["list","string"]"#, r#"["tuple",["bool","dynamic"]]"#, r#"["object",{"a":["set","number"]}]"#] {
            let of = Type::parse(notation.as_bytes()).unwrap();
            assert_eq!(of.notation().to_string(), notation);
            assert_eq!(of.is_dynamic(), notation.contains("dynamic"));
        }
    }
}
