//! What core checks of a schema when it loads the provider.

use std::collections::BTreeSet;

use terraform_provider_clickpipes::proto::tfplugin6::{
    self as pb,
    schema::{Attribute, object::NestingMode},
};

use super::super::value_type::Type;
use super::Violation;

/// What is wrong with the schema of `subject`, such as `managed resource type "x"`.
#[must_use]
pub fn assert_schema_valid(subject: &str, schema: &pb::Schema) -> Vec<Violation> {
    let Some(block) = &schema.block else {
        return vec![Violation::new("Invalid provider schema", format!("missing schema for {subject}"))];
    };
    let mut faults = Vec::new();
    attributes(&block.attributes, "", false, &mut faults);
    let violation =
        |fault: String| Violation::new("Invalid provider schema", format!("provider has invalid schema for {subject}: {fault}"));
    faults.into_iter().map(violation).collect()
}

fn attributes(attributes: &[Attribute], prefix: &str, in_set: bool, faults: &mut Vec<String>) {
    let mut names = BTreeSet::new();
    for attribute in attributes {
        let path = format!("{prefix}{}", attribute.name);
        if !names.insert(&attribute.name) {
            faults.push(format!("{path}: name occurs twice"));
        }
        of_one(attribute, &path, in_set, faults);
    }
}

fn of_one(attribute: &Attribute, path: &str, in_set: bool, faults: &mut Vec<String>) {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let valid_name = !attribute.name.is_empty() && attribute.name.chars().all(allowed);
    let (typed, nested) = (!attribute.r#type.is_empty(), attribute.nested_type.as_ref());
    let checks = [
        (valid_name, "may contain only lowercase letters, digits and underscores"),
        (attribute.optional || attribute.required || attribute.computed, "must set Optional, Required or Computed"),
        (!(attribute.optional && attribute.required), "cannot set both Optional and Required"),
        (!(attribute.computed && attribute.required), "cannot set both Computed and Required"),
        (!(attribute.computed && attribute.write_only), "cannot set both Computed and WriteOnly"),
        (!(in_set && attribute.write_only), "write-only attributes are not allowed inside sets"),
        (typed || nested.is_some(), "either Type or NestedType must be defined"),
        (!typed || nested.is_none(), "Type and NestedType cannot both be set"),
    ];
    faults.extend(checks.iter().filter(|(holds, _)| !holds).map(|(_, fault)| format!("{path}: {fault}")));
    if let Some(object) = nested {
        let in_set = in_set || object.nesting() == NestingMode::Set;
        if object.nesting() == NestingMode::Invalid {
            faults.push(format!("{path}: invalid nesting mode"));
        }
        attributes(&object.attributes, &format!("{path}."), in_set, faults);
    } else if typed && let Err(error) = Type::parse(&attribute.r#type) {
        faults.push(format!("{path}: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str) -> Attribute {
        Attribute { name: name.to_owned(), r#type: b"\"string\"".to_vec(), optional: true, ..Default::default() }
    }

    fn said(attributes: Vec<Attribute>) -> Vec<String> {
        let block = pb::schema::Block { attributes, ..Default::default() };
        let schema = pb::Schema { version: 0, block: Some(block) };
        let violations = assert_schema_valid("managed resource type \"x\"", &schema);
        let prefix = "provider has invalid schema for managed resource type \"x\": ";
        violations.into_iter().map(|violation| violation.detail.strip_prefix(prefix).unwrap().to_owned()).collect()
    }

    #[test]
    fn each_rule_is_broken_by_one_attribute() {
        assert!(said(vec![attribute("a")]).is_empty());
        for (broken, fault) in [
            (attribute("A"), "A: may contain only lowercase letters, digits and underscores"),
            (Attribute { optional: false, ..attribute("a") }, "a: must set Optional, Required or Computed"),
            (Attribute { required: true, ..attribute("a") }, "a: cannot set both Optional and Required"),
            (Attribute { computed: true, write_only: true, ..attribute("a") }, "a: cannot set both Computed and WriteOnly"),
            (Attribute { r#type: Vec::new(), ..attribute("a") }, "a: either Type or NestedType must be defined"),
            (
                Attribute {
                    nested_type: Some(pb::schema::Object { nesting: NestingMode::Single.into(), ..Default::default() }),
                    ..attribute("a")
                },
                "a: Type and NestedType cannot both be set",
            ),
        ] {
            assert_eq!(said(vec![broken]), [fault]);
        }
        let required = Attribute { required: true, optional: false, computed: true, ..attribute("a") };
        assert_eq!(said(vec![required]), ["a: cannot set both Computed and Required"]);
        assert_eq!(said(vec![attribute("a"), attribute("a")]), ["a: name occurs twice"]);
        assert!(said(vec![Attribute { r#type: b"\"dynamic\"".to_vec(), ..attribute("a") }])[0].contains("does not know"));
    }

    #[test]
    fn nested_attributes_are_checked_too() {
        let inner = Attribute { write_only: true, ..attribute("secret") };
        let of = |nesting: NestingMode| pb::schema::Object {
            nesting: nesting.into(),
            attributes: vec![inner.clone()],
            ..Default::default()
        };
        let outer = |nesting| Attribute { r#type: Vec::new(), nested_type: Some(of(nesting)), ..attribute("outer") };
        assert!(said(vec![outer(NestingMode::List)]).is_empty());
        assert_eq!(said(vec![outer(NestingMode::Set)]), ["outer.secret: write-only attributes are not allowed inside sets"]);
        assert_eq!(said(vec![outer(NestingMode::Invalid)]), ["outer: invalid nesting mode"]);
    }
}
