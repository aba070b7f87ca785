//! cty's msgpack, as core writes it for a provider and reads it from one. The bytes are read and written by `rmpv`, so that nothing here
//! goes through the provider's own codec.

use std::collections::BTreeMap;

use rmpv::Value as Token;

use super::decimal::Decimal;
use super::path::{Path, Step};
use super::value::{Refinement, Value};
use super::value_type::Type;

/// The extension type of an unknown value with refinements.
const REFINED: i8 = 12;

/// Writes a value as core does. The type is not needed: numbers, strings and containers are self-describing, and a dynamic value
/// includes its type.
#[must_use]
pub fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &token(value)).unwrap_or_else(|_| unreachable!("a vector takes every byte"));
    bytes
}

fn token(value: &Value) -> Token {
    let members = |entries: &BTreeMap<String, Value>| {
        Token::Map(entries.iter().map(|(name, entry)| (Token::from(name.as_str()), token(entry))).collect())
    };
    match value {
        Value::Null => Token::Nil,
        Value::Unknown(refinement) if *refinement == Refinement::default() => Token::Ext(0, vec![0]),
        Value::Unknown(refinement) => Token::Ext(REFINED, refinements(refinement)),
        Value::Bool(flag) => Token::Boolean(*flag),
        Value::Number(number) => number_token(number),
        Value::Text(text) => Token::from(text.as_str()),
        Value::List(elements) | Value::Set(elements) => Token::Array(elements.iter().map(token).collect()),
        Value::Map(entries) | Value::Object(entries) => members(entries),
        Value::Typed(of, value) => Token::Array(vec![Token::Binary(of.notation().to_string().into_bytes()), token(value)]),
    }
}

/// An integer if 64 bits hold it, a float if that is exact, and otherwise text.
fn number_token(number: &Decimal) -> Token {
    match (number.as_i64(), number.as_exact_f64()) {
        (Some(integer), _) => Token::from(integer),
        (None, Some(float)) => Token::F64(float),
        (None, None) => Token::from(number.to_string()),
    }
}

fn refinements(refinement: &Refinement) -> Vec<u8> {
    let bound = |(number, included): &(Decimal, bool)| Token::Array(vec![number_token(number), Token::Boolean(*included)]);
    let entries = [
        (1, refinement.null.map(Token::Boolean)),
        (2, refinement.prefix.as_deref().map(Token::from)),
        (3, refinement.least.as_ref().map(bound)),
        (4, refinement.most.as_ref().map(bound)),
        (5, refinement.shortest.map(Token::from)),
        (6, refinement.longest.map(Token::from)),
    ];
    let map = Token::Map(entries.into_iter().filter_map(|(key, entry)| Some((Token::from(key), entry?))).collect());
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &map).unwrap_or_else(|_| unreachable!("a vector takes every byte"));
    bytes
}

/// Reads a value of this type as core does.
///
/// # Errors
/// What core cannot read either, in its words and with the path.
pub fn decode(bytes: &[u8], of: &Type) -> Result<Value, String> {
    let mut rest = bytes;
    let token = rmpv::decode::read_value(&mut rest).map_err(|error| format!("msgpack: {error}"))?;
    if !rest.is_empty() {
        return Err(format!("msgpack: {} bytes follow the value", rest.len()));
    }
    typed(&token, of, &Path::root())
}

