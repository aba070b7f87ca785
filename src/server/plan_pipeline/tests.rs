use std::collections::BTreeMap;

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
    let proposal = complete(Sample::attributes(), &Model::encode(config), &prior, &Model::encode(proposed));
    (Model::decode(&proposal.value, &Trail::Root).unwrap(), proposal.changed)
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
    let paths = declared_replacements(attributes, &Model::encode(&state()), &Model::encode(&renamed));
    assert_eq!(paths, [AttributePath::of("name")]);
    assert!(declared_replacements(attributes, &Value::Null, &Model::encode(&renamed)).is_empty());
}

#[test]
fn what_was_planned_known_comes_back_unchanged() {
    let planned = Sample { operations: vec!["DO".to_owned()].into(), id: Attr::Unknown, ..state() };
    let actual = Sample { operations: Vec::new().into(), id: "7".into(), owner: "other".into(), ..state() };
    let value = fulfil(&Model::encode(&planned), &Model::encode(&actual));
    let stored: Sample = Model::decode(&value, &Trail::Root).unwrap();
    assert_eq!((stored.operations, stored.id, stored.owner), (planned.operations, "7".into(), "admin".into()));
}

#[test]
fn nothing_unknown_is_ever_stored() {
    let (sealed, unknown) = seal(Sample::attributes(), Model::encode(&Sample { id: Attr::Unknown, ..state() }));
    assert!(sealed.get("id").is_null());
    assert_eq!(unknown, [AttributePath::of("id")]);
}

model! {
    /// Part of a whole.
    struct Part {
        /// Name.
        name: String => required(),
        /// Family.
        family: String => optional().requires_replace(),
        /// Mode.
        mode: String => optional().defaults_to("dedicated"),
        /// Password.
        password_wo: String => optional().write_only(),
        /// Id.
        id: String => computed().keep_prior(),
        /// Status.
        status: String => computed(),
    }
}

model! {
    /// Nested in each way.
    struct Whole {
        /// Size.
        size: i64 => optional(),
        /// One.
        one: Part => optional(),
        /// A list.
        list: Vec<Part> => optional(),
        /// A map.
        map: BTreeMap<String, Part> => optional(),
        /// Within another.
        outer: Outer => optional(),
    }
}

model! {
    /// Around another.
    struct Outer {
        /// Tags.
        tags: Vec<String> => optional(),
        /// Inner.
        inner: Part => optional(),
    }
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(name, value)| (name.to_owned(), value)).into())
}

/// A part as the configuration has it.
fn configured(name: &str) -> Value {
    Part { name: name.into(), password_wo: "hunter2".into(), ..Part::default() }.encode()
}

/// The same part in the state, or in a plan.
fn stored(name: &str, id: Value, status: Value) -> Value {
    let stored = Part { name: name.into(), mode: "dedicated".into(), ..Part::default() }.encode();
    let Value::Map(mut entries) = stored else { unreachable!() };
    entries.extend([("id".to_owned(), id), ("status".to_owned(), status)]);
    Value::Map(entries)
}

fn new(name: &str) -> Value {
    stored(name, Value::Unknown, Value::Unknown)
}

/// A whole with one attribute, in the three ways to nest a part and within another.
fn wholes(part: impl Fn(&str) -> Value) -> [Value; 4] {
    [
        ("one", part("a")),
        ("list", Value::List(vec![part("a"), part("b")])),
        ("map", object([("k", part("a")), ("l", part("b"))])),
        ("outer", object([("tags", Value::Null), ("inner", part("a"))])),
    ]
    .map(|given| whole([given]))
}

fn whole<const N: usize>(given: [(&str, Value); N]) -> Value {
    let Value::Map(mut entries) = Whole::default().encode() else { unreachable!() };
    entries.extend(given.map(|(name, value)| (name.to_owned(), value)));
    Value::Map(entries)
}

fn with_size(whole: &Value, size: i64) -> Value {
    let Value::Map(mut entries) = whole.clone() else { unreachable!() };
    entries.insert("size".to_owned(), size.into());
    Value::Map(entries)
}

/// `Debug` of a value shows no contents.
#[track_caller]
fn assert_same(actual: &Value, expected: &Value) {
    assert_eq!(dump(actual), dump(expected));
}

fn dump(value: &Value) -> String {
    match value {
        Value::Map(entries) => {
            let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {}", dump(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::List(members) => format!("[{}]", members.iter().map(dump).collect::<Vec<_>>().join(", ")),
        Value::String(text) => format!("{text:?}"),
        other => other.kind().to_owned(),
    }
}

fn planned(config: &Value, prior: &Value, proposed: &Value) -> Value {
    let attributes = Whole::attributes();
    let planned = complete(attributes, config, prior, proposed).value;
    assert!(crate::server::self_check::planned(attributes, prior, config, &planned, &[]).is_empty());
    planned
}

fn paths(paths: &[AttributePath]) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}

#[test]
fn a_nested_object_that_comes_new_is_completed() {
    for (config, expected) in wholes(configured).iter().zip(wholes(new)) {
        assert_same(&planned(config, &Value::Null, config), &expected);
        assert_same(&planned(config, &whole([]), config), &expected);
    }
}

#[test]
fn a_change_makes_computed_parts_of_nested_objects_unknown_but_for_the_kept_ones() {
    let before = wholes(|name| stored(name, "1".into(), "up".into()));
    let after = wholes(|name| stored(name, "1".into(), Value::Unknown));
    for ((config, prior), expected) in wholes(configured).iter().zip(&before).zip(&after) {
        let planned_same = planned(config, prior, prior);
        assert_same(&planned_same, prior);
        assert_same(&planned(&with_size(config, 2), prior, &with_size(prior, 2)), &with_size(expected, 2));
    }
}

