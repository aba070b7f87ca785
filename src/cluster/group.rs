//! A DB cluster parameter group with its settings, and the tags that say for which cluster it was created. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::allowed_values::permits;
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
    /// Its tags; not read for AWS's own groups.
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
    /// AWS's notation for the allowed values; known only right after an observation.
    #[serde(skip)]
    pub(crate) allowed_values: Option<String>,
}

impl Group {
    /// A group of which only the name is known.
    pub(crate) fn unread(name: &str, family: &str) -> Self {
        Self { name: name.to_owned(), family: family.to_owned(), tags: Tags::new(), settings: BTreeMap::new() }
    }

    /// Whether this provider created it for the cluster.
    pub(crate) fn belongs_to(&self, cluster_identifier: &str) -> bool {
        self.tags.get(OWNER_TAG).is_some_and(|owner| owner == cluster_identifier)
    }

    /// For our group: the name of the group that was attached before it.
    pub(crate) fn recorded_previous(&self) -> Option<&String> {
        self.tags.get(PREVIOUS_TAG)
    }

    /// Whether the parameter has the value.
    pub(crate) fn holds(&self, parameter: &str, value: &str) -> bool {
        self.value(parameter) == Some(value)
    }

    /// The value of the parameter, if there is one.
    pub(crate) fn value(&self, parameter: &str) -> Option<&str> {
        self.settings.get(parameter)?.value.as_deref()
    }

    /// The value of the parameter, if a user set it.
    pub(crate) fn user_value(&self, parameter: &str) -> Option<&str> {
        self.settings.get(parameter).filter(|setting| setting.user_set)?.value.as_deref()
    }

    /// The values that users set.
    pub(crate) fn user_set(&self) -> impl Iterator<Item = (&String, &String)> {
        self.settings
            .iter()
            .filter(|(_, setting)| setting.user_set)
            .filter_map(|(name, setting)| Some((name, setting.value.as_ref()?)))
    }
}

impl Setting {
    /// AWS's notation for the allowed values, if the value is not one of them.
    pub(crate) fn excludes(&self, value: &str) -> Option<&str> {
        self.allowed_values.as_deref().filter(|allowed| !permits(allowed, value))
    }
}

/// Name of the group that is created for a cluster, if none is configured.
pub(crate) fn default_name(cluster_identifier: &str, family: &str) -> String {
    format!("clickpipes-{cluster_identifier}-{}", family.replace('.', "-"))
}
