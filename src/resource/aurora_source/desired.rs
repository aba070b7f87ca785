//! What a configuration asks for, or the arguments of a state say, in types that cannot be wrong. Pure.

use std::collections::BTreeMap;

use super::schema::AuroraSource;
use crate::cluster::{GUIDE_PARAMETERS, LONGEST_CLUSTER, LONGEST_GROUP, TAG_PREFIX, invalid_identifier};
use crate::rds::parameter_group::{Tags, is_default_group};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// Which members may be rebooted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum RebootPolicy {
    /// None.
    Never,
    /// The writer.
    Writer,
    /// The writer, then the readers.
    All,
}

impl RebootPolicy {
    fn decode(word: &str) -> Result<Self, Diagnostics> {
        match word {
            "never" => Ok(Self::Never),
            "writer" => Ok(Self::Writer),
            "all" => Ok(Self::All),
            _ => {
                let fault = "use one of never, writer, all";
                Err(fault_at("Invalid reboot policy", AttributePath::of("reboot"), word, fault).into())
            }
        }
    }
}

/// A source as a configuration wants it, or as the arguments of a state say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Desired {
    pub(super) cluster_identifier: String,
    /// The configured name of the parameter group.
    pub(super) group_name: Option<String>,
    /// Values by parameter, including those of the guide.
    pub(super) wanted: BTreeMap<String, String>,
    /// Parameters that the configuration leaves as they are.
    pub(super) left_alone: Vec<String>,
    pub(super) reboot: RebootPolicy,
    pub(super) tags: Tags,
    pub(super) force_destroy: bool,
}

impl Desired {
    /// Decodes a configuration or a state. `Ok(None)`: a value that matters is not known yet.
    ///
    /// # Errors
    /// All faults at once, each with its attribute path.
    pub(super) fn decode(model: &AuroraSource) -> Result<Option<Self>, Diagnostics> {
        let reboot = model.reboot.known().map_or(Ok(RebootPolicy::Never), |word| RebootPolicy::decode(word))?;
        let group_name = model.group_name();
        let unknown =
            model.parameters.is_unknown() || model.tags.is_unknown() || model.reboot.is_unknown() || group_name.is_unknown();
        let (Some(cluster_identifier), false) = (model.cluster_identifier.known(), unknown) else { return Ok(None) };
        let guide = GUIDE_PARAMETERS.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
        let mut all: BTreeMap<String, Option<String>> = guide.collect();
        all.extend(model.parameters.known().into_iter().flat_map(|parameters| parameters.0.clone()));
        Ok(Some(Self {
            cluster_identifier: cluster_identifier.clone(),
            group_name: group_name.known().cloned(),
            left_alone: all.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.clone()).collect(),
            wanted: all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            reboot,
            tags: model.tags.known().cloned().unwrap_or_default(),
            force_destroy: model.force_destroy == Attr::Known(true),
        }))
    }

    /// Whether another configuration asks for the same group, values and tags.
    pub(super) fn is_same_work(&self, other: &Self) -> bool {
        let part = |desired: &Self| Self { reboot: RebootPolicy::Never, force_destroy: false, ..desired.clone() };
        part(self) == part(other)
    }

    /// Whether the configuration says anything about the parameter.
    pub(super) fn mentions(&self, parameter: &str) -> bool {
        self.wanted.contains_key(parameter) || self.left_alone.iter().any(|name| name == parameter)
    }
}

