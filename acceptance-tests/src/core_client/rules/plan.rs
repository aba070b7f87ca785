//! Whether a planned object keeps what is configured, and is unknown only where the provider may decide.

use std::collections::BTreeMap;

use super::super::cty_notation;
use super::super::path::Path;
use super::super::schema::{Attribute, Nesting, Schema, Shape};
use super::super::value::Value;
use super::Problem;

/// What is wrong with a planned object; nothing when core accepts it.
#[must_use]
pub fn assert_plan_valid(schema: &Schema, prior: &Value, config: &Value, planned: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    if same_existence(config, planned, &Path::root(), &mut problems) && !planned.is_null() {
        attributes(&schema.attributes, prior, config, planned, &Path::root(), &mut problems);
    }
    problems
}

fn same_existence(config: &Value, planned: &Value, path: &Path, problems: &mut Vec<Problem>) -> bool {
    let words = match (config.is_null(), planned.is_null()) {
        (false, true) => "planned for absence but config wants existence",
        (true, false) => "planned for existence but config wants absence",
        _ => return true,
    };
    problems.push(Problem::at(path, words));
    false
}

fn attributes(
    attributes: &[Attribute],
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &Path,
    problems: &mut Vec<Problem>,
) {
    for attribute in attributes {
        let name = attribute.name.as_str();
        let (prior, config, planned) = (prior.attribute(name), config.attribute(name), planned.attribute(name));
        value(attribute, &prior, &config, &planned, &path.attribute(name), problems);
    }
}

fn value(attribute: &Attribute, prior: &Value, config: &Value, planned: &Value, path: &Path, problems: &mut Vec<Problem>) {
    let unrefined = planned.unrefined();
    let accepted = unrefined == config.unrefined();
    let no_change = !prior.is_null() && !config.is_null() && unrefined == prior.unrefined();
    if accepted || no_change {
        return;
    }
    let shown = |value: &Value| cty_notation::value(value, &attribute.value_type());
    if attribute.write_only {
        if !planned.is_null() {
            problems.push(Problem::at(path, "planned value for write-only attribute is not null"));
        }
        return;
    }
    // The provider decides what only it sets, and what the configuration leaves open.
    if attribute.computed && (!attribute.optional || config.is_null()) {
        return;
    }
    if config.is_null() {
        problems.push(Problem::at(
            path,
            if attribute.sensitive {
                "sensitive planned value for a non-computed attribute".to_owned()
            } else {
                format!("planned value {} for a non-computed attribute", shown(planned))
            },
        ));
        return;
    }
    if let Shape::Nested(nesting, inner) = &attribute.shape {
        nested(*nesting, inner, prior, config, planned, path, problems);
        return;
    }
    let nor_prior = if prior.is_null() { String::new() } else { format!(" nor prior value {}", shown(prior)) };
    problems.push(Problem::at(
        path,
        match (attribute.sensitive, prior.is_null()) {
            (true, true) => "sensitive planned value does not match config value".to_owned(),
            (true, false) => "sensitive planned value does not match config value nor prior value".to_owned(),
            (false, _) => format!("planned value {} does not match config value {}{nor_prior}", shown(planned), shown(config)),
        },
    ));
}

fn nested(
    nesting: Nesting,
    inner: &[Attribute],
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &Path,
    problems: &mut Vec<Problem>,
) {
    if !same_existence(config, planned, path, problems) {
        return;
    }
    if !planned.is_known() {
        problems.push(Problem::at(path, "planned unknown for configured value"));
        return;
    }
    let count = |planned: &str, config: &str| {
        Problem::at(path, format!("count in plan ({planned}) disagrees with count in config ({config})"))
    };
    let number = |length: usize| format!("cty.NumberIntVal({length})");
    match (nesting, config, planned) {
        (Nesting::Single, _, _) => attributes(inner, prior, config, planned, path, problems),
        (_, Value::Unknown(_), _) => problems.push(count(&number(length(planned)), "cty.UnknownVal(cty.Number)")),
        (Nesting::Set, ..) => {
            // Elements of a set have no address and cannot be told to belong together. Some may turn out to be equal.
            let wholly_known = config.is_wholly_known() && planned.is_wholly_known();
            if wholly_known && length(config) != length(planned) {
                problems.push(count(&number(length(planned)), &number(length(config))));
            }
        }
        _ if length(config) != length(planned) => problems.push(count(&number(length(planned)), &number(length(config)))),
        (Nesting::List, Value::List(config), Value::List(planned)) => {
            for (index, (config, planned)) in config.iter().zip(planned).enumerate() {
                let prior = if let Value::List(prior) = prior { prior.get(index) } else { None };
                attributes(inner, prior.unwrap_or(&Value::Null), config, planned, &path.index(index), problems);
            }
        }
        (Nesting::Map, Value::Map(config), Value::Map(planned)) => {
            let nothing = BTreeMap::new();
            let prior = if let Value::Map(prior) = prior { prior } else { &nothing };
            for (key, planned) in planned {
                match config.get(key) {
                    None => problems.push(Problem::at(path, format!("map key {key:?} from plan is not present in config"))),
                    Some(config) => {
                        let prior = prior.get(key).unwrap_or(&Value::Null);
                        attributes(inner, prior, config, planned, &path.attribute(key), problems);
                    }
                }
            }
            for key in config.keys().filter(|key| !planned.contains_key(*key)) {
                problems.push(Problem::at(path, format!("map key {key:?} from config is not present in plan")));
            }
        }
        // The codec has given every value its type from the schema.
        _ => unreachable!("a nested value of another type than its own"),
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::List(elements) | Value::Set(elements) => elements.len(),
        Value::Map(entries) => entries.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
