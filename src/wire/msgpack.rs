//! cty's msgpack dialect. Numbers may come as integers, floats or decimal strings; any extension type is an unknown value; objects carry
//! every attribute of their type and no other.

use std::collections::BTreeMap;

use rmpv::Value as Raw;

use crate::terraform::{AttributePath, Number, Type, Value};

/// Deeper nesting than any schema has is an attack or an accident.
const MAX_DEPTH: usize = 64;

/// The one code that msgpack never uses. The library takes it for nil.
const RESERVED: u8 = 0xc1;

/// Bytes that are no value of the asked type.
#[derive(Debug, thiserror::Error)]
#[error("{place}{problem}", place = if path.is_root() { String::new() } else { format!("{path}: ") })]
pub(crate) struct InvalidValue {
    /// Where in the value.
    pub(crate) path: AttributePath,
    problem: String,
}

impl InvalidValue {
    pub(super) fn new(path: &AttributePath, problem: impl Into<String>) -> Self {
        Self { path: path.clone(), problem: problem.into() }
    }
}

/// Decodes one value that takes up all of `bytes`.
///
/// # Errors
/// Truncated or trailing bytes, or a value of another type, with the path to it.
pub(crate) fn decode(bytes: &[u8], of: &Type) -> Result<Value, InvalidValue> {
    let root = AttributePath::root();
    if bytes.first() == Some(&RESERVED) {
        return Err(InvalidValue::new(&root, "not valid msgpack: a reserved code"));
    }
    let mut rest = bytes;
    let raw = rmpv::decode::read_value_with_max_depth(&mut rest, MAX_DEPTH)
        .map_err(|error| InvalidValue::new(&root, format!("not valid msgpack: {error}")))?;
    if !rest.is_empty() {
        return Err(InvalidValue::new(&root, format!("{} bytes follow the value", rest.len())));
    }
    typed(raw, of, &root)
}

fn typed(raw: Raw, of: &Type, path: &AttributePath) -> Result<Value, InvalidValue> {
    match (of, raw) {
        (_, Raw::Nil) => Ok(Value::Null),
        (_, Raw::Ext(..)) => Ok(Value::Unknown),
        (Type::Bool, Raw::Boolean(flag)) => Ok(Value::Bool(flag)),
        (Type::String, Raw::String(text)) => Ok(Value::String(utf8(text, path)?)),
        (Type::Number, raw) => number(raw, path),
        (Type::List(element), Raw::Array(elements)) => list(elements, element, path),
        (Type::Set(element), Raw::Array(elements)) => {
            // Members of a set cannot be addressed: a message points at the set.
            let members = elements.into_iter().map(|member| typed(member, element, path)).collect::<Result<Vec<_>, _>>()?;
            Ok(Value::List(sorted_set(members)))
        }
        (Type::Map(element), Raw::Map(entries)) => map(entries, element, path),
        (Type::Object(attributes), Raw::Map(entries)) => object(entries, attributes, path),
        (expected, other) => Err(InvalidValue::new(path, format!("{} is needed, got {}", name(expected), raw_name(&other)))),
    }
}

/// Sets are held sorted and without duplicates, so that equal sets are equal values. Unknown members all stay: two of them may differ.
pub(super) fn sorted_set(mut members: Vec<Value>) -> Vec<Value> {
    members.sort();
    members.dedup_by(|one, other| one == other && !one.contains_unknown());
    members
}

fn number(raw: Raw, path: &AttributePath) -> Result<Value, InvalidValue> {
    let number = match &raw {
        Raw::Integer(integer) => integer.as_i64().map(Number::from).or_else(|| integer.as_u64().map(Number::from)),
        Raw::F32(float) => Number::from_f64(f64::from(*float)),
        Raw::F64(float) => Number::from_f64(*float),
        Raw::String(text) => text.as_str().and_then(|text| text.parse().ok()),
        _ => None,
    };
    number.map(Value::Number).ok_or_else(|| InvalidValue::new(path, format!("a number is needed, got {}", raw_name(&raw))))
}

