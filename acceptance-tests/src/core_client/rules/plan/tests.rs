use super::super::super::schema::examples::{computed, nested, object, optional, required};
use super::super::super::value::Refinement;
use super::super::super::value_type::Type;
use super::*;

fn of(attribute: Attribute) -> Schema {
    Schema { version: 0, attributes: vec![attribute] }
}

/// What core says about the plan of one attribute.
fn said(attribute: Attribute, prior: Option<Value>, config: Value, planned: Value) -> Vec<String> {
    let name = attribute.name.clone();
    let prior = prior.map_or(Value::Null, |prior| object([(&name, prior)]));
    let problems = assert_plan_valid(&of(attribute), &prior, &object([(&name, config)]), &object([(&name, planned)]));
    problems.iter().map(ToString::to_string).collect()
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn either(name: &str) -> Attribute {
    Attribute { computed: true, ..optional(name, Type::Text) }
}

fn sensitive() -> Attribute {
    Attribute { sensitive: true, ..required("key") }
}

#[test]
fn what_is_configured_is_planned() {
    assert!(said(required("name"), None, text("a"), text("a")).is_empty());
    assert_eq!(
        said(required("name"), None, text("a"), text("other")),
        [r#".name: planned value cty.StringVal("other") does not match config value cty.StringVal("a")"#]
    );
    assert_eq!(
        said(required("name"), Some(text("b")), text("a"), text("other")),
        [concat!(
            r#".name: planned value cty.StringVal("other") does not match config value cty.StringVal("a") "#,
            r#"nor prior value cty.StringVal("b")"#
        )]
    );
    assert_eq!(said(sensitive(), None, text("a"), text("b")), [".key: sensitive planned value does not match config value"]);
    assert_eq!(
        said(sensitive(), Some(text("c")), text("a"), text("b")),
        [".key: sensitive planned value does not match config value nor prior value"]
    );
}

#[test]
fn the_prior_value_may_stand_for_a_configured_one_that_means_the_same() {
    assert!(said(required("name"), Some(text("A")), text("a"), text("A")).is_empty());
    // Not for an attribute that is not configured.
    assert_eq!(said(optional("name", Type::Text), Some(text("A")), Value::Null, text("A")).len(), 1);
}

#[test]
fn what_is_unknown_in_the_configuration_stays_unknown() {
    let refined = Value::Unknown(Refinement::not_null());
    assert!(said(required("name"), None, refined.clone(), Value::unknown()).is_empty());
    assert_eq!(said(required("name"), None, refined, text("guess")).len(), 1);
    assert_eq!(said(either("owner"), None, Value::unknown(), text("guess")).len(), 1);
}

#[test]
fn only_computed_attributes_are_the_providers_to_fill() {
    for planned in [text("x"), Value::unknown(), Value::Null] {
        assert!(said(computed("id"), Some(text("y")), Value::Null, planned.clone()).is_empty());
        assert!(said(either("owner"), None, Value::Null, planned).is_empty());
    }
    assert_eq!(
        said(optional("size", Type::Number), None, Value::Null, Value::Number(7.into())),
        [".size: planned value cty.NumberIntVal(7) for a non-computed attribute"]
    );
    let secret = Attribute { sensitive: true, ..optional("key", Type::Text) };
    assert_eq!(said(secret, None, Value::Null, text("x")), [".key: sensitive planned value for a non-computed attribute"]);
}

#[test]
fn a_write_only_value_is_never_planned() {
    let secret = || Attribute { write_only: true, ..optional("password_wo", Type::Text) };
    assert!(said(secret(), None, text("x"), Value::Null).is_empty());
    assert_eq!(said(secret(), None, text("x"), text("y")), [".password_wo: planned value for write-only attribute is not null"]);
}

#[test]
fn existence_is_the_configurations_to_decide() {
    let schema = of(required("name"));
    let one = object([("name", text("a"))]);
    let said = |config: &Value, planned: &Value| assert_plan_valid(&schema, &one, config, planned)[0].to_string();
    assert_eq!(said(&one, &Value::Null), "planned for absence but config wants existence");
    assert_eq!(said(&Value::Null, &one), "planned for existence but config wants absence");
    assert!(assert_plan_valid(&schema, &one, &Value::Null, &Value::Null).is_empty());
}

fn member(name: &str, id: Value) -> Value {
    object([("name", text(name)), ("id", id)])
}

fn members(nesting: Nesting) -> Attribute {
    nested("members", nesting, vec![required("name"), computed("id")])
}

#[test]
fn nested_lists_keep_their_length_and_what_their_objects_say() {
    let list = |names: &[&str]| Value::List(names.iter().map(|name| member(name, Value::unknown())).collect());
    let config = || Value::List(vec![member("a", Value::Null), member("b", Value::Null)]);
    assert!(said(members(Nesting::List), None, config(), list(&["a", "b"])).is_empty());
    assert_eq!(
        said(members(Nesting::List), None, config(), list(&["a"])),
        [".members: count in plan (cty.NumberIntVal(1)) disagrees with count in config (cty.NumberIntVal(2))"]
    );
    assert!(said(members(Nesting::List), None, config(), list(&["a", "c"]))[0].starts_with(".members[1].name: planned value"));
    assert_eq!(
        said(members(Nesting::List), None, config(), Value::unknown()),
        [".members: planned unknown for configured value"]
    );
    assert_eq!(said(members(Nesting::List), None, Value::unknown(), list(&["a"])).len(), 1);
}

#[test]
fn nested_maps_keep_their_keys() {
    let map = |key: &str, name: &str| Value::Map([(key.to_owned(), member(name, Value::Null))].into());
    assert!(said(members(Nesting::Map), None, map("k", "a"), map("k", "a")).is_empty());
    assert_eq!(
        said(members(Nesting::Map), None, map("k", "a"), map("l", "a")),
        [
            ".members: map key \"l\" from plan is not present in config",
            ".members: map key \"k\" from config is not present in plan"
        ]
    );
    assert!(said(members(Nesting::Map), None, map("k", "a"), map("k", "b"))[0].starts_with(".members.k.name: planned value"));
}

#[test]
fn nested_objects_exist_as_configured() {
    let single = || members(Nesting::Single);
    assert!(said(single(), None, member("a", Value::Null), member("a", text("1"))).is_empty());
    assert_eq!(
        said(single(), None, member("a", Value::Null), Value::Null),
        [".members: planned for absence but config wants existence"]
    );
    assert_eq!(said(single(), None, member("a", Value::Null), member("b", Value::Null)).len(), 1);
    let set = |names: &[&str]| Value::set(names.iter().map(|name| member(name, Value::Null)).collect());
    assert!(said(members(Nesting::Set), None, set(&["a"]), set(&["b"])).is_empty());
    assert_eq!(said(members(Nesting::Set), None, set(&["a"]), set(&["b", "c"])).len(), 1);
}
