//! Whether an object is what was planned: equal to what the plan knew, and within its promises where it did not.

use super::super::cty_notation;
use super::super::path::{Path, Step};
use super::super::schema::Schema;
use super::super::value::Value;
use super::super::value_type::Type;
use super::Problem;

/// How an object differs from its plan; nothing when core accepts it.
#[must_use]
pub fn assert_object_compatible(schema: &Schema, planned: &Value, actual: &Value) -> Vec<Problem> {
    let root = Path::root();
    match (planned.is_null(), actual.is_null()) {
        (true, true) => return Vec::new(),
        (true, false) => return vec![Problem::at(&root, "Root object was absent, but now present")],
        (false, true) => return vec![Problem::at(&root, "Root object was present, but now absent")],
        (false, false) => {}
    }
    let mut problems = Vec::new();
    for attribute in &schema.attributes {
        let path = root.attribute(&attribute.name);
        let (planned, actual) = (planned.attribute(&attribute.name), actual.attribute(&attribute.name));
        let mut of_one = Vec::new();
        value(&attribute.value_type(), &planned, &actual, &path, &mut of_one);
        if attribute.sensitive && !of_one.is_empty() {
            of_one = vec![Problem::at(&path, "inconsistent values for sensitive attribute")];
        }
        problems.append(&mut of_one);
    }
    problems
}

fn value(of: &Type, planned: &Value, actual: &Value, path: &Path, problems: &mut Vec<Problem>) {
    let shown = |value: &Value| cty_notation::value(value, of);
    let mut problem = |words: String| problems.push(Problem::at(path, words));
    match (of, planned, actual) {
        (_, Value::Unknown(promised), actual) => {
            if !promised.admits(actual) {
                problem(format!("final value {} does not conform to planning placeholder {}", shown(actual), shown(planned)));
            }
        }
        (_, Value::Null, Value::Null) => {}
        (_, planned, Value::Null) => problem(format!("was {}, but now null", shown(planned))),
        (_, Value::Null, actual) => problem(format!("was null, but now {}", shown(actual))),
        (_, _, Value::Unknown(_)) => problem("was known, but now unknown".to_owned()),
        (Type::List(element), Value::List(planned), Value::List(actual)) => {
            for (index, planned) in planned.iter().enumerate() {
                match actual.get(index) {
                    Some(actual) => value(element, planned, actual, &path.index(index), problems),
                    None => problems.push(Problem::at(path, format!("element {index} has vanished"))),
                }
            }
            for index in planned.len()..actual.len() {
                problems.push(Problem::at(path, format!("new element {index} has appeared")));
            }
        }
        (Type::Map(element), Value::Map(planned), Value::Map(actual)) => {
            for (key, planned) in planned {
                match actual.get(key) {
                    Some(actual) => value(element, planned, actual, &path.key(key), problems),
                    None => problems.push(Problem::at(path, format!("element {key:?} has vanished"))),
                }
            }
            for key in actual.keys().filter(|key| !planned.contains_key(*key)) {
                problems.push(Problem::at(path, format!("new element {key:?} has appeared")));
            }
        }
        (Type::Object(attributes), Value::Object(planned), Value::Object(actual)) => {
            for (name, of) in attributes {
                let part = |object: &std::collections::BTreeMap<String, Value>| object.get(name).cloned().unwrap_or(Value::Null);
                value(of, &part(planned), &part(actual), &path.attribute(name), problems);
            }
        }
        (Type::Set(element), Value::Set(planned), Value::Set(actual)) => set(element, planned, actual, path, problems),
        (_, planned, actual) => {
            if planned != actual {
                problem(format!("was {}, but now {}", shown(planned), shown(actual)));
            }
        }
    }
}