fn list(elements: Vec<Raw>, of: &Type, path: &AttributePath) -> Result<Value, InvalidValue> {
    let decoded = elements.into_iter().enumerate().map(|(index, element)| typed(element, of, &path.index(index)));
    decoded.collect::<Result<_, _>>().map(Value::List)
}

fn map(entries: Vec<(Raw, Raw)>, of: &Type, path: &AttributePath) -> Result<Value, InvalidValue> {
    let mut decoded = BTreeMap::new();
    for (key, entry) in entries {
        let key = key_text(key, path)?;
        let entry = typed(entry, of, &path.key(&key))?;
        if decoded.insert(key.clone(), entry).is_some() {
            return Err(InvalidValue::new(&path.key(&key), "the key occurs twice"));
        }
    }
    Ok(Value::Map(decoded))
}

fn object(entries: Vec<(Raw, Raw)>, attributes: &[(String, Type)], path: &AttributePath) -> Result<Value, InvalidValue> {
    let mut given = BTreeMap::new();
    for (key, entry) in entries {
        let key = key_text(key, path)?;
        if given.insert(key.clone(), entry).is_some() {
            return Err(InvalidValue::new(&path.attribute(&key), "the attribute occurs twice"));
        }
    }
    let mut decoded = BTreeMap::new();
    for (attribute, of) in attributes {
        let path = path.attribute(attribute);
        let entry = given.remove(attribute).ok_or_else(|| InvalidValue::new(&path, "the attribute is missing"))?;
        decoded.insert(attribute.clone(), typed(entry, of, &path)?);
    }
    match given.into_keys().next() {
        Some(extra) => Err(InvalidValue::new(&path.attribute(&extra), "there is no such attribute")),
        None => Ok(Value::Map(decoded)),
    }
}

fn key_text(key: Raw, path: &AttributePath) -> Result<String, InvalidValue> {
    match key {
        Raw::String(text) => utf8(text, path),
        other => Err(InvalidValue::new(path, format!("a key must be a string, got {}", raw_name(&other)))),
    }
}

fn utf8(text: rmpv::Utf8String, path: &AttributePath) -> Result<String, InvalidValue> {
    text.into_str().ok_or_else(|| InvalidValue::new(path, "the string is not UTF-8"))
}

fn name(of: &Type) -> &'static str {
    match of {
        Type::Bool => "a bool",
        Type::Number => "a number",
        Type::String => "a string",
        Type::List(_) => "a list",
        Type::Set(_) => "a set",
        Type::Map(_) => "a map",
        Type::Object(_) => "an object",
    }
}

/// What arrived, without its content: it may be a secret.
fn raw_name(raw: &Raw) -> &'static str {
    match raw {
        Raw::Nil => "null",
        Raw::Boolean(_) => "a bool",
        Raw::Integer(_) | Raw::F32(_) | Raw::F64(_) => "a number",
        Raw::String(_) => "a string",
        Raw::Binary(_) => "bytes",
        Raw::Array(_) => "an array",
        Raw::Map(_) => "a map",
        Raw::Ext(..) => "an unknown value",
    }
}

/// Encodes a value. Numbers outside 64-bit integers go as decimal strings, which Terraform reads exactly.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to a vector cannot fail, and an empty message would be read as null.
    match rmpv::encode::write_value(&mut bytes, &raw(value)) {
        Ok(()) => bytes,
        Err(_) => vec![0xc0],
    }
}

