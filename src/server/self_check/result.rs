//! A stored object matches the plan wherever the plan was known.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::Faults;
use crate::terraform::{Attribute, AttributePath, Type, Value};

pub(super) fn check(attributes: &[Attribute], planned: &Value, actual: &Value, faults: &mut Faults) {
    let root = AttributePath::root();
    match (planned.is_null(), actual.is_null()) {
        (true, false) => faults.add(&root, "the object exists although its removal was planned"),
        (false, true) => faults.add(&root, "the object is missing although it was planned"),
        (true, true) => {}
        (false, false) => {
            for attribute in attributes {
                let name = attribute.name.as_str();
                let of = attribute.kind.value_type();
                compare(&of, planned.get(name), actual.get(name), &root.attribute(name), faults);
            }
        }
    }
}

fn compare(of: &Type, planned: &Value, actual: &Value, path: &AttributePath, faults: &mut Faults) {
    match (of, planned, actual) {
        (_, Value::Unknown, _) => {}
        (Type::List(of), Value::List(planned), Value::List(actual)) if planned.len() == actual.len() => {
            for (index, (planned, actual)) in planned.iter().zip(actual).enumerate() {
                if planned != actual {
                    compare(of, planned, actual, &path.index(index), faults);
                }
            }
        }
        (Type::Map(of), Value::Map(planned), Value::Map(actual)) if same_keys(planned, actual) => {
            for (key, planned) in planned {
                compare(of, planned, &actual[key], &path.key(key), faults);
            }
        }
        (Type::Object(attributes), Value::Map(_), Value::Map(_)) => {
            for (name, of) in attributes {
                compare(of, planned.get(name), actual.get(name), &path.attribute(name), faults);
            }
        }
        (Type::Set(_), Value::List(planned), Value::List(actual)) => {
            if !same_set(planned, actual) {
                faults.add(path, "the members differ from the planned ones");
            }
        }
        (_, planned, actual) => {
            if planned != actual {
                faults.add(path, "the value differs from the planned one");
            }
        }
    }
}

fn same_keys(one: &BTreeMap<String, Value>, other: &BTreeMap<String, Value>) -> bool {
    one.keys().eq(other.keys())
}

/// Members that were known must be there. Unknown members may have become anything, and equal ones may have become one; but no
/// member becomes two.
fn same_set(planned: &[Value], actual: &[Value]) -> bool {
    let (open, known): (Vec<&Value>, Vec<&Value>) = planned.iter().partition(|member| member.contains_unknown());
    let known: BTreeSet<&Value> = known.into_iter().collect();
    let actual: BTreeSet<&Value> = actual.iter().collect();
    let further = actual.difference(&known).count();
    known.is_subset(&actual) && further <= open.len()
}
