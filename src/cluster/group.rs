//! A DB cluster parameter group with its settings, and the tags that say for which cluster it was made. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::allowed_values::permits;
use crate::rds::ApplyType;
use crate::rds::parameter_group::Tags;

/// Start of the tag keys that this provider writes.
pub(crate) const TAG_PREFIX: &str = "clickpipes:";
/// Tag of a group of ours: the cluster it was made for.
pub(crate) const OWNER_TAG: &str = "clickpipes:cluster";
/// Tag of a group of ours: the group that was attached before it.
pub(crate) const PREVIOUS_TAG: &str = "clickpipes:previous-parameter-group";

/// A parameter group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) family: String,
    /// Its tags; not asked for where the group is AWS's own.
    pub(crate) tags: Tags,
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
    /// AWS's notation of the values allowed; known right after an observation only.
    #[serde(skip)]
    pub(crate) allowed_values: Option<String>,
}

impl Group {
    /// A group of which only the name is known.
    pub(crate) fn unread(name: &str, family: &str) -> Self {
        Self { name: name.to_owned(), family: family.to_owned(), tags: Tags::new(), settings: BTreeMap::new() }
    }

    /// Whether it was made by this provider for the cluster.
    pub(crate) fn belongs_to(&self, cluster_identifier: &str) -> bool {
        self.tags.get(OWNER_TAG).is_some_and(|owner| owner == cluster_identifier)
    }

    /// Of a group of ours: the name of the group that was attached before it.
    pub(crate) fn recorded_previous(&self) -> Option<&String> {
        self.tags.get(PREVIOUS_TAG)
    }

    /// Whether the parameter has the value.
    pub(crate) fn holds(&self, parameter: &str, value: &str) -> bool {
        self.value(parameter) == Some(value)
    }

    /// The value of the parameter, where there is one.
    pub(crate) fn value(&self, parameter: &str) -> Option<&str> {
        self.settings.get(parameter)?.value.as_deref()
    }

    /// The value of the parameter, where somebody set it.
    pub(crate) fn user_value(&self, parameter: &str) -> Option<&str> {
        self.settings.get(parameter).filter(|setting| setting.user_set)?.value.as_deref()
    }

    /// The values that somebody set.
    pub(crate) fn user_set(&self) -> impl Iterator<Item = (&String, &String)> {
        self.settings
            .iter()
            .filter(|(_, setting)| setting.user_set)
            .filter_map(|(name, setting)| Some((name, setting.value.as_ref()?)))
    }
}

impl Setting {
    /// AWS's notation of the values allowed, where the value is none of them.
    pub(crate) fn excludes(&self, value: &str) -> Option<&str> {
        self.allowed_values.as_deref().filter(|allowed| !permits(allowed, value))
    }
}

/// Name of the group that is made for a cluster, when nobody chose one.
pub(crate) fn default_name(cluster_identifier: &str, family: &str) -> String {
    format!("clickpipes-{cluster_identifier}-{}", family.replace('.', "-"))
}
