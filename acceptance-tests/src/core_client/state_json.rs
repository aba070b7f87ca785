//! A state as core stores it in JSON and hands it over for an upgrade. It cannot hold unknown values.

use serde_json::{Map, Number, Value as Json, json};

use super::path::{Path, Step};
use super::value::Value;
use super::value_type::Type;

/// What an absent attribute means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Null: a configuration names only some arguments.
    IsNull,
    /// A mistake.
    IsRefused,
}

/// Writes a value.
///
/// # Panics
/// If a part of it is unknown: a rule of core has to find that before anything is stored.
#[must_use]
pub fn encode(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Unknown(_) => panic!("an unknown value cannot be stored"),
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) => {
            // With arbitrary precision a number keeps its text.
            number.to_string().parse::<Number>().map_or(Json::Null, Json::Number)
        }
        Value::Text(text) => Json::String(text.clone()),
        Value::List(elements) | Value::Set(elements) => Json::Array(elements.iter().map(encode).collect()),
        Value::Map(entries) | Value::Object(entries) => {
            Json::Object(entries.iter().map(|(name, entry)| (name.clone(), encode(entry))).collect::<Map<_, _>>())
        }
        Value::Typed(of, value) => json!({ "type": of.notation(), "value": encode(value) }),
    }
}

/// Reads a value of this type.
///
/// # Errors
/// A value of another type, with its path.
pub fn decode(json: &Json, of: &Type, missing: Missing) -> Result<Value, String> {
    typed(json, of, missing, &Path::root())
}

fn typed(json: &Json, of: &Type, missing: Missing, path: &Path) -> Result<Value, String> {
    match (of, json) {
        (_, Json::Null) => Ok(Value::Null),
        (Type::Bool, Json::Bool(flag)) => Ok(Value::Bool(*flag)),
        (Type::Text, Json::String(text)) => Ok(Value::text(text)),
        (Type::Number, Json::Number(number)) => {
            number.to_string().parse().map(Value::Number).map_err(|error| format!("{path}: {error}"))
        }
        (Type::List(element), Json::Array(elements)) => {
            let read = elements.iter().enumerate().map(|(index, json)| typed(json, element, missing, &path.index(index)));
            read.collect::<Result<_, _>>().map(Value::List)
        }
        (Type::Set(element), Json::Array(elements)) => {
            let read = elements.iter().map(|json| typed(json, element, missing, &path.then(Step::Element)));
            read.collect::<Result<_, _>>().map(Value::set)
        }
        (Type::Map(element), Json::Object(entries)) => {
            let read = entries.iter().map(|(key, json)| Ok((key.clone(), typed(json, element, missing, &path.key(key))?)));
            read.collect::<Result<_, String>>().map(Value::Map)
        }
        (Type::Object(attributes), Json::Object(entries)) => {
            if let Some(extra) = entries.keys().find(|name| !attributes.contains_key(*name)) {
                return Err(format!("{}: unsupported attribute", path.attribute(extra)));
            }
            let read = attributes.iter().map(|(name, of)| {
                let path = path.attribute(name);
                let value = match entries.get(name) {
                    Some(json) => typed(json, of, missing, &path)?,
                    None if missing == Missing::IsNull => Value::Null,
                    None => return Err(format!("{path}: attribute is required")),
                };
                Ok((name.clone(), value))
            });
            read.collect::<Result<_, String>>().map(Value::Object)
        }
        (Type::Tuple(of), Json::Array(elements)) if of.len() == elements.len() => {
            let read = of.iter().zip(elements).enumerate();
            let read = read.map(|(index, (of, json))| typed(json, of, missing, &path.index(index)));
            read.collect::<Result<_, _>>().map(Value::List)
        }
        // A configuration writes the value itself, and its type is that of the literal; a state has the type next to it.
        (Type::Dynamic, json) if missing == Missing::IsNull => {
            let of = literal_type(json);
            let value = typed(json, &of, missing, path)?;
            Ok(Value::Typed(Box::new(of), Box::new(value)))
        }
        (Type::Dynamic, Json::Object(entries)) if entries.contains_key("type") => {
            let of = Type::parse(entries["type"].to_string().as_bytes()).map_err(|error| format!("{path}: {error}"))?;
            let value = typed(entries.get("value").unwrap_or(&Json::Null), &of, missing, path)?;
            Ok(Value::Typed(Box::new(of), Box::new(value)))
        }
        (of, json) => Err(format!("{path}: {json} is no {of:?}")),
    }
}

/// The type that Terraform's language gives to a literal.
fn literal_type(json: &Json) -> Type {
    match json {
        Json::Null => Type::Dynamic,
        Json::Bool(_) => Type::Bool,
        Json::Number(_) => Type::Number,
        Json::String(_) => Type::Text,
        Json::Array(elements) => Type::Tuple(elements.iter().map(literal_type).collect()),
        Json::Object(entries) => Type::Object(entries.iter().map(|(name, entry)| (name.clone(), literal_type(entry))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_value_is_read_again_to_the_last_digit() {
        let of = Type::Map(Box::new(Type::Number));
        let value = Value::Map([("big".to_owned(), Value::Number("12345678901234567890.12345".parse().unwrap()))].into());
        assert_eq!(decode(&encode(&value), &of, Missing::IsRefused), Ok(value));
    }

    #[test]
    fn a_dynamic_value_is_read_as_a_literal_and_stored_with_its_type() {
        let value = decode(&json!({ "a": ["x", 5, null] }), &Type::Dynamic, Missing::IsNull).unwrap();
        let of = Type::Tuple(vec![Type::Text, Type::Number, Type::Dynamic]);
        let Value::Typed(whole, inner) = &value else { panic!("{value:?}") };
        assert_eq!(**whole, Type::Object([("a".to_owned(), of)].into()));
        assert_eq!(inner.attribute("a"), Value::List(vec![Value::text("x"), Value::Number(5.into()), Value::Null]));
        assert_eq!(decode(&encode(&value), &Type::Dynamic, Missing::IsRefused), Ok(value));
    }

    #[test]
    fn a_state_has_every_attribute() {
        let of = Type::Object([("name".to_owned(), Type::Text)].into());
        assert!(decode(&json!({}), &of, Missing::IsRefused).unwrap_err().contains(".name"));
        assert!(decode(&json!({ "name": 5 }), &of, Missing::IsNull).unwrap_err().contains(".name"));
    }
}
