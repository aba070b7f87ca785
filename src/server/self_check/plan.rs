//! A planned object keeps the configured values. The provider may fill an attribute only if it is computed.

use super::fault::Faults;
use crate::terraform::{Attribute, AttributePath, Kind, Nesting, Step, Value};

pub(super) fn check(attributes: &[Attribute], prior: &Value, config: &Value, planned: &Value, faults: &mut Faults) {
    let root = AttributePath::root();
    match (config.is_null(), planned.is_null()) {
        (false, true) => faults.add(&root, "nothing is planned although it is configured"),
        (true, false) => faults.add(&root, "something is planned although nothing is configured"),
        (true, true) => {}
        (false, false) => check_attributes(attributes, prior, config, planned, &root, faults),
    }
}

fn check_attributes(
    attributes: &[Attribute],
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &AttributePath,
    faults: &mut Faults,
) {
    for attribute in attributes {
        let name = attribute.name.as_str();
        check_attribute(attribute, prior.get(name), part(config, name), part(planned, name), &path.attribute(name), faults);
    }
}

/// An attribute of a configured or planned object; of an unknown object everything is unknown.
fn part<'a>(object: &'a Value, name: &str) -> &'a Value {
    if let Value::Unknown = object { object } else { object.get(name) }
}

fn check_attribute(
    attribute: &Attribute,
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &AttributePath,
    faults: &mut Faults,
) {
    let flags = &attribute.flags;
    if flags.write_only {
        if !planned.is_null() {
            faults.add(path, "a write-only value is planned");
        }
        return;
    }
    // The prior value may be kept for a configured one that means the same.
    let means_no_change = !prior.is_null() && !config.is_null() && planned == prior;
    let for_the_provider = flags.computed && (!flags.optional || config.is_null());
    if planned == config || means_no_change || for_the_provider {
        return;
    }
    match &attribute.kind {
        _ if config.is_null() => faults.add(path, "a value is planned that is neither configured nor computed"),
        Kind::Nested { nesting, attributes } => check_nested(*nesting, attributes, prior, config, planned, path, faults),
        Kind::Plain(_) => faults.add(path, "the planned value differs from the configured one"),
    }
}

fn check_nested(
    nesting: Nesting,
    attributes: &[Attribute],
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &AttributePath,
    faults: &mut Faults,
) {
    const NOTHING: &Value = &Value::Null;
    match (nesting, config, planned) {
        (_, Value::Unknown, _) => faults.add(path, "a value is planned although the configured one is not known yet"),
        (_, _, Value::Unknown) => faults.add(path, "the configured value is planned to be unknown"),
        (_, _, Value::Null) => faults.add(path, "nothing is planned although it is configured"),
        (Nesting::Single, ..) => check_attributes(attributes, prior, config, planned, path, faults),
        (Nesting::List, Value::List(config), Value::List(planned)) if config.len() == planned.len() => {
            let prior = if let Value::List(prior) = prior { prior.as_slice() } else { &[] };
            for (index, (config, planned)) in config.iter().zip(planned).enumerate() {
                let prior = prior.get(index).unwrap_or(NOTHING);
                check_attributes(attributes, prior, config, planned, &path.index(index), faults);
            }
        }
        (Nesting::Map, Value::Map(config), Value::Map(planned)) if config.keys().eq(planned.keys()) => {
            for (key, planned) in planned {
                check_attributes(attributes, prior.get(key), &config[key], planned, &path.key(key), faults);
            }
        }
        _ => faults.add(path, "the planned members differ from the configured ones"),
    }
}

/// A path that requires replacement must exist, in the prior object or in the planned one.
pub(super) fn check_replacements(prior: &Value, planned: &Value, paths: &[AttributePath], faults: &mut Faults) {
    for path in paths.iter().filter(|_| !prior.is_null()) {
        if !leads_somewhere(prior, path) && !leads_somewhere(planned, path) {
            faults.add(path, "a replacement is requested, but there is no such attribute");
        }
    }
}

fn leads_somewhere(object: &Value, path: &AttributePath) -> bool {
    let found = path.steps().iter().try_fold(object, |value, step| match (step, value) {
        (_, Value::Unknown) => Some(value),
        (Step::Attribute(name) | Step::Key(name), Value::Map(entries)) => entries.get(name),
        (Step::Index(index), Value::List(elements)) => elements.get(*index),
        _ => None,
    });
    found.is_some()
}
