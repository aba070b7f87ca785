//! cty's msgpack dialect. Numbers may come as integers, floats or decimal strings; any extension type is an unknown value; objects carry
//! every attribute of their type and no other.
//!
//! The type decides: anything that it does not expect is an error at once, so a message nests no deeper than a schema.

use std::collections::BTreeMap;

use super::msgpack_reader::{Malformed, Reader, Token};
use super::value_type::read_type;
use crate::terraform::{AttributePath, Number, Trail, Type, Value};

/// Bytes that are not a value of the requested type.
#[derive(Debug, thiserror::Error)]
#[error("{place}{problem}", place = if path.is_root() { String::new() } else { format!("{path}: ") })]
pub(crate) struct InvalidValue {
    /// Where in the value.
    pub(crate) path: AttributePath,
    problem: String,
}

impl InvalidValue {
    pub(super) fn new(trail: &Trail<'_>, problem: impl Into<String>) -> Self {
        Self { path: trail.path(), problem: problem.into() }
    }
}

fn malformed(trail: &Trail<'_>, malformed: Malformed) -> InvalidValue {
    InvalidValue::new(trail, format!("not valid msgpack: {malformed}"))
}

/// Decodes one value that takes up all of `bytes`.
///
/// # Errors
/// Truncated or trailing bytes, or a value of another type, with the path to it.
pub(crate) fn decode(bytes: &[u8], of: &Type) -> Result<Value, InvalidValue> {
    let mut reader = Reader::new(bytes);
    let value = typed(&mut reader, of, &Trail::Root)?;
    match reader.rest().len() {
        0 => Ok(value),
        more => Err(InvalidValue::new(&Trail::Root, format!("{more} bytes follow the value"))),
    }
}

fn typed(reader: &mut Reader<'_>, of: &Type, trail: &Trail<'_>) -> Result<Value, InvalidValue> {
    match (of, reader.token().map_err(|problem| malformed(trail, problem))?) {
        (_, Token::Nil) => Ok(Value::Null),
        (_, Token::Extension) => Ok(Value::Unknown),
        (Type::Bool, Token::Bool(flag)) => Ok(Value::Bool(flag)),
        (Type::String, Token::Text(text)) => Ok(Value::String(utf8(text, trail)?.to_owned())),
        (Type::Number, token) => number(token, trail),
        (Type::List(element), Token::Array(length)) => {
            (0..length).map(|index| typed(reader, element, &trail.index(index))).collect::<Result<_, _>>().map(Value::List)
        }
        (Type::Set(element), Token::Array(length)) => {
            // Members of a set have no address, so a message points at the set.
            let members = (0..length).map(|_| typed(reader, element, trail)).collect::<Result<Vec<_>, _>>()?;
            Ok(Value::List(sorted_set(members)))
        }
        (Type::Map(element), Token::Map(length)) => map(reader, length, element, trail),
        (Type::Object(attributes), Token::Map(length)) => object(reader, length, attributes, trail),
        (Type::Tuple(elements), Token::Array(length)) if length == elements.len() => {
            let elements = elements.iter().enumerate();
            elements.map(|(index, of)| typed(reader, of, &trail.index(index))).collect::<Result<_, _>>().map(Value::List)
        }
        (Type::Dynamic, Token::Array(2)) => dynamic(reader, trail),
        (expected, other) => Err(InvalidValue::new(trail, format!("{} is needed, got {}", name(expected), token_name(other)))),
    }
}

/// Sets are kept sorted and without duplicates, so that equal sets are equal values. All unknown members are kept: two of them
/// may differ.
pub(super) fn sorted_set(mut members: Vec<Value>) -> Vec<Value> {
    members.sort();
    members.dedup_by(|one, other| one == other && !one.contains_unknown());
    members
}

