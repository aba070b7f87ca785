//! The parameter group family of the major version to come: what its groups can set. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::group::{Group, Setting};
use super::parameters::ENGINE;
use super::version::Version;

/// What groups of a family can set, as far as it is known. It never changes, but most of it is not stored: there are some hundreds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NextFamily {
    /// Its name, for example `aurora-postgresql17`.
    pub(crate) family: String,
    /// Its parameters, and those that it is known not to have; `None`: AWS knows no such family.
    #[serde(rename = "p")]
    parameters: Option<BTreeMap<String, Option<Definition>>>,
    /// Whether no other parameters exist; known only right after an observation.
    #[serde(skip)]
    is_whole: bool,
}

/// A parameter of a family, with what a stored [`Setting`] leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Definition {
    #[serde(flatten)]
    setting: Setting,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    allowed_values: Option<String>,
    #[serde(rename = "w", default, skip_serializing_if = "std::ops::Not::not")]
    whole: bool,
}

impl NextFamily {
    /// A family with all that its groups can set; `None`: AWS knows no such family.
    pub(crate) fn new(family: &str, catalogue: Option<BTreeMap<String, Setting>>) -> Self {
        let define = |setting: Setting| {
            let (allowed_values, whole) = (setting.allowed_values.clone(), setting.whole);
            // What the engine does by itself does not matter here.
            Some(Definition { setting: Setting { value: None, user_set: false, ..setting }, allowed_values, whole })
        };
        let parameters = catalogue.map(|all| all.into_iter().map(|(name, setting)| (name, define(setting))).collect());
        Self { family: family.to_owned(), parameters, is_whole: true }
    }

    /// Whether AWS knows the family.
    pub(crate) fn exists(&self) -> bool {
        self.parameters.is_some()
    }

    /// Whether it is known of the parameter if the family has it.
    pub(crate) fn decides(&self, parameter: &str) -> bool {
        self.is_whole || self.parameters.as_ref().is_none_or(|parameters| parameters.contains_key(parameter))
    }

    /// Forgets all parameters but these.
    pub(crate) fn keep<'a>(&mut self, names: impl Iterator<Item = &'a String>) {
        let Some(parameters) = &mut self.parameters else { return };
        let is_whole = self.is_whole;
        let kept = names.filter(|name| is_whole || parameters.contains_key(*name));
        let kept: BTreeMap<_, _> = kept.map(|name| (name.clone(), parameters.get(name).cloned().flatten())).collect();
        *parameters = kept;
        self.is_whole = false;
    }

    /// A group of the family in which nothing is set.
    pub(crate) fn group(&self, name: &str) -> Group {
        let parameters = self.parameters.iter().flatten();
        let settings = parameters.filter_map(|(name, definition)| {
            let Definition { setting, allowed_values, whole } = definition.clone()?;
            Some((name.clone(), Setting { allowed_values, whole, ..setting }))
        });
        Group { settings: settings.collect(), ..Group::unread(name, &self.family) }
    }
}

/// The major version of a family of Aurora PostgreSQL; `None`: it is one of another engine, or none at all.
pub(crate) fn family_major(family: &str) -> Option<u32> {
    Version::of(family.strip_prefix(ENGINE)?).map(|version| version.major)
}

/// Whether a family is one of a later major version than another.
pub(crate) fn is_later_family(family: &str, than: &str) -> bool {
    family_major(family).zip(family_major(than)).is_some_and(|(family, than)| family > than)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{DEFAULT, group};
    use super::*;

    const SEVENTEEN: &str = "aurora-postgresql17";

    #[test]
    fn what_is_kept_says_the_same_after_it_was_stored() {
        let mut family = NextFamily::new(SEVENTEEN, Some(group(DEFAULT, &[]).settings));
        assert!(family.decides("work_mem") && family.decides("no_such"));
        family.keep(["work_mem".to_owned(), "no_such".to_owned()].iter());
        let stored = serde_json::to_value(&family).unwrap();
        let work_mem = serde_json::json!({ "t": "Dynamic", "a": "64-2147483647", "w": true });
        assert_eq!(stored, serde_json::json!({ "family": SEVENTEEN, "p": { "no_such": null, "work_mem": work_mem } }));
        let recalled: NextFamily = serde_json::from_value(stored).unwrap();
        assert!(recalled.decides("work_mem") && recalled.decides("no_such") && !recalled.decides("max_wal_senders"));
        let group = recalled.group("next");
        assert_eq!(group.excludes("work_mem", "1"), Some("64-2147483647"));
        assert!(group.excludes("work_mem", "64.5").is_some() && group.excludes("work_mem", "65").is_none());
        assert_eq!((group.settings.len(), group.user_set().count(), group.family.as_str()), (1, 0, SEVENTEEN));
    }

    #[test]
    fn a_family_that_aws_does_not_know_decides_everything() {
        let mut unknown = NextFamily::new("aurora-postgresql99", None);
        unknown.keep(std::iter::empty());
        let recalled: NextFamily = serde_json::from_value(serde_json::to_value(&unknown).unwrap()).unwrap();
        assert!(!recalled.exists() && recalled.decides("work_mem"));
    }

    #[test]
    fn families_are_compared_by_their_major_version() {
        assert!(is_later_family("aurora-postgresql17", "aurora-postgresql9.6"));
        for family in ["aurora-postgresql16", "aurora-postgresql15", "aurora-mysql8.0", "postgres17", "aurora-postgresql"] {
            assert!(!is_later_family(family, "aurora-postgresql16"), "{family}");
        }
    }
}
