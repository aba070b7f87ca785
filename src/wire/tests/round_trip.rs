//! For any schema and value: what is encoded decodes to the same value, and what Terraform may write can be read.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::foreign::spell;
use super::generate::{any_type, number, text, typed_known_value, typed_value};
use super::mutate::{Dice, cases};
use crate::terraform::{Type, Value};
use crate::wire::{json, msgpack};

/// A value as the state file has it.
fn state(value: &Value, dice: &mut Dice) -> Json {
    match value {
        Value::Null | Value::Unknown => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) => match serde_json::from_str(number.as_str()) {
            Ok(number) if dice.below(2) > 0 => number,
            _ => Json::String(number.to_string()),
        },
        Value::String(text) => Json::String(text.clone()),
        Value::List(members) => members.iter().map(|member| state(member, dice)).collect(),
        Value::Map(entries) => Json::Object(entries.iter().map(|(key, entry)| (key.clone(), state(entry, dice))).collect()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: u32::try_from(cases(256)).unwrap(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_decodes_to_the_same_value((of, value) in typed_value()) {
        prop_assert_eq!(msgpack::decode(&msgpack::encode(&value), &of).unwrap(), value);
    }

    #[test]
    fn every_spelling_of_a_value_is_read((of, value) in typed_value(), seed: u64) {
        let bytes = spell(&value, &of, &mut Dice::new(seed));
        prop_assert_eq!(msgpack::decode(&bytes, &of).unwrap(), value);
    }

    #[test]
    fn a_stored_state_is_read_exactly((of, value) in typed_known_value(), seed: u64) {
        let bytes = state(&value, &mut Dice::new(seed)).to_string().into_bytes();
        prop_assert_eq!(json::decode_state(&bytes, &of).unwrap(), value.clone());
        prop_assert_eq!(json::decode(&bytes, &of).unwrap(), value);
    }

    #[test]
    fn a_value_cut_short_or_followed_by_more_is_no_value((of, value) in typed_value(), at: prop::sample::Index, more: u8) {
        let bytes = msgpack::encode(&value);
        prop_assert!(msgpack::decode(&bytes[..at.index(bytes.len())], &of).is_err());
        prop_assert!(msgpack::decode(&[&bytes[..], &[more]].concat(), &of).is_err());
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(of in any_type(), bytes: Vec<u8>) {
        let _ = msgpack::decode(&bytes, &of);
        let _ = json::decode(&bytes, &of);
    }

    #[test]
    fn numbers_keep_every_digit(number in number()) {
        let again = number.as_str().parse().unwrap();
        prop_assert_eq!(&number, &again);
        let value = Value::Number(number);
        prop_assert_eq!(msgpack::decode(&msgpack::encode(&value), &Type::Number).unwrap(), value);
    }

    #[test]
    fn a_path_leads_to_what_is_wrong(key in text(), before in prop::collection::vec(text(), 0..20)) {
        let of = Type::Map(Box::new(Type::List(Box::new(Type::String))));
        let index = before.len();
        let list = before.iter().map(|text| Value::from(text.as_str())).chain([Value::Bool(true)]).collect();
        let value = Value::Map([(key.clone(), Value::List(list))].into());
        let error = msgpack::decode(&msgpack::encode(&value), &of).unwrap_err();
        prop_assert_eq!(error.path, crate::terraform::AttributePath::root().key(&key).index(index));
    }
}

/// Far deeper than proptest goes, and deeper than any schema.
#[test]
fn nesting_is_bounded_by_the_schema_alone() {
    let nest = |depth: usize| {
        let of = (0..depth).fold(Type::String, |of, _| Type::List(Box::new(of)));
        let value = (0..depth).fold(Value::from("x"), |value, _| Value::List(vec![value]));
        (of, value)
    };
    let (of, value) = nest(500);
    assert!(msgpack::decode(&msgpack::encode(&value), &of).unwrap() == value);
    let (shallow, _) = nest(3);
    let error = msgpack::decode(&vec![0x91; 10 << 20], &shallow).unwrap_err();
    assert_eq!(error.path.steps().len(), 3);
}