fn number(token: Token<'_>, trail: &Trail<'_>) -> Result<Value, InvalidValue> {
    let number = match token {
        Token::Integer(integer) => Some(Number::from(integer)),
        Token::Unsigned(integer) => Some(Number::from(integer)),
        Token::Float(float) => Number::from_f64(float),
        Token::Text(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
        _ => None,
    };
    number.map(Value::Number).ok_or_else(|| InvalidValue::new(trail, format!("a number is needed, got {}", token_name(token))))
}

fn map(reader: &mut Reader<'_>, length: usize, of: &Type, trail: &Trail<'_>) -> Result<Value, InvalidValue> {
    let mut decoded = BTreeMap::new();
    for _ in 0..length {
        let key = key_text(reader, trail)?;
        let trail = trail.key(key);
        if decoded.insert(key.to_owned(), typed(reader, of, &trail)?).is_some() {
            return Err(InvalidValue::new(&trail, "the key occurs twice"));
        }
    }
    Ok(Value::Map(decoded))
}

fn object(
    reader: &mut Reader<'_>,
    length: usize,
    attributes: &BTreeMap<String, Type>,
    trail: &Trail<'_>,
) -> Result<Value, InvalidValue> {
    let mut decoded = BTreeMap::new();
    for _ in 0..length {
        let name = key_text(reader, trail)?;
        let trail = trail.attribute(name);
        let of = attributes.get(name).ok_or_else(|| InvalidValue::new(&trail, "there is no such attribute"))?;
        if decoded.insert(name.to_owned(), typed(reader, of, &trail)?).is_some() {
            return Err(InvalidValue::new(&trail, "the attribute occurs twice"));
        }
    }
    // Each that was decoded is one of them, so only the number says whether one is missing.
    match attributes.keys().find(|name| decoded.len() < attributes.len() && !decoded.contains_key(*name)) {
        Some(missing) => Err(InvalidValue::new(&trail.attribute(missing), "the attribute is missing")),
        None => Ok(Value::Map(decoded)),
    }
}

/// A value that carries its own type.
fn dynamic(reader: &mut Reader<'_>, trail: &Trail<'_>) -> Result<Value, InvalidValue> {
    let of = match reader.token().map_err(|problem| malformed(trail, problem))? {
        Token::Bytes(notation) | Token::Text(notation) => read_type(notation),
        _ => None,
    };
    typed(reader, &of.ok_or_else(|| InvalidValue::new(trail, "the type before the value cannot be read"))?, trail)
}

fn key_text<'a>(reader: &mut Reader<'a>, trail: &Trail<'_>) -> Result<&'a str, InvalidValue> {
    match reader.token().map_err(|problem| malformed(trail, problem))? {
        Token::Text(text) => utf8(text, trail),
        other => Err(InvalidValue::new(trail, format!("a key must be a string, got {}", token_name(other)))),
    }
}

fn utf8<'a>(text: &'a [u8], trail: &Trail<'_>) -> Result<&'a str, InvalidValue> {
    std::str::from_utf8(text).map_err(|_| InvalidValue::new(trail, "the string is not UTF-8"))
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
        Type::Tuple(_) => "a tuple",
        Type::Dynamic => "a value with its type",
    }
}

/// What arrived, without its content: it may be a secret.
fn token_name(token: Token<'_>) -> &'static str {
    match token {
        Token::Nil => "null",
        Token::Bool(_) => "a bool",
        Token::Integer(_) | Token::Unsigned(_) | Token::Float(_) => "a number",
        Token::Text(_) => "a string",
        Token::Bytes(_) => "bytes",
        Token::Array(_) => "an array",
        Token::Map(_) => "a map",
        Token::Extension => "an unknown value",
    }
}

/// Encodes a value. Numbers outside 64-bit integers go as decimal strings, which Terraform reads exactly.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, value);
    bytes
}

