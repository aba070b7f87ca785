//! Terraform's side: a value written in any of the ways that the wire format allows. Our encoder writes only one of them.

use super::mutate::Dice;
use crate::terraform::{Type, Value};

/// The value's bytes, with random choices: widths, the order of attributes, floats where they are exact, refined unknowns.
pub(super) fn spell(value: &Value, of: &Type, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, value, of, dice);
    bytes
}

fn write(bytes: &mut Vec<u8>, value: &Value, of: &Type, dice: &mut Dice) {
    match (value, of) {
        (Value::Null, _) => bytes.push(0xc0),
        (Value::Unknown, _) => unknown(bytes, of, dice),
        (Value::Bool(flag), _) => bytes.push(if *flag { 0xc3 } else { 0xc2 }),
        (Value::Number(number), _) => match (number.as_i64(), number.as_str().parse::<u64>(), exact_float(number.as_str())) {
            (Some(integer), ..) if dice.below(3) > 0 => write_integer(bytes, integer, dice),
            (_, Ok(unsigned), _) if dice.below(2) > 0 => {
                bytes.push(0xcf);
                bytes.extend(unsigned.to_be_bytes());
            }
            (.., Some(float)) if dice.below(2) > 0 => {
                bytes.push(0xcb);
                bytes.extend(float.to_be_bytes());
            }
            _ => write_text(bytes, number.as_str(), dice),
        },
        (Value::String(text), _) => write_text(bytes, text, dice),
        (Value::List(members), Type::List(of) | Type::Set(of)) => {
            head(bytes, members.len(), 15, 0x90, [None, Some(0xdc), Some(0xdd)], dice);
            members.iter().for_each(|member| write(bytes, member, of, dice));
        }
        (Value::Map(entries), Type::Map(of)) => {
            head(bytes, entries.len(), 15, 0x80, [None, Some(0xde), Some(0xdf)], dice);
            for (key, entry) in entries {
                write_text(bytes, key, dice);
                write(bytes, entry, of, dice);
            }
        }
        (Value::Map(entries), Type::Object(attributes)) => {
            head(bytes, entries.len(), 15, 0x80, [None, Some(0xde), Some(0xdf)], dice);
            let mut attributes: Vec<_> = attributes.iter().collect();
            dice.shuffle(&mut attributes);
            for (name, of) in attributes {
                write_text(bytes, name, dice);
                write(bytes, value.get(name), of, dice);
            }
        }
        (value, of) => panic!("{value:?} is no {of:?}"),
    }
}

fn exact_float(text: &str) -> Option<f64> {
    let float: f64 = text.parse().ok()?;
    (float.is_finite() && float.to_string() == text).then_some(float)
}

fn write_integer(bytes: &mut Vec<u8>, integer: i64, dice: &mut Dice) {
    let mut spellings = vec![[&[0xd3][..], &integer.to_be_bytes()].concat()];
    if let Ok(narrow) = i8::try_from(integer) {
        spellings.push([0xd0].into_iter().chain(narrow.to_be_bytes()).collect());
        if narrow >= -32 {
            spellings.push(narrow.to_be_bytes().to_vec());
        }
    }
    if let Ok(narrow) = i16::try_from(integer) {
        spellings.push([0xd1].into_iter().chain(narrow.to_be_bytes()).collect());
    }
    if let Ok(narrow) = i32::try_from(integer) {
        spellings.push([0xd2].into_iter().chain(narrow.to_be_bytes()).collect());
    }
    if let Ok(narrow) = u8::try_from(integer) {
        spellings.push([0xcc].into_iter().chain(narrow.to_be_bytes()).collect());
    }
    if let Ok(narrow) = u16::try_from(integer) {
        spellings.push([0xcd].into_iter().chain(narrow.to_be_bytes()).collect());
    }
    if let Ok(narrow) = u32::try_from(integer) {
        spellings.push([0xce].into_iter().chain(narrow.to_be_bytes()).collect());
    }
    bytes.extend(&spellings[dice.below(spellings.len())]);
}

fn write_text(bytes: &mut Vec<u8>, text: &str, dice: &mut Dice) {
    head(bytes, text.len(), 31, 0xa0, [Some(0xd9), Some(0xda), Some(0xdb)], dice);
    bytes.extend(text.as_bytes());
}