fn typed(token: &Token, of: &Type, path: &Path) -> Result<Value, String> {
    let wrong = |problem: String| if path.0.is_empty() { problem } else { format!("{path}: {problem}") };
    match (of, token) {
        (_, Token::Nil) => Ok(Value::Null),
        (_, Token::Ext(REFINED, body)) => refinement(body).map(Value::Unknown).map_err(wrong),
        (_, Token::Ext(_, body)) if body.len() <= 1 => Ok(Value::unknown()),
        (_, Token::Ext(code, _)) => Err(wrong(format!("unsupported extension type {code}"))),
        (Type::Bool, Token::Boolean(flag)) => Ok(Value::Bool(*flag)),
        (Type::Bool, _) => Err(wrong("bool is required".to_owned())),
        (Type::Text, Token::String(text)) => {
            text.as_str().map(Value::text).ok_or_else(|| wrong("the string is not UTF-8".to_owned()))
        }
        (Type::Text, _) => Err(wrong("string is required".to_owned())),
        (Type::Number, token) => number(token).map(Value::Number).ok_or_else(|| wrong("number is required".to_owned())),
        (Type::List(element), Token::Array(elements)) => {
            let read = elements.iter().enumerate().map(|(index, token)| typed(token, element, &path.index(index)));
            read.collect::<Result<_, _>>().map(Value::List)
        }
        (Type::Set(element), Token::Array(elements)) => {
            let read = elements.iter().map(|token| typed(token, element, &path.then(Step::Element)));
            read.collect::<Result<_, _>>().map(Value::set)
        }
        (Type::List(_) | Type::Set(_), _) => Err(wrong("a list or set is required".to_owned())),
        (Type::Map(element), Token::Map(entries)) => {
            let read = entries.iter().map(|(key, token)| {
                let key = key.as_str().ok_or_else(|| wrong("a key is no string".to_owned()))?;
                Ok((key.to_owned(), typed(token, element, &path.key(key))?))
            });
            read.collect::<Result<_, _>>().map(Value::Map)
        }
        (Type::Map(_), _) => Err(wrong("a map is required".to_owned())),
        (Type::Object(attributes), Token::Map(entries)) => {
            if entries.len() != attributes.len() {
                let (wanted, given) = (attributes.len(), entries.len());
                return Err(wrong(format!("an object with {wanted} attributes is required ({given} given)")));
            }
            let read = entries.iter().map(|(name, token)| {
                let name = name.as_str().ok_or_else(|| wrong("an attribute's name is no string".to_owned()))?;
                let of = attributes.get(name).ok_or_else(|| wrong(format!("unsupported attribute {name:?}")))?;
                Ok((name.to_owned(), typed(token, of, &path.attribute(name))?))
            });
            let read = read.collect::<Result<BTreeMap<_, _>, String>>()?;
            if read.len() == attributes.len() {
                Ok(Value::Object(read))
            } else {
                Err(wrong("an attribute occurs twice".to_owned()))
            }
        }
        (Type::Object(_), _) => Err(wrong("an object is required".to_owned())),
        (Type::Tuple(of), Token::Array(elements)) if of.len() == elements.len() => {
            let read = of.iter().zip(elements).enumerate();
            let read = read.map(|(index, (of, token))| typed(token, of, &path.index(index)));
            read.collect::<Result<_, _>>().map(Value::List)
        }
        (Type::Tuple(of), _) => Err(wrong(format!("a tuple of length {} is required", of.len()))),
        (Type::Dynamic, Token::Array(parts)) => match parts.as_slice() {
            [Token::Binary(notation), token] => {
                let of = Type::parse(notation).map_err(wrong)?;
                let value = typed(token, &of, path)?;
                Ok(Value::Typed(Box::new(of), Box::new(value)))
            }
            _ => Err(wrong("dynamic value array must have exactly two elements, a type and a value".to_owned())),
        },
        (Type::Dynamic, _) => Err(wrong("a dynamic value must be an array of its type and itself".to_owned())),
    }
}

fn number(token: &Token) -> Option<Decimal> {
    match token {
        Token::Integer(integer) => integer.to_string().parse().ok(),
        Token::F32(float) => Decimal::shortest(f64::from(*float)),
        Token::F64(float) => Decimal::shortest(*float),
        Token::String(text) => text.as_str()?.parse().ok(),
        _ => None,
    }
}