/// What is wrong with a configuration although its types are right. It never makes a state unreadable.
pub(super) fn validate(config: &AuroraSource) -> Diagnostics {
    let mut faults = Diagnostics::new();
    if let Some(identifier) = config.cluster_identifier.known()
        && let Some(fault) = invalid_identifier(identifier, LONGEST_CLUSTER)
    {
        faults.push(fault_at("Invalid cluster identifier", AttributePath::of("cluster_identifier"), identifier, &fault));
    }
    if let Attr::Known(name) = config.group_name() {
        let path = AttributePath::of("parameter_group").attribute("name");
        if is_default_group(&name) {
            let fault = "groups that start with \"default.\" belong to AWS and cannot be modified";
            faults.push(fault_at("Invalid parameter group name", path, &name, fault));
        } else if let Some(fault) = invalid_identifier(&name, LONGEST_GROUP) {
            faults.push(fault_at("Invalid parameter group name", path, &name, &fault));
        }
    }
    for key in config.tags.known().into_iter().flat_map(BTreeMap::keys) {
        if key.starts_with("aws:") || key.starts_with(TAG_PREFIX) || key.is_empty() {
            let fault = format!("keys must not be empty, nor start with \"aws:\" or \"{TAG_PREFIX}\"");
            faults.push(fault_at("Invalid tag", AttributePath::of("tags").key(key), key, &fault));
        }
    }
    for (name, value) in config.parameters.known().into_iter().flat_map(|parameters| &parameters.0) {
        if name.is_empty() || value.as_ref().is_some_and(String::is_empty) {
            let fault = "name and value must not be empty; null leaves a parameter as it is";
            faults.push(fault_at("Invalid parameter", AttributePath::of("parameters").key(name), name, fault));
        }
    }
    faults
}

fn fault_at(summary: &str, path: AttributePath, value: &str, fault: &str) -> Diagnostic {
    Diagnostic::error(summary, format!("Attribute {path}: {value:?} cannot be used: {fault}.")).at(path)
}

#[cfg(test)]
mod tests {
    use super::super::schema::{ParameterGroupSettings, ParameterValues, Source};
    use super::*;
    use crate::resource::Engine;
    use crate::resource::Resource as _;

    fn config() -> AuroraSource {
        AuroraSource { cluster_identifier: Attr::from("shop"), ..AuroraSource::default() }
    }

    fn parameters(pairs: &[(&str, Option<&str>)]) -> Attr<ParameterValues> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)));
        Attr::Known(ParameterValues(pairs.collect()))
    }

    #[test]
    fn the_guide_asks_for_two_parameters_and_both_can_be_overridden() {
        let desired = Desired::decode(&config()).unwrap().unwrap();
        assert_eq!(desired.wanted, BTreeMap::from(GUIDE_PARAMETERS.map(|(name, value)| (name.to_owned(), value.to_owned()))));
        let desired = Desired::decode(&AuroraSource {
            parameters: parameters(&[("wal_sender_timeout", None), ("max_wal_senders", Some("30"))]),
            ..config()
        })
        .unwrap()
        .unwrap();
        assert_eq!(desired.wanted.keys().collect::<Vec<_>>(), ["max_wal_senders", "rds.logical_replication"]);
        assert!(desired.mentions("wal_sender_timeout"));
    }

    #[test]
    fn an_unknown_input_leaves_nothing_to_decide_on() {
        assert_eq!(Desired::decode(&AuroraSource { parameters: Attr::Unknown, ..config() }), Ok(None));
        assert_eq!(Desired::decode(&AuroraSource { cluster_identifier: Attr::Unknown, ..config() }), Ok(None));
    }

    #[test]
    fn every_fault_is_named_with_its_path() {
        let faults = Engine::<Source>::validate(&AuroraSource {
            cluster_identifier: Attr::from("Shop"),
            parameter_group: Attr::Known(ParameterGroupSettings { name: Attr::from("a--b") }),
            reboot: Attr::from("reader"),
            tags: Attr::Known([("clickpipes:cluster".to_owned(), String::new())].into()),
            parameters: parameters(&[("max_wal_senders", Some(""))]),
            ..AuroraSource::default()
        });
        let paths: Vec<String> = faults.iter().filter_map(|fault| fault.path.as_ref().map(ToString::to_string)).collect();
        assert_eq!(
            paths,
            [
                "reboot",
                "cluster_identifier",
                "parameter_group.name",
                "tags[\"clickpipes:cluster\"]",
                "parameters[\"max_wal_senders\"]"
            ]
        );
        assert!(validate(&config()).is_empty());
    }
}
