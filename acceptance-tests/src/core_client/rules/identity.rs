//! What core checks of an identity's schema and of the identities themselves, and what a practitioner may expect beyond: that
//! each object has one, that it is complete, and that it stays the same while the object is not changed.

use std::collections::BTreeSet;

use terraform_provider_clickpipes::proto::tfplugin6::ResourceIdentitySchema;

use super::super::schema::Schema;
use super::super::value::Value;
use super::super::value_type::Type;
use super::schema::INVALID;
use super::stored::unknown_paths;
use super::{Problem, Violation};

/// Core's title for an identity that it cannot store.
const INVALID_IDENTITY: &str = "Provider produced invalid identity";

/// What is wrong with the identity schema of a managed resource.
#[must_use]
pub fn assert_identity_schema_valid(type_name: &str, schema: &ResourceIdentitySchema) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut say = |detail: String| violations.push(Violation::new(INVALID, detail));
    let subject = format!("managed resource type {type_name:?}");
    if schema.version < 0 {
        say(format!("provider has invalid negative identity schema version for {subject}"));
    }
    // Core would accept an identity without attributes, which identifies nothing.
    if schema.identity_attributes.is_empty() {
        say(format!("provider has invalid identity schema for {subject}: it has no attributes"));
    }
    let mut names = BTreeSet::new();
    for attribute in &schema.identity_attributes {
        let name = &attribute.name;
        let mut invalid = |fault: &str| say(format!("provider has invalid identity schema for {subject}: {name}: {fault}"));
        if !names.insert(name) {
            invalid("name occurs twice");
        }
        match (attribute.required_for_import, attribute.optional_for_import) {
            (false, false) => invalid("must set Optional, Required or Computed"),
            (true, true) => invalid("cannot set both Optional and Required"),
            _ => {}
        }
        let kind = match Type::parse(&attribute.r#type) {
            _ if attribute.r#type.is_empty() => {
                invalid("either Type or NestedType must be defined");
                continue;
            }
            Err(error) => {
                invalid(&error);
                continue;
            }
            Ok(Type::Map(_)) => "a map",
            Ok(Type::Set(_)) => "a set",
            Ok(Type::Object(_)) => "an object",
            Ok(_) => continue,
        };
        say(format!(
            "provider has invalid schema for {subject}, attribute {name:?} is {kind}, which is not allowed in identity schemas"
        ));
    }
    violations
}

/// What is wrong with an identity in an answer. Core accepts one with unknown parts only in the plan of a create.
#[must_use]
pub fn assert_identity_valid(schema: &Schema, address: &str, identity: &Value, may_be_unknown: bool) -> Vec<Violation> {
    if !may_be_unknown && !identity.is_wholly_known() {
        let paths: Vec<String> = unknown_paths(identity).iter().map(ToString::to_string).collect();
        let detail = format!("Provider returned an identity with unknown values for {address}: {}.", paths.join(", "));
        return vec![Violation::new(INVALID_IDENTITY, detail)];
    }
    // A planned identity may lack values that are known only after apply.
    let required = schema.attributes.iter().filter(|attribute| attribute.required && !may_be_unknown);
    let missing = required.filter(|attribute| identity.attribute(&attribute.name).is_null());
    let incomplete = |name: &str| {
        let detail = format!(
            "Provider returned an identity for {address} that doesn't match the identity schema: attribute {name:?} is required for an \
             import, and null."
        );
        Violation::new("Provider produced an incomplete identity", detail)
    };
    missing.map(|attribute| incomplete(&attribute.name)).collect()
}

/// The type has an identity schema, but the answer has no identity. Core would store none, and the object could not be found by
/// it.
#[must_use]
pub fn identity_absent(address: &str, when: &str) -> Violation {
    Violation::new(
        "Provider gave no identity",
        format!("The answer about {address} has no identity {when}, though its type has one."),
    )
}

