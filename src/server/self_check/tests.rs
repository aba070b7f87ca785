use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::terraform::{Model, computed, model, optional, optional_computed, required};

model! {
    /// Nested.
    struct Member {
        /// Name.
        name: String => required(),
        /// Secret.
        secret_wo: String => optional().write_only(),
        /// Id.
        id: String => computed(),
    }
}

model! {
    /// Sample.
    struct Sample {
        /// Name.
        name: String => required(),
        /// Size.
        size: i64 => optional(),
        /// Owner.
        owner: String => optional_computed(),
        /// Set.
        publish: BTreeSet<String> => optional(),
        /// List.
        tables: Vec<String> => optional(),
        /// Map.
        tags: BTreeMap<String, String> => optional(),
        /// Nested object.
        one: Member => optional(),
        /// Nested list.
        list: Vec<Member> => optional(),
        /// Nested map.
        map: BTreeMap<String, Member> => optional(),
        /// Password.
        password_wo: String => optional().write_only(),
        /// Id.
        id: String => computed(),
    }
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(name, value)| (name.to_owned(), value)).into())
}

fn list(names: &[&str]) -> Value {
    Value::List(names.iter().map(|name| Value::from(*name)).collect())
}

fn member(name: &str, id: Value) -> Value {
    object([("name", Value::from(name)), ("secret_wo", Value::Null), ("id", id)])
}

/// The sample with these attributes, all others null.
fn sample<const N: usize>(given: [(&str, Value); N]) -> Value {
    let Value::Map(mut entries) = Sample { name: "a".into(), ..Sample::default() }.encode() else { unreachable!() };
    entries.extend(given.map(|(name, value)| (name.to_owned(), value)));
    Value::Map(entries)
}

fn said(diagnostics: Diagnostics) -> Vec<String> {
    diagnostics
        .into_iter()
        .map(|diagnostic| diagnostic.detail.replace(". Terraform would refuse this answer. Please report this.", ""))
        .collect()
}

fn plan_said(prior: &Value, config: &Value, planned: &Value) -> Vec<String> {
    said(super::planned(Sample::attributes(), prior, config, planned, &[]))
}

/// The faults found in the plan of one attribute.
fn plan_of(name: &str, prior: Option<Value>, config: Value, planned: Value) -> Vec<String> {
    let prior = prior.map_or(Value::Null, |prior| sample([(name, prior)]));
    plan_said(&prior, &sample([(name, config)]), &sample([(name, planned)]))
}

fn apply_of(name: &str, planned: Value, actual: Value) -> Vec<String> {
    said(applied(Sample::attributes(), &sample([(name, planned)]), &sample([(name, actual)])))
}

#[test]
fn a_plan_keeps_what_is_configured_or_what_was() {
    assert!(plan_of("name", None, "x".into(), "x".into()).is_empty());
    assert!(plan_of("name", Some("X".into()), "x".into(), "X".into()).is_empty());
    let other = ["Attribute name: the planned value differs from the configured one"];
    assert_eq!(plan_of("name", None, "x".into(), "y".into()), other);
    assert_eq!(plan_of("name", None, Value::Unknown, "y".into()), other);
    assert_eq!(plan_of("name", None, "x".into(), Value::Unknown), other);
    assert_eq!(
        plan_of("owner", None, "x".into(), "y".into()),
        ["Attribute owner: the planned value differs from the configured one"]
    );
    let partly = || Value::List(vec!["a".into(), Value::Unknown]);
    assert!(plan_of("tables", None, partly(), partly()).is_empty());
}

#[test]
fn a_plan_fills_computed_attributes_only() {
    for planned in [Value::Null, Value::Unknown, "x".into()] {
        assert!(plan_of("id", Some("y".into()), Value::Null, planned.clone()).is_empty());
        assert!(plan_of("owner", None, Value::Null, planned).is_empty());
    }
    let unasked = ["Attribute size: a value is planned that is neither configured nor computed"];
    assert_eq!(plan_of("size", None, Value::Null, 7.into()), unasked);
    assert_eq!(plan_of("size", Some(7.into()), Value::Null, 7.into()), unasked);
}

#[test]
fn a_plan_holds_no_write_only_value() {
    assert!(plan_of("password_wo", None, "x".into(), Value::Null).is_empty());
    assert_eq!(plan_of("password_wo", None, "x".into(), "x".into()), ["Attribute password_wo: a write-only value is planned"]);
}

