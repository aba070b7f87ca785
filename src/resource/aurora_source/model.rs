//! What the configuration asks for, checked.

use std::collections::BTreeMap;

use super::schema::AuroraSource;
use crate::resource::Timeouts;
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// The engine of the clusters that this resource manages.
pub(super) const ENGINE: &str = "aurora-postgresql";
/// The two parameters that the ClickPipes guide asks for, with their values.
pub(super) const GUIDE_PARAMETERS: [(&str, &str); 2] = [(LOGICAL_REPLICATION, "1"), ("wal_sender_timeout", "0")];
/// The parameter that turns logical replication on.
pub(super) const LOGICAL_REPLICATION: &str = "rds.logical_replication";

/// Which members may be rebooted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RebootPolicy {
    /// None.
    Never,
    /// The writer.
    Writer,
    /// The writer, then the readers.
    All,
}

impl RebootPolicy {
    fn decode(word: &str) -> Option<Self> {
        match word {
            "never" => Some(Self::Never),
            "writer" => Some(Self::Writer),
            "all" => Some(Self::All),
            _ => None,
        }
    }
}

/// A whole configuration: nothing in it is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Desired {
    pub(super) cluster_identifier: String,
    /// The configured name of the parameter group.
    pub(super) group_name: Option<String>,
    /// Values by parameter, those of the guide included.
    pub(super) wanted: BTreeMap<String, String>,
    /// Parameters that the configuration leaves as they are.
    pub(super) left_alone: Vec<String>,
    pub(super) reboot: RebootPolicy,
    pub(super) tags: BTreeMap<String, String>,
}

impl Desired {
    /// Decodes a configuration, plan or state; `None` while something in it is unknown or invalid.
    pub(super) fn decode(model: &AuroraSource) -> Option<Self> {
        if model.parameters.is_unknown()
            || model.tags.is_unknown()
            || model.reboot.is_unknown()
            || model.group_name().is_unknown()
        {
            return None;
        }
        let configured = model.parameters.known().map(|parameters| parameters.0.clone()).unwrap_or_default();
        let guide = GUIDE_PARAMETERS.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
        let mut all: BTreeMap<String, Option<String>> = guide.collect();
        all.extend(configured);
        Some(Self {
            cluster_identifier: model.cluster_identifier.known()?.clone(),
            group_name: model.group_name().known().cloned(),
            left_alone: all.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.clone()).collect(),
            wanted: all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            reboot: model.reboot.known().map_or(Some(RebootPolicy::Never), |word| RebootPolicy::decode(word))?,
            tags: model.tags.known_or(BTreeMap::new()),
        })
    }

    /// Whether the configuration says anything about the parameter.
    pub(super) fn mentions(&self, parameter: &str) -> bool {
        self.wanted.contains_key(parameter) || self.left_alone.iter().any(|name| name == parameter)
    }
}

/// Everything that is wrong with a configuration by itself.
pub(super) fn validate(config: &AuroraSource) -> Diagnostics {
    let mut faults = Timeouts::validate(&config.timeouts);
    if let Some(identifier) = config.cluster_identifier.known()
        && let Some(fault) = invalid_identifier(identifier, 63)
    {
        faults.push(fault_at("Invalid cluster identifier", AttributePath::of("cluster_identifier"), identifier, &fault));
    }
    if let Attr::Known(name) = config.group_name() {
        let path = AttributePath::of("parameter_group").attribute("name");
        if name.starts_with("default.") {
            let fault = "groups that start with \"default.\" belong to AWS and cannot be modified";
            faults.push(fault_at("Invalid parameter group name", path, &name, fault));
        } else if let Some(fault) = invalid_identifier(&name, 255) {
            faults.push(fault_at("Invalid parameter group name", path, &name, &fault));
        }
    }
    if let Some(word) = config.reboot.known()
        && RebootPolicy::decode(word).is_none()
    {
        faults.push(fault_at("Invalid reboot policy", AttributePath::of("reboot"), word, "it is one of never, writer, all"));
    }
    if let Some(tags) = config.tags.known() {
        for key in tags.keys() {
            let reserved = key.starts_with("aws:") || key.starts_with(super::diff::TAG_PREFIX);
            if reserved || key.is_empty() {
                let fault = format!("keys must not be empty, nor start with \"aws:\" or \"{}\"", super::diff::TAG_PREFIX);
                faults.push(fault_at("Invalid tag", AttributePath::of("tags").key(key), key, &fault));
            }
        }
    }
    if let Some(parameters) = config.parameters.known() {
        for (name, value) in &parameters.0 {
            if name.is_empty() || value.as_ref().is_some_and(String::is_empty) {
                let fault = "name and value must not be empty; null leaves a parameter as it is";
                faults.push(fault_at("Invalid parameter", AttributePath::of("parameters").key(name), name, fault));
            }
        }
    }
    faults
}

