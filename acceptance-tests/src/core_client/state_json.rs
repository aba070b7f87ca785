//! A state as core stores it in JSON and hands it over for an upgrade. Unknown values have no place in it.

use serde_json::{Map, Number, Value as Json};

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
    }
}

/// Reads a value of this type.
///
/// # Errors
/// What has another type, with its path.
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
        (of, json) => Err(format!("{path}: {json} is no {of:?}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stored_value_is_read_again_to_the_last_digit() {
        let of = Type::Map(Box::new(Type::Number));
        let value = Value::Map([("big".to_owned(), Value::Number("12345678901234567890.12345".parse().unwrap()))].into());
        assert_eq!(decode(&encode(&value), &of, Missing::IsRefused), Ok(value));
    }

    #[test]
    fn a_state_has_every_attribute() {
        let of = Type::Object([("name".to_owned(), Type::Text)].into());
        assert!(decode(&json!({}), &of, Missing::IsRefused).unwrap_err().contains(".name"));
        assert!(decode(&json!({ "name": 5 }), &of, Missing::IsNull).unwrap_err().contains(".name"));
    }
}
