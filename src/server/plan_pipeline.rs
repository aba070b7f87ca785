//! What happens to every planned value, whatever the resource: defaults, write-only values nulled, order kept where it has no meaning,
//! computed values unknown when something changes, declared replacements. Pure.

use std::collections::BTreeMap;

use crate::terraform::{Attribute, AttributePath, Kind, Nesting, Value, same_members};

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

/// Defaults in, write-only values out, order kept. Goes into nested objects.
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
    if flags.unordered && same_members(prior, proposed) {
        return prior.clone();
    }
    match (&attribute.kind, proposed) {
        (Kind::Nested { nesting: Nesting::Single, attributes }, Value::Map(_)) => settle(attributes, config, prior, proposed),
        (Kind::Nested { nesting: Nesting::Map, attributes }, Value::Map(entries)) => {
            let settled = entries
                .iter()
                .map(|(key, entry)| (key.clone(), settle_entry(attributes, config.get(key), prior.get(key), entry)))
                .collect::<BTreeMap<_, _>>();
            Value::Map(settled)
        }
        _ => proposed.clone(),
    }
}

fn settle_entry(attributes: &[Attribute], config: &Value, prior: &Value, entry: &Value) -> Value {
    match entry {
        Value::Map(_) => settle(attributes, config, prior, entry),
        other => other.clone(),
    }
}

/// Computed attributes that the configuration leaves open become unknown, except those that keep their prior value.
fn mark_unknown(attributes: &[Attribute], config: &Value, prior: &Value, value: &mut Value) {
    let Value::Map(entries) = value else { return };
    for attribute in attributes {
        let flags = &attribute.flags;
        let open = flags.computed && flags.default.is_none() && config.get(&attribute.name).is_null();
        let kept = flags.keep_prior && !prior.is_null();
        if open && !kept {
            entries.insert(attribute.name.clone(), Value::Unknown);
        }
    }
}

/// The attributes declared to replace the resource whose planned value differs from the prior one.
pub(crate) fn declared_replacements(attributes: &[Attribute], prior: &Value, planned: &Value) -> Vec<AttributePath> {
    if prior.is_null() {
        return Vec::new();
    }
    let differing = attributes
        .iter()
        .filter(|attribute| attribute.flags.requires_replace && prior.get(&attribute.name) != planned.get(&attribute.name));
    differing.map(|attribute| AttributePath::of(&attribute.name)).collect()
}