/// What RDS would not accept as the identifier of a cluster or a parameter group, which it stores in lower case.
pub(super) fn invalid_identifier(identifier: &str, longest: usize) -> Option<String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if identifier.is_empty() || identifier.len() > longest {
        Some(format!("1 to {longest} characters are needed"))
    } else if identifier.chars().any(|c| c.is_ascii_uppercase()) {
        Some("RDS stores identifiers in lower case, so write it in lower case".to_owned())
    } else if !identifier.starts_with(|c: char| c.is_ascii_lowercase())
        || !identifier.chars().all(allowed)
        || identifier.contains("--")
        || identifier.ends_with('-')
    {
        Some("it consists of letters, digits and single hyphens, starts with a letter and does not end with a hyphen".to_owned())
    } else {
        None
    }
}

fn fault_at(summary: &str, path: AttributePath, value: &str, fault: &str) -> Diagnostic {
    Diagnostic::error(summary, format!("Attribute {path}: {value:?} cannot be used: {fault}.")).at(path)
}

#[cfg(test)]
mod tests {
    use super::super::schema::{ParameterGroupSettings, ParameterValues};
    use super::*;

    fn config() -> AuroraSource {
        AuroraSource { cluster_identifier: Attr::from("shop"), ..AuroraSource::default() }
    }

    fn parameters(pairs: &[(&str, Option<&str>)]) -> Attr<ParameterValues> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)));
        Attr::Known(ParameterValues(pairs.collect()))
    }

    #[test]
    fn the_guide_asks_for_two_parameters_and_both_can_be_overridden() {
        let desired = Desired::decode(&config()).unwrap();
        assert_eq!(desired.wanted, BTreeMap::from(GUIDE_PARAMETERS.map(|(name, value)| (name.to_owned(), value.to_owned()))));
        let desired = Desired::decode(&AuroraSource {
            parameters: parameters(&[("wal_sender_timeout", None), ("max_wal_senders", Some("30"))]),
            ..config()
        })
        .unwrap();
        assert_eq!(desired.wanted.keys().collect::<Vec<_>>(), ["max_wal_senders", "rds.logical_replication"]);
        assert!(desired.mentions("wal_sender_timeout"));
    }

    #[test]
    fn an_unknown_input_leaves_nothing_to_decide_on() {
        assert_eq!(Desired::decode(&AuroraSource { parameters: Attr::Unknown, ..config() }), None);
        assert_eq!(Desired::decode(&AuroraSource { cluster_identifier: Attr::Unknown, ..config() }), None);
    }

    #[test]
    fn every_fault_is_named_with_its_path() {
        let faults = validate(&AuroraSource {
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
                "cluster_identifier",
                "parameter_group.name",
                "reboot",
                "tags[\"clickpipes:cluster\"]",
                "parameters[\"max_wal_senders\"]"
            ]
        );
        assert!(validate(&config()).is_empty());
    }
}
