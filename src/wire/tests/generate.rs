//! Random types, and random values of them.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::terraform::{Number, Type, Value};
use crate::wire::msgpack::sorted_set;

/// Levels of nesting: more than any schema here has.
const DEPTH: u32 = 6;

/// A type and a value of it.
pub(super) fn typed_value() -> impl Strategy<Value = (Type, Value)> {
    any_type().prop_flat_map(|of| value_of(&of).prop_map(move |value| (of.clone(), value)))
}

/// The same without unknowns, as it can be stored.
pub(super) fn typed_known_value() -> impl Strategy<Value = (Type, Value)> {
    typed_value().prop_map(|(of, value)| {
        let known = known(&of, value);
        (of, known)
    })
}

fn known(of: &Type, value: Value) -> Value {
    match (of, value) {
        (_, Value::Unknown) => Value::Null,
        (Type::List(of), Value::List(members)) => Value::List(members.into_iter().map(|member| known(of, member)).collect()),
        (Type::Set(of), Value::List(members)) => {
            Value::List(sorted_set(members.into_iter().map(|member| known(of, member)).collect()))
        }
        (Type::Map(of), Value::Map(entries)) => {
            Value::Map(entries.into_iter().map(|(key, entry)| (key, known(of, entry))).collect())
        }
        (Type::Object(attributes), Value::Map(mut entries)) => {
            let known = attributes.iter().map(|(name, of)| (name.clone(), known(of, entries.remove(name).unwrap_or_default())));
            Value::Map(known.collect())
        }
        (_, plain) => plain,
    }
}

pub(super) fn any_type() -> impl Strategy<Value = Type> {
    let plain = prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::String)];
    plain.prop_recursive(DEPTH, 24, 5, |inner| {
        prop_oneof![
            inner.clone().prop_map(|of| Type::List(Box::new(of))),
            inner.clone().prop_map(|of| Type::Set(Box::new(of))),
            inner.clone().prop_map(|of| Type::Map(Box::new(of))),
            btree_map("[a-z][a-z0-9_]{0,40}", inner, 0..6).prop_map(|attributes| Type::Object(attributes.into_iter().collect())),
        ]
    })
}

fn value_of(of: &Type) -> BoxedStrategy<Value> {
    let known = match of {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Number => number().prop_map(Value::Number).boxed(),
        Type::String => text().prop_map(Value::String).boxed(),
        Type::List(of) => vec(value_of(of), members()).prop_map(Value::List).boxed(),
        Type::Set(of) => vec(value_of(of), members()).prop_map(|members| Value::List(sorted_set(members))).boxed(),
        Type::Map(of) => btree_map(text(), value_of(of), members()).prop_map(Value::Map).boxed(),
        Type::Object(attributes) => {
            let attributes: Vec<_> = attributes
                .iter()
                .map(|(name, of)| {
                    value_of(of).prop_map({
                        let name = name.clone();
                        move |value| (name.clone(), value)
                    })
                })
                .collect();
            attributes.prop_map(|attributes| Value::Map(attributes.into_iter().collect())).boxed()
        }
        Type::Tuple(_) | Type::Dynamic => unreachable!("no schema has these"),
    };
    prop_oneof![8 => known, 1 => Just(Value::Null), 1 => Just(Value::Unknown)].boxed()
}

/// Sometimes more than fits into the shortest head of an array or map.
fn members() -> proptest::collection::SizeRange {
    (0..20).into()
}

/// What is easily folded, dropped or mistaken for something else: NUL and other controls, a combining mark that composes with the
/// letter before it, the composed letter, Hangul in parts and whole, ligatures, joiners and direction marks, the last code points
/// before and after the surrogates, noncharacters, private use, and code points beyond 16 bits.
const AWKWARD: [char; 30] = [
    '\0',
    '\u{7}',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    'a',
    'e',
    '\u{301}',
    '\u{327}',
    'é',
    'Å',
    '\u{212b}',
    '\u{1100}',
    '\u{1161}',
    '\u{ac00}',
    'ﬁ',
    'ß',
    'İ',
    '\u{a0}',
    '\u{200d}',
    '\u{202e}',
    '\u{2028}',
    '\u{feff}',
    '\u{d7ff}',
    '\u{e000}',
    '\u{fdd0}',
    '\u{ffff}',
    '\u{1d11e}',
    '\u{1f468}',
    '\u{10ffff}',
];

/// Any Unicode, and every width of a length.
pub(super) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        4 => "[ -~]{0,12}",
        4 => vec(prop_oneof![prop::sample::select(&AWKWARD[..]), any::<char>()], 0..12).prop_map(|all| all.into_iter().collect()),
        1 => (0_usize..300, any::<char>()).prop_map(|(length, of)| of.to_string().repeat(length)),
    ]
}

/// Whole numbers of every width, and decimals that no binary float holds.
pub(super) fn number() -> impl Strategy<Value = Number> {
    let text = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<i8>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        any::<i128>().prop_map(|number| number.to_string()),
        "-?[0-9]{1,60}",
        "-?[1-9][0-9]{300,500}",
        "-?0\\.0{0,80}[0-9]{1,200}",
        "-?[0-9]{1,30}\\.[0-9]{1,30}",
        "-?[1-9]\\.[0-9]{1,20}[eE][+-]?[0-9]{1,6}",
    ];
    text.prop_map(|text| text.parse().unwrap())
}