/// Every element must have a counterpart on the other side, and there may not be more of them: equal ones become one, none comes apart.
fn set(of: &Type, planned: &[Value], actual: &[Value], path: &Path, problems: &mut Vec<Problem>) {
    let correlate = |planned: &Value, actual: &Value| {
        let mut differences = Vec::new();
        value(of, planned, actual, &path.then(Step::Element), &mut differences);
        differences.is_empty()
    };
    let lost: Vec<&Value> = planned.iter().filter(|planned| !actual.iter().any(|actual| correlate(planned, actual))).collect();
    for element in &lost {
        let shown = cty_notation::value(element, of);
        problems.push(Problem::at(path, format!("planned set element {shown} does not correlate with any element in actual")));
    }
    if lost.is_empty() {
        for element in actual.iter().filter(|actual| !planned.iter().any(|planned| correlate(planned, actual))) {
            let shown = cty_notation::value(element, of);
            problems.push(Problem::at(path, format!("actual set element {shown} does not correlate with any element in plan")));
        }
    }
    if planned.len() < actual.len() {
        problems.push(Problem::at(path, format!("length changed from {} to {}", planned.len(), actual.len())));
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::schema::Attribute;
    use super::super::super::schema::examples::{object, optional};
    use super::super::super::value::Refinement;
    use super::*;

    fn said_of(attribute: Attribute, planned: Value, actual: Value) -> Vec<String> {
        let schema = Schema { version: 0, attributes: vec![attribute] };
        let problems = assert_object_compatible(&schema, &object([("x", planned)]), &object([("x", actual)]));
        problems.iter().map(ToString::to_string).collect()
    }

    fn said(of: Type, planned: Value, actual: Value) -> Vec<String> {
        said_of(optional("x", of), planned, actual)
    }

    fn number(number: i64) -> Value {
        Value::Number(number.into())
    }

    fn list(texts: &[&str]) -> Value {
        Value::List(texts.iter().map(|text| Value::text(*text)).collect())
    }

    fn map(entries: &[(&str, i64)]) -> Value {
        Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), number(*value))).collect())
    }

    #[test]
    fn a_known_value_stays() {
        assert!(said(Type::Number, number(5), number(5)).is_empty());
        assert_eq!(said(Type::Number, number(5), number(42)), [".x: was cty.NumberIntVal(5), but now cty.NumberIntVal(42)"]);
        assert_eq!(said(Type::Number, number(5), Value::Null), [".x: was cty.NumberIntVal(5), but now null"]);
        assert_eq!(said(Type::Number, Value::Null, number(5)), [".x: was null, but now cty.NumberIntVal(5)"]);
        assert_eq!(said(Type::Number, number(5), Value::unknown()), [".x: was known, but now unknown"]);
        let secret = Attribute { sensitive: true, ..optional("x", Type::Number) };
        assert_eq!(said_of(secret, number(5), number(42)), [".x: inconsistent values for sensitive attribute"]);
    }

    #[test]
    fn an_unknown_value_keeps_its_promises() {
        assert!(said(Type::Number, Value::unknown(), number(5)).is_empty());
        let promised = Value::Unknown(Refinement::not_null());
        assert!(said(Type::Number, promised.clone(), number(5)).is_empty());
        assert!(said(Type::Number, promised, Value::Null)[0].contains("does not conform to planning placeholder"));
    }

    #[test]
    fn lists_and_maps_are_compared_place_by_place() {
        let of = || Type::List(Box::new(Type::Text));
        assert_eq!(said(of(), list(&["a", "b"]), list(&["a"])), [".x: element 1 has vanished"]);
        assert_eq!(said(of(), list(&["a"]), list(&["a", "b"])), [".x: new element 1 has appeared"]);
        assert_eq!(said(of(), list(&["a"]), list(&["b"])), [r#".x[0]: was cty.StringVal("a"), but now cty.StringVal("b")"#]);
        let of = || Type::Map(Box::new(Type::Number));
        assert_eq!(
            said(of(), map(&[("a", 1)]), map(&[("b", 1)])),
            [r#".x: element "a" has vanished"#, r#".x: new element "b" has appeared"#]
        );
        assert!(said(of(), map(&[("a", 1)]), map(&[("a", 2)]))[0].starts_with(r#".x["a"]: was"#));
    }

    #[test]
    fn objects_are_compared_attribute_by_attribute() {
        let of = || Type::Object([("id".to_owned(), Type::Text), ("n".to_owned(), Type::Number)].into());
        let planned = || object([("id", Value::unknown()), ("n", number(1))]);
        assert!(said(of(), planned(), object([("id", Value::text("7")), ("n", number(1))])).is_empty());
        assert!(said(of(), planned(), object([("id", Value::Null), ("n", number(2))]))[0].starts_with(".x.n: was"));
    }

    #[test]
    fn elements_of_a_set_need_a_counterpart() {
        let of = || Type::Set(Box::new(Type::Number));
        let set = |numbers: &[i64]| Value::set(numbers.iter().map(|value| number(*value)).collect());
        assert!(said(of(), set(&[1, 2]), set(&[2, 1])).is_empty());
        let open = Value::set(vec![number(1), Value::unknown()]);
        assert!(said(of(), open.clone(), set(&[1])).is_empty());
        assert!(said(of(), open.clone(), set(&[1, 9])).is_empty());
        assert_eq!(said(of(), open, set(&[1, 2, 9])), [".x: length changed from 2 to 3"]);
        assert!(said(of(), set(&[1]), set(&[2]))[0].contains("planned set element cty.NumberIntVal(1) does not correlate"));
        assert!(said(of(), set(&[1]), set(&[1, 2]))[0].contains("actual set element cty.NumberIntVal(2) does not correlate"));
    }

    #[test]
    fn an_object_neither_comes_nor_goes() {
        let schema = Schema { version: 0, attributes: vec![optional("x", Type::Text)] };
        let one = object([("x", Value::Null)]);
        let said = |planned: &Value, actual: &Value| assert_object_compatible(&schema, planned, actual)[0].to_string();
        assert_eq!(said(&one, &Value::Null), "Root object was present, but now absent");
        assert_eq!(said(&Value::Null, &one), "Root object was absent, but now present");
    }
}
