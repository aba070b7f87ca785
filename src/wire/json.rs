//! JSON values: the state file as Terraform hands it over for an upgrade, and the rare client that sends JSON on the wire.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::msgpack::{InvalidValue, sorted_set};
use super::value_type::read_type;
use crate::terraform::{Trail, Type, Value};

/// Decodes a value of exactly this type.
///
/// # Errors
/// Invalid JSON or a value of another type, with the path to it.
pub(super) fn decode(bytes: &[u8], of: &Type) -> Result<Value, InvalidValue> {
    typed(parsed(bytes)?, of, Shape::Exact, &Trail::Root)
}

/// Decodes a stored state: attributes that an older provider did not know are null, attributes that this one no longer knows are dropped.
///
/// # Errors
/// Invalid JSON or a value of another type, with the path to it.
pub(crate) fn decode_state(bytes: &[u8], of: &Type) -> Result<Value, InvalidValue> {
    typed(parsed(bytes)?, of, Shape::Older, &Trail::Root)
}

fn parsed(bytes: &[u8]) -> Result<Json, InvalidValue> {
    serde_json::from_slice(bytes).map_err(|error| InvalidValue::new(&Trail::Root, format!("not valid JSON: {error}")))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Exact,
    Older,
}

fn typed(json: Json, of: &Type, shape: Shape, trail: &Trail<'_>) -> Result<Value, InvalidValue> {
    match (of, json) {
        (_, Json::Null) => Ok(Value::Null),
        (Type::Bool, Json::Bool(flag)) => Ok(Value::Bool(flag)),
        (Type::String, Json::String(text)) => Ok(Value::String(text)),
        // With arbitrary precision, the number keeps its text: nothing is lost.
        (Type::Number, Json::Number(number)) => number_value(&number.to_string(), trail),
        (Type::Number, Json::String(text)) => number_value(&text, trail),
        (Type::List(element), Json::Array(elements)) => {
            let decoded = elements.into_iter().enumerate().map(|(index, json)| typed(json, element, shape, &trail.index(index)));
            decoded.collect::<Result<_, _>>().map(Value::List)
        }
        (Type::Set(element), Json::Array(elements)) => {
            let members = elements.into_iter().map(|json| typed(json, element, shape, trail)).collect::<Result<Vec<_>, _>>()?;
            Ok(Value::List(sorted_set(members)))
        }
        (Type::Map(element), Json::Object(entries)) => {
            let decoded = entries.into_iter().map(|(key, json)| {
                let value = typed(json, element, shape, &trail.key(&key))?;
                Ok((key, value))
            });
            decoded.collect::<Result<_, _>>().map(Value::Map)
        }
        (Type::Tuple(elements), Json::Array(members)) if members.len() == elements.len() => {
            let members = members.into_iter().zip(elements).enumerate();
            let decoded = members.map(|(index, (json, of))| typed(json, of, shape, &trail.index(index)));
            decoded.collect::<Result<_, _>>().map(Value::List)
        }
        (Type::Dynamic, Json::Object(mut entries)) => {
            let of = entries.remove("type").and_then(|notation| read_type(notation.to_string().as_bytes()));
            let of = of.ok_or_else(|| InvalidValue::new(trail, "the type beside the value cannot be read"))?;
            typed(entries.remove("value").unwrap_or_default(), &of, shape, trail)
        }
        (Type::Object(attributes), Json::Object(mut entries)) => {
            let mut decoded = BTreeMap::new();
            for (name, of) in attributes {
                let trail = trail.attribute(name);
                let (name, value) = match entries.remove_entry(name) {
                    Some((name, json)) => (name, typed(json, of, shape, &trail)?),
                    None if shape == Shape::Older => (name.clone(), Value::Null),
                    None => return Err(InvalidValue::new(&trail, "the attribute is missing")),
                };
                decoded.insert(name, value);
            }
            match entries.into_iter().next() {
                Some((extra, _)) if shape == Shape::Exact => {
                    Err(InvalidValue::new(&trail.attribute(&extra), "there is no such attribute"))
                }
                _ => Ok(Value::Map(decoded)),
            }
        }
        _ => Err(InvalidValue::new(trail, "the value has another type than in the schema")),
    }
}

fn number_value(text: &str, trail: &Trail<'_>) -> Result<Value, InvalidValue> {
    text.parse().map(Value::Number).map_err(|_| InvalidValue::new(trail, "the number cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of() -> Type {
        Type::Object([("name".to_owned(), Type::String), ("big".to_owned(), Type::Number)].into())
    }

    #[test]
    fn an_older_state_gets_nulls_and_loses_what_is_gone() {
        let value = decode_state(br#"{"name":"a","removed":[1]}"#, &of()).unwrap();
        assert_eq!(value.get("name"), &Value::from("a"));
        assert!(value.get("big").is_null());
        assert!(decode(br#"{"name":"a"}"#, &of()).is_err());
    }

    #[test]
    fn numbers_keep_every_digit() {
        let value = decode_state(br#"{"big":12345678901234567890.12345}"#, &of()).unwrap();
        assert_eq!(value.get("big"), &Value::Number("12345678901234567890.12345".parse().unwrap()));
    }

    #[test]
    fn truncated_or_mistyped_states_are_errors() {
        for bytes in [&br#"{"name":"#[..], br#"{"name":5}"#, b"", b"[]"] {
            assert!(decode_state(bytes, &of()).is_err());
        }
    }
}
