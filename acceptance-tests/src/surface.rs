//! What configurations and policies may refer to, one line each: attributes with type and mode, functions with their signature. And
//! which changes of these lines break a configuration.

use std::collections::BTreeMap;

use terraform_provider_clickpipes::proto::tfplugin6::{Function, schema::Attribute};

use crate::docs::{Schemas, Subject};

/// The lines, sorted: `Resource clickpipes_publication.name: "string", required`.
#[must_use]
pub fn lines(schemas: &Schemas) -> Vec<String> {
    let mut lines = Vec::new();
    let provider = schemas.provider.block.iter().flat_map(|block| &block.attributes);
    attributes(&mut lines, "provider", provider);
    for kind in &schemas.kinds {
        for (name, subject) in &kind.subjects {
            let path = format!("{} {name}", kind.title);
            match subject {
                Subject::Resource(schema, identity) => {
                    attributes(&mut lines, &path, schema.block.iter().flat_map(|block| &block.attributes));
                    for one in &identity.identity_attributes {
                        let mode = if one.required_for_import { "required" } else { "optional" };
                        lines.push(format!("Identity {name}.{}: {}, {mode}", one.name, String::from_utf8_lossy(&one.r#type)));
                    }
                }
                Subject::Configured(schema) => {
                    attributes(&mut lines, &path, schema.block.iter().flat_map(|block| &block.attributes));
                }
                Subject::Function(function) => lines.push(format!("{path}: {}, computed", signature(function))),
            }
        }
    }
    lines.sort();
    lines
}

fn attributes<'a>(lines: &mut Vec<String>, path: &str, members: impl IntoIterator<Item = &'a Attribute>) {
    for attribute in members {
        let path = format!("{path}.{}", attribute.name);
        let mode = match attribute {
            Attribute { required: true, .. } => "required",
            Attribute { optional: true, computed: true, .. } => "optional and computed",
            Attribute { optional: true, .. } => "optional",
            _ => "computed",
        };
        let written = if attribute.write_only { ", write-only" } else { "" };
        let kind = match &attribute.nested_type {
            Some(object) => {
                attributes(lines, &path, &object.attributes);
                format!("nested {}", object.nesting)
            }
            None => String::from_utf8_lossy(&attribute.r#type).into_owned(),
        };
        lines.push(format!("{path}: {kind}{written}, {mode}"));
    }
}

fn signature(function: &Function) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let parameters: Vec<String> = function.parameters.iter().map(|one| text(&one.r#type)).collect();
    let rest = function.variadic_parameter.iter().map(|one| format!(", {}...", text(&one.r#type)));
    let result = function.r#return.iter().map(|one| text(&one.r#type));
    format!("({}{}) -> {}", parameters.join(", "), rest.collect::<String>(), result.collect::<String>())
}

/// What a configuration or a policy that was written for the earlier lines can no longer rely on.
#[must_use]
pub fn broken(earlier: &[String], now: &[String]) -> Vec<String> {
    let now: BTreeMap<&str, (&str, &str)> = now.iter().filter_map(|line| parts(line)).collect();
    let earlier: BTreeMap<&str, (&str, &str)> = earlier.iter().filter_map(|line| parts(line)).collect();
    let mut faults = Vec::new();
    for (path, (kind, mode)) in &earlier {
        let Some((kind_now, mode_now)) = now.get(path) else {
            faults.push(format!("{path} is gone"));
            continue;
        };
        if kind_now != kind {
            faults.push(format!("{path} was {kind} and is {kind_now}"));
        }
        if !keeps(mode, mode_now) {
            faults.push(format!("{path} was {mode} and is {mode_now}"));
        }
    }
    let parent_is_old = |path: &str| path.rsplit_once('.').is_some_and(|(parent, _)| holds(&earlier, parent));
    let new = now.iter().filter(|(path, (_, mode))| *mode == "required" && !earlier.contains_key(*path) && parent_is_old(path));
    faults.extend(new.map(|(path, _)| format!("{path} is new and required")));
    faults
}

/// Whether something was in this place, or is the place itself.
fn holds(lines: &BTreeMap<&str, (&str, &str)>, place: &str) -> bool {
    lines.keys().any(|path| *path == place || path.strip_prefix(place).is_some_and(|rest| rest.starts_with('.')))
}

fn keeps(mode: &str, now: &str) -> bool {
    match mode {
        "required" => now != "computed",
        "optional" => now.starts_with("optional"),
        _ => now == mode || (mode == "computed" && now == "optional and computed"),
    }
}

fn parts(line: &str) -> Option<(&str, (&str, &str))> {
    let (path, rest) = line.split_once(": ")?;
    Some((path, rest.rsplit_once(", ")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken_by(earlier: &str, now: &[&str]) -> Vec<String> {
        let text = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        broken(&text(&[earlier]), &text(now))
    }

    #[test]
    fn what_is_added_or_eased_breaks_nothing() {
        let name = "Resource a.name: \"string\", required";
        for now in ["Resource a.name: \"string\", optional", "Resource a.name: \"string\", optional and computed", name] {
            assert_eq!(broken_by(name, &[now, "Resource a.more: \"string\", optional"]), [""; 0]);
        }
        assert_eq!(broken_by(name, &[name, "Resource b.id: \"string\", required"]), [""; 0]);
        let computed = "Resource a.id: \"string\", computed";
        assert_eq!(broken_by(computed, &["Resource a.id: \"string\", optional and computed"]), [""; 0]);
        let nested = "Resource a.options: nested 1, optional";
        assert_eq!(broken_by(nested, &["Resource a.options: nested 1, optional and computed"]), [""; 0]);
    }

    #[test]
    fn what_is_gone_changed_or_demanded_breaks_configurations() {
        let name = "Resource a.name: \"string\", optional";
        assert_eq!(broken_by(name, &[]), ["Resource a.name is gone"]);
        assert_eq!(
            broken_by(name, &["Resource a.name: \"number\", optional"]),
            ["Resource a.name was \"string\" and is \"number\""]
        );
        assert_eq!(broken_by(name, &["Resource a.name: \"string\", computed"]), ["Resource a.name was optional and is computed"]);
        assert_eq!(broken_by(name, &["Resource a.name: \"string\", required"]), ["Resource a.name was optional and is required"]);
        assert_eq!(broken_by(name, &[name, "Resource a.more: \"string\", required"]), ["Resource a.more is new and required"]);
        let write_only = "Resource a.password: \"string\", write-only, optional";
        assert_eq!(broken_by(write_only, &["Resource a.password: \"string\", optional"]).len(), 1);
        let function = "Function f: (\"string\") -> \"bool\", computed";
        assert_eq!(broken_by(function, &["Function f: (\"string\", \"string\") -> \"bool\", computed"]).len(), 1);
    }
}