fn raw(value: &Value) -> Raw {
    match value {
        Value::Null => Raw::Nil,
        Value::Unknown => Raw::Ext(0, vec![0]),
        Value::Bool(flag) => Raw::Boolean(*flag),
        Value::Number(number) => number.as_i64().map_or_else(|| Raw::from(number.as_str()), Raw::from),
        Value::String(text) => Raw::from(text.as_str()),
        Value::List(elements) => Raw::Array(elements.iter().map(raw).collect()),
        Value::Map(entries) => Raw::Map(entries.iter().map(|(key, entry)| (Raw::from(key.as_str()), raw(entry))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object_type() -> Type {
        Type::Object(vec![
            ("name".to_owned(), Type::String),
            ("port".to_owned(), Type::Number),
            ("tables".to_owned(), Type::List(Box::new(Type::String))),
            ("publish".to_owned(), Type::Set(Box::new(Type::String))),
            ("tags".to_owned(), Type::Map(Box::new(Type::String))),
        ])
    }

    fn sample() -> Value {
        Value::Map(
            [
                ("name".to_owned(), Value::from("héllo \"quoted\"")),
                ("port".to_owned(), Value::Number("0.1".parse().unwrap())),
                ("tables".to_owned(), Value::List(vec![Value::from("a.b"), Value::Unknown])),
                ("publish".to_owned(), Value::Null),
                ("tags".to_owned(), Value::Map([("k".to_owned(), Value::Unknown)].into())),
            ]
            .into(),
        )
    }

    #[track_caller]
    fn error(bytes: &[u8], of: &Type) -> String {
        decode(bytes, of).unwrap_err().to_string()
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same_value() {
        assert_eq!(decode(&encode(&sample()), &object_type()).unwrap(), sample());
    }

    #[test]
    fn every_extension_type_is_an_unknown_value() {
        let refined = [0xc7, 0x09, 0x0c, 0x82, 0x01, 0xc2, 0x02, 0xa4, b'p', b'r', b'e', b'-'];
        assert_eq!(decode(&[0xd4, 0, 0], &Type::String).unwrap(), Value::Unknown);
        assert_eq!(decode(&[0xc7, 0, 0], &Type::Bool).unwrap(), Value::Unknown);
        assert_eq!(decode(&refined, &Type::String).unwrap(), Value::Unknown);
        assert_eq!(decode(&refined, &object_type()).unwrap(), Value::Unknown);
    }

    #[test]
    fn numbers_keep_every_digit() {
        for text in ["0.1", "18446744073709551615", "123456789012345678901234567890", "-5"] {
            let value = Value::Number(text.parse().unwrap());
            assert_eq!(decode(&encode(&value), &Type::Number).unwrap(), value);
        }
        let half = [0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0];
        assert_eq!(decode(&half, &Type::Number).unwrap(), Value::Number("0.5".parse().unwrap()));
    }

    #[test]
    fn missing_and_extra_attributes_are_named() {
        assert_eq!(error(&[0x80], &object_type()), "name: the attribute is missing");
        let Value::Map(mut entries) = sample() else { unreachable!() };
        entries.insert("bogus".to_owned(), Value::Null);
        assert_eq!(error(&encode(&Value::Map(entries)), &object_type()), "bogus: there is no such attribute");
    }

    #[test]
    fn a_wrong_type_is_named_with_its_path() {
        let Value::Map(mut entries) = sample() else { unreachable!() };
        entries.insert("tables".to_owned(), Value::List(vec![Value::from("a"), Value::Bool(true)]));
        assert_eq!(error(&encode(&Value::Map(entries)), &object_type()), "tables[1]: a string is needed, got a bool");
    }

    #[test]
    fn hostile_bytes_are_errors() {
        let bytes = encode(&sample());
        for end in 0..bytes.len() {
            assert!(decode(&bytes[..end], &object_type()).is_err(), "cut after {end} bytes");
        }
        let deep = vec![0x91; 100_000];
        let huge_array = [0xdd, 0xff, 0xff, 0xff, 0xff];
        for bytes in [&deep[..], &huge_array[..], &[0xc0, 0xc0][..], &[0xc1][..]] {
            assert!(decode(bytes, &object_type()).is_err());
        }
    }
}
