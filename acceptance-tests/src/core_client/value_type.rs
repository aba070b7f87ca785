//! cty's types, from the JSON notation in which a schema has them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

impl Type {
    /// Reads the notation: `"string"`, `["list","string"]`, `["object",{"a":"bool"}]`.
    ///
    /// # Errors
    /// What is no type, and those that this client does not know (tuples, dynamic ones), are named.
    pub fn parse(notation: &[u8]) -> Result<Self, String> {
        let json = serde_json::from_slice(notation).map_err(|error| format!("the type is no JSON: {error}"))?;
        Self::read(&json)
    }

    fn read(json: &Json) -> Result<Self, String> {
        let inner = |json: &Json| Self::read(json).map(Box::new);
        match json {
            Json::String(name) if name == "bool" => Ok(Self::Bool),
            Json::String(name) if name == "number" => Ok(Self::Number),
            Json::String(name) if name == "string" => Ok(Self::Text),
            Json::Array(parts) => match parts.as_slice() {
                [Json::String(kind), of] if kind == "list" => Ok(Self::List(inner(of)?)),
                [Json::String(kind), of] if kind == "set" => Ok(Self::Set(inner(of)?)),
                [Json::String(kind), of] if kind == "map" => Ok(Self::Map(inner(of)?)),
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
        for unknown in [&br#""dynamic""#[..], br#"["tuple",["string"]]"#, b"5", b"["] {
            assert!(Type::parse(unknown).is_err());
        }
    }
}