/// A length in any width that holds it: in the code itself up to `most`, or in 1, 2 or 4 bytes after the codes in `wide`.
fn head(bytes: &mut Vec<u8>, length: usize, most: usize, short: u8, wide: [Option<u8>; 3], dice: &mut Dice) {
    let mut spellings = Vec::new();
    if length <= most {
        spellings.push(vec![short | u8::try_from(length).unwrap()]);
    }
    if let (Some(code), Ok(length)) = (wide[0], u8::try_from(length)) {
        spellings.push(vec![code, length]);
    }
    if let (Some(code), Ok(length)) = (wide[1], u16::try_from(length)) {
        spellings.push([code].into_iter().chain(length.to_be_bytes()).collect());
    }
    if let (Some(code), Ok(length)) = (wide[2], u32::try_from(length)) {
        spellings.push([code].into_iter().chain(length.to_be_bytes()).collect());
    }
    bytes.extend(&spellings[dice.below(spellings.len())]);
}

/// An unknown value: plain, refined in every existing way and in some that may come, or of a code that is not used yet.
fn unknown(bytes: &mut Vec<u8>, of: &Type, dice: &mut Dice) {
    let (code, body) = match dice.below(4) {
        0 => return bytes.extend([0xd4, 0, 0]),
        1 => return bytes.extend([0xc7, 0, 0]),
        2 => (dice.byte(), (0..dice.below(20)).map(|_| dice.byte()).collect()),
        _ => (12, refinements(of, dice)),
    };
    match u8::try_from(body.len()) {
        Ok(16) if dice.below(2) > 0 => bytes.extend([0xd8, code]),
        Ok(length) if length.is_power_of_two() && length < 16 && dice.below(2) > 0 => {
            bytes.extend([0xd4 + u8::try_from(length.trailing_zeros()).unwrap(), code]);
        }
        Ok(length) if dice.below(2) > 0 => bytes.extend([0xc7, length, code]),
        _ if dice.below(2) > 0 => {
            bytes.push(0xc8);
            bytes.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
            bytes.push(code);
        }
        _ => {
            bytes.push(0xc9);
            bytes.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
            bytes.push(code);
        }
    }
    bytes.extend(body);
}

/// What cty says about an unknown value, in its own keys: whether it is null, its string prefix, its numeric bounds, its length.
fn refinements(of: &Type, dice: &mut Dice) -> Vec<u8> {
    let mut entries: Vec<Vec<u8>> = vec![vec![1, 0xc2 + u8::from(dice.below(4) == 0)]];
    match of {
        Type::String => {
            let mut prefix = vec![2];
            let letter = ["préfix-", "e\u{301}", "\u{10ffff}", "\0"][dice.below(4)];
            write_text(&mut prefix, &letter.repeat(dice.below(30)), dice);
            entries.push(prefix);
        }
        Type::Number => {
            for bound in [3, 4] {
                let mut entry = vec![bound, 0x92];
                match dice.below(4) {
                    0 => write_text(&mut entry, "-123456789012345678901234567890.5", dice),
                    1 => entry.extend([&[0xcb][..], &f64::NEG_INFINITY.to_be_bytes()].concat()),
                    2 => write_integer(&mut entry, i64::MIN, dice),
                    _ => entry.push(7),
                }
                entry.push(0xc2 + u8::from(dice.below(2) == 0));
                entries.push(entry);
            }
        }
        Type::List(_) | Type::Set(_) | Type::Map(_) => {
            for bound in [5, 6] {
                let mut entry = vec![bound];
                write_integer(&mut entry, [0, 1, 256, i64::MAX][dice.below(4)], dice);
                entries.push(entry);
            }
        }
        Type::Bool | Type::Object(_) | Type::Tuple(_) | Type::Dynamic => {}
    }
    // From a later Terraform.
    entries.push(vec![9, 0x91, 0xc0]);
    dice.shuffle(&mut entries);
    entries.truncate(1 + dice.below(entries.len()));
    let mut body = vec![0x80 | u8::try_from(entries.len()).unwrap()];
    body.extend(entries.concat());
    body
}