#[test]
fn a_plan_exists_as_configured() {
    let one = sample([]);
    assert!(plan_said(&one, &Value::Null, &Value::Null).is_empty());
    assert_eq!(plan_said(&one, &one, &Value::Null), ["The whole object: nothing is planned although it is configured"]);
    assert_eq!(plan_said(&one, &Value::Null, &one), ["The whole object: something is planned although nothing is configured"]);
}

#[test]
fn nested_objects_are_planned_member_by_member() {
    let open = |name: &str| member(name, Value::Unknown);
    let config = |name: &str| member(name, Value::Null);
    assert!(plan_of("one", None, config("a"), open("a")).is_empty());
    assert_eq!(
        plan_of("one", None, config("a"), open("b")),
        ["Attribute one.name: the planned value differs from the configured one"]
    );
    assert_eq!(plan_of("one", None, config("a"), Value::Null), ["Attribute one: nothing is planned although it is configured"]);
    assert_eq!(
        plan_of("one", None, config("a"), Value::Unknown),
        ["Attribute one: the configured value is planned to be unknown"]
    );
    assert_eq!(
        plan_of("one", None, Value::Unknown, open("a")),
        ["Attribute one: a value is planned although the configured one is not known yet"]
    );
    let many = |members: Vec<Value>| Value::List(members);
    assert!(plan_of("list", None, many(vec![config("a"), config("b")]), many(vec![open("a"), open("b")])).is_empty());
    assert_eq!(
        plan_of("list", None, many(vec![config("a")]), many(vec![open("b")])),
        ["Attribute list[0].name: the planned value differs from the configured one"]
    );
    let fewer = plan_of("list", None, many(vec![config("a"), config("b")]), many(vec![open("a")]));
    assert_eq!(fewer, ["Attribute list: the planned members differ from the configured ones"]);
    assert!(plan_of("map", None, object([("k", config("a"))]), object([("k", open("a"))])).is_empty());
    let other_key = plan_of("map", None, object([("k", config("a"))]), object([("l", open("a"))]));
    assert_eq!(other_key, ["Attribute map: the planned members differ from the configured ones"]);
}

#[test]
fn a_path_that_requires_replacement_leads_somewhere() {
    let (attributes, one) = (Sample::attributes(), sample([("list", Value::List(vec![member("a", Value::Null)]))]));
    let said_of = |prior: &Value, path: AttributePath| said(super::planned(attributes, prior, &one, &one, &[path]));
    let inner = AttributePath::of("list").index(0).attribute("name");
    assert!(said_of(&one, AttributePath::of("name")).is_empty());
    assert!(said_of(&one, inner).is_empty());
    let nowhere = AttributePath::of("list").index(1);
    assert_eq!(said_of(&one, nowhere.clone()), ["Attribute list[1]: a replacement is requested, but there is no such attribute"]);
    assert!(said_of(&Value::Null, nowhere).is_empty());
}

