//! What happens to every planned value of every resource: defaults, write-only values set to null, order and time zones kept where they
//! have no meaning, computed values unknown when something changes, declared replacements. All of it applies to nested objects too. Pure.

use std::collections::BTreeSet;

use crate::terraform::{Attribute, AttributePath, Kind, Nesting, Place, Trail, Value, places, same_members, same_time};

/// A proposal ready for the resource.
pub(crate) struct Proposal {
    /// The object.
    pub(crate) value: Value,
    /// True on create and when the object differs from the prior one.
    pub(crate) changed: bool,
}

/// Completes Terraform's proposal.
pub(crate) fn complete(attributes: &[Attribute], config: &Value, prior: &Value, proposed: &Value) -> Proposal {
    let mut value = settle(attributes, config, prior, proposed);
    let changed = value != *prior;
    if changed {
        mark_unknown(attributes, config, prior, &mut value);
    }
    Proposal { value, changed }
}

/// Adds defaults, removes write-only values, keeps order and time zones.
fn settle(attributes: &[Attribute], config: &Value, prior: &Value, proposed: &Value) -> Value {
    let settled = attributes.iter().map(|attribute| {
        let name = attribute.name.as_str();
        (name.to_owned(), settle_attribute(attribute, config.get(name), prior.get(name), proposed.get(name)))
    });
    Value::Map(settled.collect())
}

fn settle_attribute(attribute: &Attribute, config: &Value, prior: &Value, proposed: &Value) -> Value {
    let flags = &attribute.flags;
    if flags.write_only {
        return Value::Null;
    }
    if let (Some(default), Value::Null) = (&flags.default, config) {
        return default.clone();
    }
    if (flags.unordered && same_members(prior, proposed)) || (flags.timestamp && same_time(prior, proposed)) {
        return prior.clone();
    }
    let mut settled = proposed.clone();
    for (attributes, place, object) in configured_objects(&attribute.kind, config, &mut settled) {
        *object = settle(attributes, place.of(config), place.of(prior), object);
    }
    settled
}

/// The objects in the value of a nested attribute that are also configured. An object that is not configured belongs to the
/// provider as a whole.
fn configured_objects<'a>(kind: &'a Kind, config: &Value, value: &'a mut Value) -> Vec<(&'a [Attribute], Place, &'a mut Value)> {
    let Kind::Nested { nesting, attributes } = kind else { return Vec::new() };
    let objects = places(*nesting, value).into_iter();
    let configured = objects.filter(|(place, object)| matches!((place.of(config), &**object), (Value::Map(_), Value::Map(_))));
    configured.map(|(place, object)| (attributes.as_slice(), place, object)).collect()
}

/// Computed attributes that are not configured become unknown, except those that keep their prior value.
fn mark_unknown(attributes: &[Attribute], config: &Value, prior: &Value, value: &mut Value) {
    let Value::Map(entries) = value else { return };
    for attribute in attributes {
        let (flags, name) = (&attribute.flags, attribute.name.as_str());
        let open = flags.computed && flags.default.is_none() && config.get(name).is_null();
        let kept = flags.keep_prior && !prior.is_null();
        if open && !kept {
            entries.insert(name.to_owned(), Value::Unknown);
        } else if let Some(entry) = entries.get_mut(name) {
            let (config, prior) = (config.get(name), prior.get(name));
            for (attributes, place, object) in configured_objects(&attribute.kind, config, entry) {
                mark_unknown(attributes, place.of(config), place.of(prior), object);
            }
        }
    }
}

/// The attributes declared to replace the resource whose planned value differs from the prior one. An added or removed object
/// differs in each of its values.
pub(crate) fn declared_replacements(attributes: &[Attribute], prior: &Value, planned: &Value) -> Vec<AttributePath> {
    let mut paths = Vec::new();
    if !prior.is_null() {
        find_replacements(attributes, prior, planned, &AttributePath::root(), &mut paths);
    }
    paths
}

fn find_replacements(
    attributes: &[Attribute],
    prior: &Value,
    planned: &Value,
    path: &AttributePath,
    paths: &mut Vec<AttributePath>,
) {
    for attribute in attributes {
        let (prior, planned) = (part(prior, &attribute.name), part(planned, &attribute.name));
        if prior == planned {
            continue;
        }
        let path = path.attribute(&attribute.name);
        match &attribute.kind {
            _ if attribute.flags.requires_replace => paths.push(path),
            Kind::Plain(_) => {}
            Kind::Nested { nesting: Nesting::Single, attributes } => find_replacements(attributes, prior, planned, &path, paths),
            Kind::Nested { nesting: Nesting::List, attributes } => {
                for position in 0..length(prior).max(length(planned)) {
                    let (prior, planned) = (at(prior, position), at(planned, position));
                    find_replacements(attributes, prior, planned, &path.index(position), paths);
                }
            }
            Kind::Nested { nesting: Nesting::Map, attributes } => {
                for key in keys(prior).chain(keys(planned)).collect::<BTreeSet<_>>() {
                    find_replacements(attributes, part(prior, key), part(planned, key), &path.key(key), paths);
                }
            }
        }
    }
}

