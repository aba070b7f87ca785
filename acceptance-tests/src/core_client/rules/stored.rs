//! What may never be stored: unknown values, and values of write-only attributes.

use super::super::path::{Path, Step};
use super::super::schema::{Attribute, Schema, Shape};
use super::super::value::Value;

/// Where an object is unknown.
#[must_use]
pub fn unknown_paths(value: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    walk(value, &Path::root(), &mut |path, value| {
        if !value.is_known() {
            found.push(path.clone());
        }
    });
    found
}

fn walk(value: &Value, path: &Path, visit: &mut impl FnMut(&Path, &Value)) {
    visit(path, value);
    match value {
        Value::List(elements) => {
            elements.iter().enumerate().for_each(|(index, element)| walk(element, &path.index(index), visit));
        }
        Value::Set(elements) => elements.iter().for_each(|element| walk(element, &path.then(Step::Element), visit)),
        Value::Map(entries) => entries.iter().for_each(|(key, entry)| walk(entry, &path.key(key), visit)),
        Value::Object(entries) => entries.iter().for_each(|(name, entry)| walk(entry, &path.attribute(name), visit)),
        _ => {}
    }
}

/// Where an object has a value for a write-only attribute.
#[must_use]
pub fn write_only_paths(schema: &Schema, value: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    of_object(&schema.attributes, value, &Path::root(), &mut found);
    found
}

fn of_object(attributes: &[Attribute], object: &Value, path: &Path, found: &mut Vec<Path>) {
    for attribute in attributes {
        let (path, value) = (path.attribute(&attribute.name), object.attribute(&attribute.name));
        if attribute.write_only && !value.is_null() && object.is_known() {
            found.push(path);
            continue;
        }
        let Shape::Nested(_, inner) = &attribute.shape else { continue };
        match &value {
            Value::Object(_) => of_object(inner, &value, &path, found),
            Value::List(elements) => {
                elements.iter().enumerate().for_each(|(index, element)| of_object(inner, element, &path.index(index), found));
            }
            Value::Set(elements) => {
                elements.iter().for_each(|element| of_object(inner, element, &path.then(Step::Element), found))
            }
            Value::Map(entries) => entries.iter().for_each(|(key, entry)| of_object(inner, entry, &path.key(key), found)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::schema::Nesting;
    use super::super::super::schema::examples::{nested, object, optional, required};
    use super::super::super::value_type::Type;
    use super::*;

    fn shown(paths: &[Path]) -> Vec<String> {
        paths.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_unknown_part_is_named() {
        let tags = Value::Map([("k".to_owned(), Value::unknown())].into());
        let value =
            object([("id", Value::unknown()), ("list", Value::List(vec![Value::Null, Value::unknown()])), ("tags", tags)]);
        assert_eq!(shown(&unknown_paths(&value)), [".id", ".list[1]", ".tags[\"k\"]"]);
    }

    #[test]
    fn every_write_only_value_is_named_also_in_nested_objects() {
        let secret = || Attribute { write_only: true, ..optional("password_wo", Type::Text) };
        let schema =
            Schema { version: 0, attributes: vec![required("name"), secret(), nested("users", Nesting::List, vec![secret()])] };
        let user = |secret| object([("password_wo", secret)]);
        let value = object([
            ("name", Value::text("a")),
            ("password_wo", Value::text("x")),
            ("users", Value::List(vec![user(Value::Null), user(Value::unknown())])),
        ]);
        assert_eq!(shown(&write_only_paths(&schema, &value)), [".password_wo", ".users[1].password_wo"]);
        assert!(write_only_paths(&schema, &Value::Null).is_empty());
    }
}
