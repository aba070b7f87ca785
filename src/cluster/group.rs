//! A DB cluster parameter group with its settings, and the tags that say for which cluster it was created. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::allowed_values::permits;
use super::owner::{Owner, Record};
use super::parameter_value::{Kind, notation, same};
use crate::rds::ApplyType;
use crate::rds::parameter_group::Tags;

/// Start of the tag keys that this provider writes.
pub(crate) const TAG_PREFIX: &str = "clickpipes:";
/// Tag of our group: the cluster it was created for.
pub(crate) const OWNER_TAG: &str = "clickpipes:cluster";
/// Tag of our group: the group that was attached before it.
pub(crate) const PREVIOUS_TAG: &str = "clickpipes:previous-parameter-group";

/// A parameter group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) family: String,
    /// The text that it was created with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    /// Its tags; not read for AWS's own groups.
    pub(crate) tags: Tags,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Owner::is_unjudged")]
    pub(crate) owner: Owner,
    /// The parameters that can be modified.
    pub(crate) settings: BTreeMap<String, Setting>,
}

/// A parameter of a group. Its fields have short names where it is stored: there are some hundreds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setting {
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    #[serde(rename = "t")]
    pub(crate) apply_type: ApplyType,
    #[serde(rename = "u", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) user_set: bool,
    /// What its values are.
    #[serde(rename = "k", default, skip_serializing_if = "Kind::is_number")]
    pub(crate) kind: Kind,
    /// AWS's notation for the allowed values; known only right after an observation.
    #[serde(skip)]
    pub(crate) allowed_values: Option<String>,
    /// Whether a number must be whole; known only right after an observation.
    #[serde(skip)]
    pub(crate) whole: bool,
}

impl Group {
    /// A group of which only the name is known.
    pub(crate) fn unread(name: &str, family: &str) -> Self {
        let (name, family) = (name.to_owned(), family.to_owned());
        Self { name, family, description: String::new(), tags: Tags::new(), owner: Owner::Unjudged, settings: BTreeMap::new() }
    }

    /// Whether its tags say that this provider created it for the cluster.
    pub(crate) fn belongs_to(&self, cluster_identifier: &str) -> bool {
        self.tags.get(OWNER_TAG).is_some_and(|owner| owner == cluster_identifier)
    }

    /// Whether it is ours: as decided when it was looked at, otherwise by its tags.
    pub(crate) fn is_ours(&self, cluster_identifier: &str) -> bool {
        match self.owner {
            Owner::Ours { .. } => true,
            Owner::Others | Owner::Disputed { .. } => false,
            Owner::Unjudged => self.belongs_to(cluster_identifier),
        }
    }

    /// For our group: the name of the group that was attached before it.
    pub(crate) fn recorded_previous(&self) -> Option<&String> {
        match &self.owner {
            Owner::Ours { previous: Some(previous), .. } => Some(previous),
            Owner::Disputed { recorded } => recorded.as_ref()?.previous.as_ref(),
            Owner::Ours { previous: None, .. } | Owner::Others | Owner::Unjudged => self.tags.get(PREVIOUS_TAG),
        }
    }

    /// Whether it is ours without any state that records it.
    pub(crate) fn is_left_behind(&self) -> bool {
        matches!(self.owner, Owner::Ours { recorded: false, .. })
    }

    /// What the data stored beside a state record of it.
    pub(crate) fn record(&self, cluster_identifier: &str) -> Option<Record> {
        match &self.owner {
            Owner::Disputed { recorded } => recorded.clone(),
            Owner::Ours { recorded: false, .. } => None,
            _ if self.is_ours(cluster_identifier) => {
                Some(Record { name: self.name.clone(), previous: self.recorded_previous().cloned() })
            }
            _ => None,
        }
    }

    /// Whether the parameter has the value, or one that means the same.
    pub(crate) fn holds(&self, parameter: &str, value: &str) -> bool {
        let Some(setting) = self.settings.get(parameter) else { return false };
        setting.value.as_deref().is_some_and(|held| same(parameter, setting.kind, held, value))
    }

    /// The value of a parameter as AWS writes it.
    pub(crate) fn notation(&self, parameter: &str, value: &str) -> String {
        match self.settings.get(parameter) {
            Some(setting) => notation(parameter, setting.kind, value),
            None => value.to_owned(),
        }
    }

    /// AWS's notation for the values that a parameter allows, if the value is not one of them.
    pub(crate) fn excludes(&self, parameter: &str, value: &str) -> Option<&str> {
        let setting = self.settings.get(parameter)?;
        let allowed = setting.allowed_values.as_deref()?;
        let value = notation(parameter, setting.kind, value);
        let is_split = setting.whole && value.parse::<f64>().is_ok_and(|number| number.fract() != 0.0);
        (is_split || !permits(allowed, setting.kind, &value)).then_some(allowed)
    }

    /// The value of the parameter, if there is one.
    pub(crate) fn value(&self, parameter: &str) -> Option<&str> {
        self.settings.get(parameter)?.value.as_deref()
    }

    /// The value of the parameter, if a user set it.
    pub(crate) fn user_value(&self, parameter: &str) -> Option<&str> {
        self.settings.get(parameter).filter(|setting| setting.user_set)?.value.as_deref()
    }

    /// What members apply only at a reboot: the group itself, and the static values that users set.
    pub(crate) fn statics(&self) -> (&str, BTreeMap<&String, &String>) {
        let is_static = |name: &String| self.settings.get(name).is_some_and(|setting| setting.apply_type == ApplyType::Static);
        (&self.name, self.user_set().filter(|(name, _)| is_static(name)).collect())
    }

    /// The values that users set.
    pub(crate) fn user_set(&self) -> impl Iterator<Item = (&String, &String)> {
        self.settings
            .iter()
            .filter(|(_, setting)| setting.user_set)
            .filter_map(|(name, setting)| Some((name, setting.value.as_ref()?)))
    }
}

/// Name of the group that is created for a cluster, if none is configured.
pub(crate) fn default_name(cluster_identifier: &str, family: &str) -> String {
    format!("clickpipes-{cluster_identifier}-{}", family.replace('.', "-"))
}