#[test]
fn a_member_that_comes_new_keeps_nothing() {
    let (kept, open) = (|| stored("a", "1".into(), "up".into()), || stored("a", "1".into(), Value::Unknown));
    let map = |first: Value, second: Value| whole([("map", object([("k", first), ("l", second)]))]);
    let prior = whole([("map", object([("k", kept())]))]);
    let planned_map = planned(&map(configured("a"), configured("b")), &prior, &map(kept(), configured("b")));
    assert_same(&planned_map, &map(open(), new("b")));
    // It is unknown which member of a longer list is the new one.
    let list = |first: Value, second: Value| whole([("list", Value::List(vec![first, second]))]);
    let prior = whole([("list", Value::List(vec![kept()]))]);
    let planned_list = planned(&list(configured("a"), configured("b")), &prior, &list(kept(), configured("b")));
    assert_same(&planned_list, &list(new("a"), new("b")));
}

#[test]
fn an_absent_nested_object_stays_absent_and_an_unknown_one_unknown() {
    let prior = wholes(|name| stored(name, "1".into(), "up".into()));
    for prior in prior.iter().chain([&Value::Null, &whole([])]) {
        let config = with_size(&whole([]), 2);
        assert_same(&planned(&config, prior, &config), &config);
    }
    for name in ["one", "list", "map", "outer"] {
        let config = whole([(name, Value::Unknown)]);
        assert_same(&planned(&config, &Value::Null, &config), &config);
    }
    assert_same(&fill_defaults(Whole::attributes(), whole([])), &whole([]));
}

#[test]
fn defaults_are_filled_in_nested_objects_that_are_there() {
    let without = |name: &str| Part { name: name.into(), ..Part::default() }.encode();
    for (given, expected) in wholes(without).iter().zip(wholes(|name| stored(name, Value::Null, Value::Null))) {
        assert_same(&fill_defaults(Whole::attributes(), given.clone()), &expected);
    }
}

#[test]
fn nothing_unknown_and_nothing_write_only_is_stored_in_a_nested_object() {
    let part = |name: &str| {
        let Value::Map(mut entries) = stored(name, Value::Unknown, "up".into()) else { unreachable!() };
        entries.insert("password_wo".to_owned(), "hunter2".into());
        Value::Map(entries)
    };
    let expected = wholes(|name| stored(name, Value::Null, "up".into()));
    let unknown =
        [vec!["one.id"], vec!["list[0].id", "list[1].id"], vec![r#"map["k"].id"#, r#"map["l"].id"#], vec!["outer.inner.id"]];
    for ((given, expected), unknown) in wholes(part).into_iter().zip(&expected).zip(unknown) {
        let (sealed, found) = seal(Whole::attributes(), given);
        assert_same(&sealed, expected);
        assert_eq!(paths(&found), unknown);
    }
    let wholly = [vec!["one"], vec!["list[0]", "list[1]"], vec![r#"map["k"]"#, r#"map["l"]"#], vec!["outer.inner"]];
    for (given, unknown) in wholes(|_| Value::Unknown).into_iter().zip(wholly) {
        let (sealed, found) = seal(Whole::attributes(), given);
        assert!(!sealed.contains_unknown());
        assert_eq!(paths(&found), unknown);
    }
}

#[test]
fn a_nested_attribute_that_requires_replacement_is_named_with_its_path() {
    let attributes = Whole::attributes();
    let part =
        |family: Attr<String>| move |name: &str| Part { name: name.into(), family: family.clone(), ..Part::default() }.encode();
    let expected = [
        vec!["one.family"],
        vec!["list[0].family", "list[1].family"],
        vec![r#"map["k"].family"#, r#"map["l"].family"#],
        vec!["outer.inner.family"],
    ];
    let (prior, other) = (wholes(part("x".into())), wholes(part("y".into())));
    let (open, without) = (wholes(part(Attr::Unknown)), wholes(part(Attr::Null)));
    for (index, expected) in expected.iter().enumerate() {
        let replacements = |planned: &Value| paths(&declared_replacements(attributes, &prior[index], planned));
        assert!(replacements(&prior[index]).is_empty());
        assert_eq!(replacements(&other[index]), *expected);
        assert_eq!(replacements(&open[index]), *expected);
        // An object that is removed, and one that is added.
        assert_eq!(replacements(&whole([])), *expected);
        assert_eq!(paths(&declared_replacements(attributes, &whole([]), &prior[index])), *expected);
        // An added object without the attribute does not change it.
        assert!(declared_replacements(attributes, &whole([]), &without[index]).is_empty());
        assert!(declared_replacements(attributes, &Value::Null, &prior[index]).is_empty());
    }
}

#[test]
fn what_a_resource_sets_in_a_nested_object_leaves_the_rest_of_it_untyped() {
    let partly = Value::List(vec!["a".into(), Value::Unknown]);
    let outer = |tags: Value, id: Value| object([("tags", tags), ("inner", stored("a", id, Value::Unknown))]);
    let base = whole([("outer", outer(partly.clone(), Value::Unknown))]);
    let typed: Whole = Model::decode(&base, &Trail::Root).unwrap();
    let before = Model::encode(&typed);
    let after = whole([("outer", outer(Value::Unknown, "7".into()))]);
    assert_same(&overlay(base, &before, after), &whole([("outer", outer(partly, "7".into()))]));
}