/// An identity although the type has none.
#[must_use]
pub fn identity_unasked(address: &str, when: &str) -> Violation {
    Violation::new("Plugin error", format!("identity type not found for {address} {when}"))
}

/// How two identities differ that should be the same; unknown parts of the first may be anything.
#[must_use]
pub fn identity_changed(address: &str, when: &str, before: &Value, after: &Value) -> Vec<Violation> {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return Vec::new() };
    let differs = |name: &String| match (before.get(name), after.get(name)) {
        (Some(Value::Unknown(promised)), Some(now)) => !promised.admits(now),
        (before, now) => before != now,
    };
    let changed = after.keys().filter(|name| differs(name)).map(|name| {
        let problem = Problem::at(
            &super::super::path::Path::root().attribute(name),
            format!("was {:?}, but now {:?}", before.get(name), after.get(name)),
        );
        Violation::new("Provider produced a different identity", format!("Of {address} {when}: {problem}."))
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use terraform_provider_clickpipes::proto::tfplugin6::resource_identity_schema::IdentityAttribute;

    use super::super::super::schema::examples::{object, optional, required};
    use super::super::super::value::Refinement;
    use super::*;

    fn attribute(of: &str) -> IdentityAttribute {
        let (name, r#type) = ("a".to_owned(), of.as_bytes().to_vec());
        IdentityAttribute { name, r#type, required_for_import: true, ..Default::default() }
    }

    fn said(version: i64, identity_attributes: Vec<IdentityAttribute>) -> Vec<String> {
        let violations = assert_identity_schema_valid("x", &ResourceIdentitySchema { version, identity_attributes });
        violations.into_iter().map(|violation| violation.detail).collect()
    }

    #[test]
    fn each_rule_of_the_schema_is_broken_once() {
        assert!(said(0, vec![attribute("\"string\"")]).is_empty());
        assert!(said(0, vec![attribute(r#"["list","string"]"#)]).is_empty());
        for (broken, words) in [
            (vec![], "it has no attributes"),
            (vec![attribute("\"string\""); 2], "a: name occurs twice"),
            (vec![IdentityAttribute { required_for_import: false, ..attribute("\"string\"") }], "must set Optional, Required"),
            (vec![IdentityAttribute { optional_for_import: true, ..attribute("\"string\"") }], "both Optional and Required"),
            (vec![attribute("")], "either Type or NestedType must be defined"),
            (vec![attribute("\"text\"")], "does not know the type"),
            (vec![attribute(r#"["map","string"]"#)], "is a map, which is not allowed in identity schemas"),
            (vec![attribute(r#"["set","string"]"#)], "is a set, which"),
            (vec![attribute(r#"["object",{"a":"string"}]"#)], "is an object, which"),
        ] {
            let said = said(0, broken);
            assert!(said.len() == 1 && said[0].contains(words), "{said:?}");
        }
        assert!(said(-1, vec![attribute("\"string\"")])[0].contains("negative identity schema version"));
    }

    #[test]
    fn an_identity_is_known_complete_and_lasting() {
        let schema = Schema { version: 0, attributes: vec![required("a"), optional("b", Type::Text)] };
        let valid = |a: Value, early| assert_identity_valid(&schema, "x.this", &object([("a", a), ("b", Value::Null)]), early);
        assert!(valid(Value::text("a"), false).is_empty() && valid(Value::unknown(), true).is_empty());
        assert!(valid(Value::unknown(), false)[0].detail.contains("unknown values for x.this: .a"));
        assert!(valid(Value::Null, false)[0].detail.contains("attribute \"a\" is required"));
        let of = |a: Value| object([("a", a)]);
        assert!(identity_changed("x.this", "", &of(Value::unknown()), &of(Value::text("a"))).is_empty());
        assert!(!identity_changed("x.this", "", &of(Value::text("b")), &of(Value::text("a"))).is_empty());
        let promised = Value::Unknown(Refinement::not_null());
        assert!(!identity_changed("x.this", "", &of(promised), &of(Value::Null)).is_empty());
    }
}
