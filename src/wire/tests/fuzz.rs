//! Hundreds of thousands of broken messages in each run, and as many more as `FUZZ_FACTOR` asks for.

use super::foreign::spell;
use super::mutate::{Dice, cases, mutate};
use crate::terraform::{Type, Value};
use crate::wire::{json, msgpack};

/// Every kind of type, as deep as a resource has it.
fn sample() -> (Type, Value) {
    let object =
        |attributes: Vec<(&str, Type)>| Type::Object(attributes.into_iter().map(|(name, of)| (name.to_owned(), of)).collect());
    let inner = object(vec![("columns", Type::List(Box::new(Type::String))), ("where", Type::String), ("weight", Type::Number)]);
    let of = object(vec![
        ("flag", Type::Bool),
        ("name", Type::String),
        ("options", Type::Map(Box::new(inner))),
        ("port", Type::Number),
        ("publish", Type::Set(Box::new(Type::String))),
        ("unknown", Type::Number),
    ]);
    let map = |entries: Vec<(&str, Value)>| Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
    let option = map(vec![
        ("columns", Value::List(vec![Value::from("id"), Value::Unknown])),
        ("where", Value::from("naïve > 'ü'")),
        ("weight", Value::Number("-123456789012345678901234567890.125".parse().unwrap())),
    ]);
    let value = map(vec![
        ("flag", Value::Bool(true)),
        ("name", Value::from("a \"name\"")),
        ("options", map(vec![("public.orders", option), ("public.none", Value::Null)])),
        ("port", Value::from(5432)),
        ("publish", Value::List(vec![Value::from("delete"), Value::from("insert")])),
        ("unknown", Value::Unknown),
    ]);
    (of, value)
}

#[test]
fn broken_values_are_errors_or_values_that_survive() {
    let (of, value) = sample();
    let mut dice = Dice::new(1);
    let mut accepted = 0_u64;
    for case in 0..cases(150_000) {
        let broken = mutate(&spell(&value, &of, &mut dice), &mut dice);
        let Ok(read) = msgpack::decode(&broken, &of) else { continue };
        accepted += 1;
        let again = msgpack::decode(&msgpack::encode(&read), &of).unwrap();
        assert!(again == read, "case {case}: {broken:02x?}");
    }
    assert!(accepted > 0, "only hopeless cases");
}

#[test]
fn broken_states_are_errors_or_values_that_survive() {
    let (of, _) = sample();
    let whole = r#"{"flag":true,"name":"a \"name\" \u00fc","options":{"public.orders":{"columns":["id"],"where":null,"weight":-1.5e300}},
        "port":5432,"publish":["delete","insert"],"unknown":123456789012345678901234567890}"#;
    assert!(json::decode_state(whole.as_bytes(), &of).is_ok());
    let mut dice = Dice::new(2);
    let mut accepted = 0_u64;
    for case in 0..cases(50_000) {
        let broken = mutate(whole.as_bytes(), &mut dice);
        let _ = json::decode(&broken, &of);
        let Ok(read) = json::decode_state(&broken, &of) else { continue };
        accepted += 1;
        let again = msgpack::decode(&msgpack::encode(&read), &of).unwrap();
        assert!(again == read, "case {case}: {:?}", String::from_utf8_lossy(&broken));
    }
    assert!(accepted > 0, "only hopeless cases");
}