#[test]
fn an_apply_gives_what_was_planned() {
    assert!(apply_of("size", 5.into(), 5.into()).is_empty());
    assert!(apply_of("size", Value::Unknown, 5.into()).is_empty());
    let changed = ["Attribute size: the value differs from the planned one"];
    assert_eq!(apply_of("size", 5.into(), 6.into()), changed);
    assert_eq!(apply_of("size", 5.into(), Value::Null), changed);
    assert_eq!(apply_of("size", Value::Null, 5.into()), changed);
    assert_eq!(
        apply_of("tables", list(&["a", "b"]), list(&["a", "c"])),
        ["Attribute tables[1]: the value differs from the planned one"]
    );
    assert_eq!(apply_of("tables", list(&["a"]), list(&["a", "b"])), ["Attribute tables: the value differs from the planned one"]);
    let half_known = Value::List(vec!["a".into(), Value::Unknown]);
    assert!(apply_of("tables", half_known, list(&["a", "b"])).is_empty());
    let tags = |value: &str| object([("k", Value::from(value))]);
    assert_eq!(apply_of("tags", tags("1"), tags("2")), [r#"Attribute tags["k"]: the value differs from the planned one"#]);
    assert!(apply_of("one", member("a", Value::Unknown), member("a", "1".into())).is_empty());
    assert_eq!(
        apply_of("one", member("a", Value::Unknown), member("b", "1".into())),
        ["Attribute one.name: the value differs from the planned one"]
    );
}

#[test]
fn a_set_keeps_its_members_and_gains_none() {
    assert!(apply_of("publish", list(&["a", "b"]), list(&["b", "a"])).is_empty());
    let other = ["Attribute publish: the members differ from the planned ones"];
    assert_eq!(apply_of("publish", list(&["a", "b"]), list(&["a"])), other);
    assert_eq!(apply_of("publish", list(&["a"]), list(&["a", "b"])), other);
    let open = || Value::List(vec!["a".into(), Value::Unknown]);
    assert!(apply_of("publish", open(), list(&["a"])).is_empty());
    assert!(apply_of("publish", open(), list(&["a", "z"])).is_empty());
    assert_eq!(apply_of("publish", open(), list(&["a", "y", "z"])), other);
    assert_eq!(apply_of("publish", open(), list(&["z"])), other);
}

#[test]
fn an_apply_neither_loses_nor_leaves_an_object() {
    let said_of = |planned: &Value, actual: &Value| said(applied(Sample::attributes(), planned, actual));
    assert!(said_of(&Value::Null, &Value::Null).is_empty());
    assert_eq!(said_of(&sample([]), &Value::Null), ["The whole object: the object is missing although it was planned"]);
    assert_eq!(said_of(&Value::Null, &sample([])), ["The whole object: the object exists although its removal was planned"]);
}

#[test]
fn nothing_unknown_no_write_only_value_and_no_other_shape_is_stored() {
    let said_of = |value: &Value| said(stored(Sample::attributes(), value, "a refresh"));
    assert!(said_of(&Value::Null).is_empty());
    assert!(said_of(&sample([])).is_empty());
    assert_eq!(said_of(&sample([("id", Value::Unknown)])), ["Attribute id: a value to be stored is unknown"]);
    assert_eq!(said_of(&sample([("password_wo", "x".into())])), ["Attribute password_wo: a write-only value would be stored"]);
    let secret = object([("name", "a".into()), ("secret_wo", "x".into()), ("id", Value::Null)]);
    assert_eq!(said_of(&sample([("one", secret.clone())])), ["Attribute one.secret_wo: a write-only value would be stored"]);
    let in_list = sample([("list", Value::List(vec![secret.clone()]))]);
    assert_eq!(said_of(&in_list), ["Attribute list[0].secret_wo: a write-only value would be stored"]);
    let in_map = sample([("map", object([("k", secret)]))]);
    assert_eq!(said_of(&in_map), [r#"Attribute map["k"].secret_wo: a write-only value would be stored"#]);
    let open = || member("a", Value::Unknown);
    let unknown = |place: &str| [format!("Attribute {place}: a value to be stored is unknown")];
    assert_eq!(said_of(&sample([("one", open())])), unknown("one.id"));
    assert_eq!(said_of(&sample([("list", Value::List(vec![member("a", Value::Null), open()]))])), unknown("list[1].id"));
    assert_eq!(said_of(&sample([("map", object([("k", Value::Unknown)]))])), unknown(r#"map["k"]"#));
    assert_eq!(said_of(&sample([("map", Value::Unknown)])), unknown("map"));
    assert_eq!(said_of(&sample([("tables", Value::List(vec![Value::Unknown]))])), unknown("tables"));
    assert_eq!(said_of(&sample([("size", "x".into())])), ["Attribute size: the value does not have the declared type"]);
    assert_eq!(
        said_of(&sample([("tables", Value::List(vec![true.into()]))])),
        ["Attribute tables[0]: the value does not have the declared type"]
    );
    assert_eq!(said_of(&sample([("extra", Value::Null)])), ["Attribute extra: there is no such attribute"]);
    assert_eq!(said_of(&object([])).len(), Sample::attributes().len());
    assert_eq!(said_of(&true.into()), ["The whole object: this is not an object"]);
}

#[test]
fn ten_thousand_names_are_one_walk() {
    let names: Vec<Value> = (0..10_000).map(|number| Value::String(format!("sales.table_{number:05}"))).collect();
    let reversed: Vec<Value> = names.iter().rev().cloned().collect();
    let value = |members: &[Value]| sample([("tables", Value::List(names.clone())), ("publish", Value::List(members.to_vec()))]);
    assert!(applied(Sample::attributes(), &value(&names), &value(&reversed)).is_empty());
    assert!(super::planned(Sample::attributes(), &value(&names), &value(&names), &value(&names), &[]).is_empty());
}

#[test]
fn a_fault_says_the_step_the_rule_and_the_place_but_no_value() {
    let faults = stored(Sample::attributes(), &sample([("password_wo", "hunter2".into())]), "a refresh");
    let fault = faults.iter().next().unwrap();
    assert_eq!(fault.summary, "Bug in the provider: invalid answer to a refresh");
    assert_eq!(fault.path, Some(AttributePath::of("password_wo")));
    assert!(!fault.detail.contains("hunter2") && faults.has_errors());
}
