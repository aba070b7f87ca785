//! What core checks of a schema when it loads the provider, and a little more: core does not forbid write-only attributes outside
//! managed resources, or computed attributes where nothing is computed, but it cannot use them.

use std::collections::BTreeSet;

use terraform_provider_clickpipes::proto::tfplugin6::{
    self as pb,
    schema::{Attribute, object::NestingMode},
};

use super::super::value_type::Type;
use super::Violation;

/// Core's title for a schema that it does not load.
pub(super) const INVALID: &str = "Invalid provider schema";
const UNDEPRECATED: &str = "DeprecationMessage must not be set when Deprecated is false";

/// What a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A managed resource: configured and computed, and what is write-only is in neither plan nor state.
    Managed,
    /// What is read or opened: configured and computed.
    Read,
    /// A configuration, and nothing comes back.
    Arguments,
}

/// What is wrong with the schema of `subject`, such as `managed resource type "x"`.
#[must_use]
pub fn assert_schema_valid(subject: &str, schema: &pb::Schema, role: Role) -> Vec<Violation> {
    let invalid = |detail: String| Violation::new(INVALID, detail);
    let Some(block) = &schema.block else {
        return vec![invalid(format!("missing schema for {subject}"))];
    };
    let mut faults = Vec::new();
    if !block.deprecated && !block.deprecation_message.is_empty() {
        faults.push(format!("top-level block: {UNDEPRECATED}"));
    }
    attributes(&block.attributes, "", (role, false), &mut faults);
    let mut violations: Vec<Violation> =
        faults.into_iter().map(|fault| invalid(format!("provider has invalid schema for {subject}: {fault}"))).collect();
    if schema.version < 0 {
        violations.push(invalid(format!("provider has invalid negative schema version for {subject}")));
    }
    violations
}

fn attributes(attributes: &[Attribute], prefix: &str, within: (Role, bool), faults: &mut Vec<String>) {
    let mut names = BTreeSet::new();
    for attribute in attributes {
        let path = format!("{prefix}{}", attribute.name);
        if !names.insert(&attribute.name) {
            faults.push(format!("{path}: name occurs twice"));
        }
        of_one(attribute, &path, within, faults);
    }
}

fn of_one(attribute: &Attribute, path: &str, (role, in_set): (Role, bool), faults: &mut Vec<String>) {
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
        (attribute.deprecated || attribute.deprecation_message.is_empty(), UNDEPRECATED),
        (role == Role::Managed || !attribute.write_only, "only managed resources have write-only attributes"),
        (
            role != Role::Arguments || !attribute.computed,
            "a configuration from which nothing comes back has no computed attributes",
        ),
    ];
    faults.extend(checks.iter().filter(|(holds, _)| !holds).map(|(_, fault)| format!("{path}: {fault}")));
    if let Some(object) = nested {
        let in_set = in_set || object.nesting() == NestingMode::Set;
        if object.nesting() == NestingMode::Invalid {
            faults.push(format!("{path}: invalid nesting mode"));
        }
        attributes(&object.attributes, &format!("{path}."), (role, in_set), faults);
    } else if typed {
        match Type::parse(&attribute.r#type) {
            Ok(of) if of.is_dynamic() => {
                faults.push(format!("{path}: the conformance client does not know dynamic attributes: teach it"));
            }
            Ok(_) => {}
            Err(error) => faults.push(format!("{path}: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str) -> Attribute {
        Attribute { name: name.to_owned(), r#type: b"\"string\"".to_vec(), optional: true, ..Default::default() }
    }

    fn said(attributes: Vec<Attribute>) -> Vec<String> {
        said_as(Role::Managed, attributes)
    }

    fn said_as(role: Role, attributes: Vec<Attribute>) -> Vec<String> {
        let block = pb::schema::Block { attributes, ..Default::default() };
        let schema = pb::Schema { version: 0, block: Some(block) };
        let violations = assert_schema_valid("managed resource type \"x\"", &schema, role);
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
    fn what_only_a_managed_resource_has_is_refused_elsewhere() {
        let secret = || vec![Attribute { write_only: true, ..attribute("a") }];
        assert!(said_as(Role::Managed, secret()).is_empty());
        assert_eq!(said_as(Role::Read, secret()), ["a: only managed resources have write-only attributes"]);
        let computed = || vec![Attribute { computed: true, ..attribute("a") }];
        assert!(said_as(Role::Read, computed()).is_empty());
        assert!(said_as(Role::Arguments, computed())[0].contains("no computed attributes"));
    }

    #[test]
    fn a_version_is_not_negative_and_only_what_is_deprecated_has_a_message_about_it() {
        let schema = pb::Schema { version: -1, block: Some(pb::schema::Block::default()) };
        let violations = assert_schema_valid("action type \"x\"", &schema, Role::Arguments);
        assert_eq!(violations[0].detail, "provider has invalid negative schema version for action type \"x\"");
        let message = Attribute { deprecation_message: "use b".to_owned(), ..attribute("a") };
        assert_eq!(said(vec![message]), ["a: DeprecationMessage must not be set when Deprecated is false"]);
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