/// `base` with the top-level attributes that differ between `before` and `after`: typed models cannot express a list of which only some
/// members are unknown, so what a resource left alone keeps its untyped form.
pub(crate) fn overlay(base: Value, before: &Value, after: Value) -> Value {
    let (Value::Map(mut entries), Value::Map(after)) = (base, after) else { return Value::Null };
    for (name, value) in after {
        if *before.get(&name) != value {
            entries.insert(name, value);
        }
    }
    Value::Map(entries)
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

/// What must hold of every stored object: nothing unknown, no write-only value. Returns the paths that were unknown.
pub(crate) fn seal(attributes: &[Attribute], value: Value) -> (Value, Vec<AttributePath>) {
    let Value::Map(mut entries) = value else { return (value, Vec::new()) };
    let mut unknown = Vec::new();
    for attribute in attributes {
        let entry = entries.entry(attribute.name.clone()).or_default();
        if attribute.flags.write_only {
            *entry = Value::Null;
        } else if entry.contains_unknown() {
            *entry = Value::Null;
            unknown.push(AttributePath::of(&attribute.name));
        }
    }
    (Value::Map(entries), unknown)
}

/// Declared defaults in the place of nulls, for an import: it has no configuration to take them from.
pub(crate) fn fill_defaults(attributes: &[Attribute], value: Value) -> Value {
    let Value::Map(mut entries) = value else { return value };
    for attribute in attributes {
        let entry = entries.entry(attribute.name.clone()).or_default();
        if let (Some(default), Value::Null) = (&attribute.flags.default, &*entry) {
            *entry = default.clone();
        }
    }
    Value::Map(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::{Attr, Model, computed, model, optional, optional_computed, required};

    model! {
        /// Nested.
        struct Group {
            /// Mode.
            mode: String => optional().defaults_to("dedicated"),
        }
    }

    model! {
        /// Sample.
        struct Sample {
            /// Name.
            name: String => required().requires_replace(),
            /// Tables.
            tables: Vec<String> => optional().unordered(),
            /// Owner.
            owner: String => optional_computed(),
            /// Group.
            group: Group => optional(),
            /// Force.
            force: bool => optional().defaults_to(false),
            /// Password.
            password_wo: String => optional().write_only(),
            /// Id.
            id: String => computed().keep_prior(),
            /// Operations.
            operations: Vec<String> => computed(),
        }
    }

    fn config() -> Sample {
        Sample {
            name: "a".into(),
            tables: vec!["x".to_owned(), "y".to_owned()].into(),
            group: Group::default().into(),
            password_wo: "hunter2".into(),
            ..Sample::default()
        }
    }

    fn state() -> Sample {
        Sample {
            owner: "admin".into(),
            group: Group { mode: "dedicated".into() }.into(),
            force: false.into(),
            password_wo: Attr::Null,
            id: "1".into(),
            operations: vec!["DO".to_owned()].into(),
            ..config()
        }
    }

    fn complete_models(config: &Sample, prior: Option<&Sample>, proposed: &Sample) -> (Sample, bool) {
        let prior = prior.map_or(Value::Null, Model::encode);
        let proposal = complete(&Sample::attributes(), &Model::encode(config), &prior, &Model::encode(proposed));
        (Model::decode(&proposal.value, &AttributePath::root()).unwrap(), proposal.changed)
    }

    #[test]
    fn a_create_gets_defaults_and_unknowns_and_no_write_only_value() {
        let (planned, changed) = complete_models(&config(), None, &config());
        assert!(changed);
        assert_eq!(planned.force, Attr::Known(false));
        assert_eq!(planned.group, Attr::Known(Group { mode: "dedicated".into() }));
        assert_eq!(planned.password_wo, Attr::Null);
        assert_eq!((planned.owner, planned.id, planned.operations), (Attr::Unknown, Attr::Unknown, Attr::Unknown));
    }

    #[test]
    fn an_unchanged_configuration_plans_the_prior_state() {
        let proposed = Sample { tables: vec!["y".to_owned(), "x".to_owned()].into(), password_wo: "hunter2".into(), ..state() };
        let (planned, changed) = complete_models(&config(), Some(&state()), &proposed);
        assert!(!changed);
        assert_eq!(planned, state());
    }

    #[test]
    fn a_change_keeps_what_is_declared_to_be_kept() {
        let proposed = Sample { tables: vec!["x".to_owned()].into(), ..state() };
        let config = Sample { tables: vec!["x".to_owned()].into(), ..config() };
        let (planned, _) = complete_models(&config, Some(&state()), &proposed);
        assert_eq!((planned.owner, planned.id), (Attr::from("admin"), Attr::from("1")));
        assert_eq!(planned.operations, Attr::Unknown);
    }

    #[test]
    fn a_declared_replacement_needs_a_difference() {
        let attributes = Sample::attributes();
        let renamed = Sample { name: "b".into(), ..state() };
        let paths = declared_replacements(&attributes, &Model::encode(&state()), &Model::encode(&renamed));
        assert_eq!(paths, [AttributePath::of("name")]);
        assert!(declared_replacements(&attributes, &Value::Null, &Model::encode(&renamed)).is_empty());
    }

    #[test]
    fn what_was_planned_known_comes_back_unchanged() {
        let planned = Sample { operations: vec!["DO".to_owned()].into(), id: Attr::Unknown, ..state() };
        let actual = Sample { operations: Vec::new().into(), id: "7".into(), owner: "other".into(), ..state() };
        let value = fulfil(&Model::encode(&planned), &Model::encode(&actual));
        let stored: Sample = Model::decode(&value, &AttributePath::root()).unwrap();
        assert_eq!((stored.operations, stored.id, stored.owner), (planned.operations, "7".into(), "admin".into()));
    }

    #[test]
    fn nothing_unknown_is_ever_stored() {
        let (sealed, unknown) = seal(&Sample::attributes(), Model::encode(&Sample { id: Attr::Unknown, ..state() }));
        assert!(sealed.get("id").is_null());
        assert_eq!(unknown, [AttributePath::of("id")]);
    }
}