fn refinement(mut body: &[u8]) -> Result<Refinement, String> {
    let broken = || "the refinement of an unknown value cannot be read".to_owned();
    let Ok(Token::Map(entries)) = rmpv::decode::read_value(&mut body) else { return Err(broken()) };
    let bound = |token: &Token| match token.as_array().map(Vec::as_slice) {
        Some([limit, included]) => Some((number(limit)?, included.as_bool()?)),
        _ => None,
    };
    let mut refinement = Refinement::default();
    for (key, entry) in entries {
        match key.as_i64() {
            Some(1) => refinement.null = Some(entry.as_bool().ok_or_else(broken)?),
            Some(2) => refinement.prefix = Some(entry.as_str().ok_or_else(broken)?.to_owned()),
            Some(3) => refinement.least = Some(bound(&entry).ok_or_else(broken)?),
            Some(4) => refinement.most = Some(bound(&entry).ok_or_else(broken)?),
            Some(5) => refinement.shortest = Some(entry.as_u64().ok_or_else(broken)?),
            Some(6) => refinement.longest = Some(entry.as_u64().ok_or_else(broken)?),
            // From a later version of cty.
            _ => {}
        }
    }
    Ok(refinement)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of() -> Type {
        let strings = Type::List(Box::new(Type::Text));
        let attributes = [("name", Type::Text), ("port", Type::Number), ("tables", strings)];
        Type::Object(attributes.map(|(name, of)| (name.to_owned(), of)).into())
    }

    fn sample(port: &str) -> Value {
        let entries = [
            ("name", Value::Unknown(Refinement { prefix: Some("pre-".to_owned()), ..Refinement::not_null() })),
            ("port", Value::Number(port.parse().unwrap())),
            ("tables", Value::List(vec![Value::text("a"), Value::unknown(), Value::Null])),
        ];
        Value::Object(entries.map(|(name, value)| (name.to_owned(), value)).into())
    }

    #[test]
    fn what_is_written_is_read_again() {
        for port in ["5432", "0.5", "0.1", "-1", "18446744073709551615", "123456789012345678901234567890"] {
            let value = sample(port);
            assert_eq!(decode(&encode(&value), &of()), Ok(value));
        }
    }

    #[test]
    fn bytes_are_those_of_cty() {
        assert_eq!(encode(&Value::unknown()), [0xd4, 0, 0]);
        let refined = Value::Unknown(Refinement { prefix: Some("pre-".to_owned()), ..Refinement::not_null() });
        assert_eq!(encode(&refined), [0xc7, 9, 12, 0x82, 1, 0xc2, 2, 0xa4, b'p', b'r', b'e', b'-']);
        assert_eq!(encode(&Value::Number("0.1".parse().unwrap())), [0xa3, b'0', b'.', b'1']);
        assert_eq!(encode(&Value::Number("0.5".parse().unwrap()))[0], 0xcb);
    }

    #[test]
    fn a_dynamic_value_has_its_type_with_it() {
        let of = Type::Tuple(vec![Type::Text, Type::Bool]);
        let value = Value::Typed(Box::new(of), Box::new(Value::List(vec![Value::text("a"), Value::Null])));
        let bytes = encode(&value);
        let notation = br#"["tuple",["string","bool"]]"#;
        assert_eq!(bytes, [&[0x92, 0xc4, 27][..], notation, &[0x92, 0xa1, b'a', 0xc0]].concat());
        assert_eq!(decode(&bytes, &Type::Dynamic), Ok(value));
        for bare in [Value::Null, Value::unknown()] {
            assert_eq!(decode(&encode(&bare), &Type::Dynamic), Ok(bare));
        }
        assert!(decode(&encode(&Value::text("a")), &Type::Dynamic).unwrap_err().contains("its type"));
    }

    #[test]
    fn what_core_refuses_is_refused_in_its_words() {
        let refused = |bytes: &[u8]| decode(bytes, &of()).unwrap_err();
        assert_eq!(refused(&[0x80]), "an object with 3 attributes is required (0 given)");
        let Value::Object(mut entries) = sample("1") else { unreachable!() };
        entries.remove("port");
        entries.insert("prot".to_owned(), Value::Null);
        assert_eq!(refused(&encode(&Value::Object(entries))), "unsupported attribute \"prot\"");
        let mistyped = sample("1").with("tables", Value::List(vec![Value::Bool(true)]));
        assert_eq!(refused(&encode(&mistyped)), ".tables[0]: string is required");
        assert_eq!(decode(&[0xd5, 7, 0, 0], &Type::Text).unwrap_err(), "unsupported extension type 7");
        assert_eq!(decode(&[0xc7, 0, 0], &Type::Text), Ok(Value::unknown()));
    }
}