/// An attribute or member of a value; of an unknown value everything is unknown.
fn part<'a>(value: &'a Value, name: &str) -> &'a Value {
    if let Value::Unknown = value { value } else { value.get(name) }
}

fn at(list: &Value, position: usize) -> &Value {
    const NOTHING: &Value = &Value::Null;
    match list {
        Value::Unknown => list,
        Value::List(members) => members.get(position).unwrap_or(NOTHING),
        _ => NOTHING,
    }
}

fn length(list: &Value) -> usize {
    if let Value::List(members) = list { members.len() } else { 0 }
}

fn keys(map: &Value) -> impl Iterator<Item = &String> {
    let entries = if let Value::Map(entries) = map { Some(entries) } else { None };
    entries.into_iter().flat_map(|entries| entries.keys())
}

/// `base` with the attributes that differ between `before` and `after`: typed models cannot express a list in which only some
/// members are unknown, so what a resource did not change keeps its untyped form, even beside something that it set in the same
/// nested object.
pub(crate) fn overlay(base: Value, before: &Value, after: Value) -> Value {
    let (Value::Map(mut entries), Value::Map(after)) = (base, after) else { return Value::Null };
    for (name, value) in after {
        let before = before.get(&name);
        if *before == value {
            continue;
        }
        let laid = match entries.remove(&name) {
            Some(base) if same_keys(&base, before) && same_keys(before, &value) => overlay(base, before, value),
            _ => value,
        };
        entries.insert(name, laid);
    }
    Value::Map(entries)
}

fn same_keys(one: &Value, other: &Value) -> bool {
    matches!((one, other), (Value::Map(one), Value::Map(other)) if one.keys().eq(other.keys()))
}

/// The new state after an apply without errors: every value that was planned known stays as planned.
pub(crate) fn fulfil(planned: &Value, actual: &Value) -> Value {
    match (planned, actual) {
        (Value::Unknown, actual) => actual.clone(),
        (Value::Map(planned), Value::Map(_)) => {
            Value::Map(planned.iter().map(|(name, value)| (name.clone(), fulfil(value, actual.get(name)))).collect())
        }
        (Value::List(planned), Value::List(actual)) if planned.len() == actual.len() => {
            Value::List(planned.iter().zip(actual).map(|(planned, actual)| fulfil(planned, actual)).collect())
        }
        (planned, _) => planned.clone(),
    }
}

/// The rules for every stored object: no unknowns, no write-only value. Returns the paths that were unknown.
pub(crate) fn seal(attributes: &[Attribute], mut value: Value) -> (Value, Vec<AttributePath>) {
    let mut unknown = Vec::new();
    seal_object(attributes, &mut value, &Trail::Root, &mut unknown);
    (value, unknown)
}

fn seal_object(attributes: &[Attribute], object: &mut Value, trail: &Trail<'_>, unknown: &mut Vec<AttributePath>) {
    let Value::Map(entries) = object else { return };
    for attribute in attributes {
        let Some(entry) = entries.get_mut(&attribute.name) else {
            entries.insert(attribute.name.clone(), Value::Null);
            continue;
        };
        if attribute.flags.write_only {
            *entry = Value::Null;
            continue;
        }
        let trail = trail.attribute(&attribute.name);
        if let Kind::Nested { nesting, attributes } = &attribute.kind {
            let mut members_unknown = Vec::new();
            for (place, object) in places(*nesting, entry) {
                match object {
                    Value::Unknown => members_unknown.push(place.trail(&trail).path()),
                    object => seal_object(attributes, object, &place.trail(&trail), unknown),
                }
            }
            // A member cannot be null, so the whole attribute becomes null.
            if !members_unknown.is_empty() {
                *entry = Value::Null;
                unknown.append(&mut members_unknown);
            }
        }
        if entry.contains_unknown() {
            *entry = Value::Null;
            unknown.push(trail.path());
        }
    }
}

/// Puts declared defaults in place of nulls, for an import: it has no configuration to take them from. An absent nested object
/// stays absent.
pub(crate) fn fill_defaults(attributes: &[Attribute], mut value: Value) -> Value {
    fill_object(attributes, &mut value);
    value
}

fn fill_object(attributes: &[Attribute], object: &mut Value) {
    let Value::Map(entries) = object else { return };
    for attribute in attributes {
        let entry = entries.entry(attribute.name.clone()).or_default();
        if let (Some(default), Value::Null) = (&attribute.flags.default, &*entry) {
            *entry = default.clone();
        }
        if let Kind::Nested { nesting, attributes } = &attribute.kind {
            places(*nesting, entry).into_iter().for_each(|(_, object)| fill_object(attributes, object));
        }
    }
}

#[cfg(test)]
mod tests;
