//! Every stored object has the declared form, contains no unknowns and holds no write-only value.

use super::fault::Faults;
use crate::terraform::{Attribute, AttributePath, Kind, Nesting, Type, Value};

pub(super) fn check(attributes: &[Attribute], value: &Value, faults: &mut Faults) {
    check_shape(attributes, value, faults);
    if faults.are_none() && !value.is_null() {
        check_known(attributes, value, &AttributePath::root(), faults);
        check_write_only(attributes, value, &AttributePath::root(), faults);
    }
}

/// An object has each declared attribute, with a value of its type, and no other.
pub(super) fn check_shape(attributes: &[Attribute], value: &Value, faults: &mut Faults) {
    let root = AttributePath::root();
    match value {
        Value::Null => {}
        Value::Map(_) => check_object(attributes.iter().map(|a| (a.name.as_str(), a.kind.value_type())), value, &root, faults),
        _ => faults.add(&root, "this is not an object"),
    }
}

fn check_object<'a>(
    attributes: impl Iterator<Item = (&'a str, Type)> + Clone,
    object: &Value,
    path: &AttributePath,
    faults: &mut Faults,
) {
    let Value::Map(entries) = object else { return };
    for (name, of) in attributes.clone() {
        let path = path.attribute(name);
        match entries.get(name) {
            Some(value) => check_type(&of, value, &path, faults),
            None => faults.add(&path, "the attribute is missing"),
        }
    }
    if entries.len() > attributes.clone().count() {
        let declared: Vec<&str> = attributes.map(|(name, _)| name).collect();
        for extra in entries.keys().filter(|name| !declared.contains(&name.as_str())) {
            faults.add(&path.attribute(extra), "there is no such attribute");
        }
    }
}

fn check_type(of: &Type, value: &Value, path: &AttributePath, faults: &mut Faults) {
    match (of, value) {
        (_, Value::Null | Value::Unknown)
        | (Type::Bool, Value::Bool(_))
        | (Type::Number, Value::Number(_))
        | (Type::String, Value::String(_)) => {}
        (Type::List(of) | Type::Set(of), Value::List(elements)) => {
            // Paths are built only for members that are wrong: there may be many members.
            for (index, element) in elements.iter().enumerate().filter(|(_, element)| !is_scalar_of(of, element)) {
                check_type(of, element, &path.index(index), faults);
            }
        }
        (Type::Map(of), Value::Map(entries)) => {
            for (key, entry) in entries.iter().filter(|(_, entry)| !is_scalar_of(of, entry)) {
                check_type(of, entry, &path.key(key), faults);
            }
        }
        (Type::Object(attributes), Value::Map(_)) => {
            check_object(attributes.iter().map(|(name, of)| (name.as_str(), of.clone())), value, path, faults);
        }
        _ => faults.add(path, "the value does not have the declared type"),
    }
}

fn is_scalar_of(of: &Type, value: &Value) -> bool {
    matches!(
        (of, value),
        (Type::Bool, Value::Bool(_)) | (Type::Number, Value::Number(_)) | (Type::String, Value::String(_)) | (_, Value::Null)
    )
}

fn check_known(attributes: &[Attribute], object: &Value, path: &AttributePath, faults: &mut Faults) {
    for attribute in attributes.iter().filter(|attribute| object.get(&attribute.name).contains_unknown()) {
        let (path, value) = (path.attribute(&attribute.name), object.get(&attribute.name));
        let mut inside = false;
        each_object(attribute, value, &path, &mut |attributes, object, path| {
            inside |= object.contains_unknown();
            match object {
                Value::Unknown => faults.add(path, "a value to be stored is unknown"),
                object => check_known(attributes, object, path, faults),
            }
        });
        if !inside {
            faults.add(&path, "a value to be stored is unknown");
        }
    }
}

fn check_write_only(attributes: &[Attribute], object: &Value, path: &AttributePath, faults: &mut Faults) {
    for attribute in attributes {
        let (path, value) = (path.attribute(&attribute.name), object.get(&attribute.name));
        if attribute.flags.write_only && !value.is_null() {
            faults.add(&path, "a write-only value would be stored");
        }
        each_object(attribute, value, &path, &mut |attributes, object, path| check_write_only(attributes, object, path, faults));
    }
}

/// The objects of a nested attribute, one level below it.
fn each_object(
    attribute: &Attribute,
    value: &Value,
    path: &AttributePath,
    visit: &mut impl FnMut(&[Attribute], &Value, &AttributePath),
) {
    match (&attribute.kind, value) {
        (Kind::Nested { nesting: Nesting::Single, attributes }, Value::Map(_)) => visit(attributes, value, path),
        (Kind::Nested { nesting: Nesting::List, attributes }, Value::List(elements)) => {
            elements.iter().enumerate().for_each(|(index, element)| visit(attributes, element, &path.index(index)));
        }
        (Kind::Nested { nesting: Nesting::Map, attributes }, Value::Map(entries)) => {
            entries.iter().for_each(|(key, entry)| visit(attributes, entry, &path.key(key)));
        }
        _ => {}
    }
}