fn write(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => bytes.push(0xc0),
        Value::Unknown => bytes.extend([0xd4, 0, 0]),
        Value::Bool(flag) => bytes.push(if *flag { 0xc3 } else { 0xc2 }),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => write_integer(bytes, integer),
            None => write_text(bytes, number.as_str()),
        },
        Value::String(text) => write_text(bytes, text),
        Value::List(elements) => {
            write_length(bytes, elements.len(), 0x90, 0xdc);
            elements.iter().for_each(|element| write(bytes, element));
        }
        Value::Map(entries) => {
            write_length(bytes, entries.len(), 0x80, 0xde);
            for (key, entry) in entries {
                write_text(bytes, key);
                write(bytes, entry);
            }
        }
    }
}

fn write_integer(bytes: &mut Vec<u8>, integer: i64) {
    match i8::try_from(integer) {
        Ok(small @ -32..) => bytes.extend(small.to_be_bytes()),
        _ => {
            bytes.push(0xd3);
            bytes.extend(integer.to_be_bytes());
        }
    }
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    match u8::try_from(text.len()) {
        Ok(length @ ..32) => bytes.push(0xa0 | length),
        Ok(length) => bytes.extend([0xd9, length]),
        Err(_) => {
            bytes.push(0xdb);
            bytes.extend(length(text.len()).to_be_bytes());
        }
    }
    bytes.extend(text.as_bytes());
}

/// The head of an array or map: `short` holds up to 15 members, `long` is followed by two bytes and its successor by four.
fn write_length(bytes: &mut Vec<u8>, members: usize, short: u8, long: u8) {
    match (u8::try_from(members), u16::try_from(members)) {
        (Ok(few @ ..16), _) => bytes.push(short | few),
        (_, Ok(some)) => {
            bytes.push(long);
            bytes.extend(some.to_be_bytes());
        }
        _ => {
            bytes.push(long + 1);
            bytes.extend(length(members).to_be_bytes());
        }
    }
}

/// Messages are at most 2 GiB, so every length in one fits.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object_type() -> Type {
        Type::Object(BTreeMap::from([
            ("name".to_owned(), Type::String),
            ("port".to_owned(), Type::Number),
            ("tables".to_owned(), Type::List(Box::new(Type::String))),
            ("publish".to_owned(), Type::Set(Box::new(Type::String))),
            ("tags".to_owned(), Type::Map(Box::new(Type::String))),
        ]))
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
    fn a_dynamic_value_is_read_by_the_type_that_it_brings() {
        let with_type = |notation: &str, value: &[u8]| {
            [&[0x92, 0xc4, u8::try_from(notation.len()).unwrap()][..], notation.as_bytes(), value].concat()
        };
        let object = Value::Map([("a".to_owned(), Value::List(vec![Value::from(true), Value::Null]))].into());
        let bytes = with_type(r#"["object",{"a":["tuple",["bool","dynamic"]]}]"#, &encode(&object));
        assert_eq!(decode(&bytes, &Type::Dynamic).unwrap(), object);
        assert_eq!(decode(&[0xc0], &Type::Dynamic).unwrap(), Value::Null);
        assert_eq!(decode(&[0xd4, 0, 0], &Type::Dynamic).unwrap(), Value::Unknown);
        for wrong in [
            with_type(r#""text""#, &encode(&Value::from("a"))),
            with_type(r#"["tuple",["bool"]]"#, &encode(&Value::List(Vec::new()))),
            // A nested value that carries its type again would nest as deep as its sender likes.
            with_type(r#"["list","dynamic"]"#, &[&[0x91][..], &with_type("\"bool\"", &[0xc3])].concat()),
            encode(&Value::from("a")),
        ] {
            assert!(decode(&wrong, &Type::Dynamic).is_err(), "{wrong:?}");
        }
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
        for bytes in [&deep[..], &huge_array[..], &[0xc0, 0xc0][..], &[0xc1][..], &[0x91, 0xc1][..]] {
            assert!(decode(bytes, &object_type()).is_err());
        }
    }
}
