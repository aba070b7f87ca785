//! What a configuration asks for, or the arguments of a state say, in types that cannot be wrong. Pure.

use std::collections::BTreeMap;

use super::schema::AuroraSource;
use crate::cluster::{
    GUIDE_PARAMETERS, IAM_FOR_REPLICATION, LONGEST_CLUSTER, LONGEST_GROUP, Observed, TAG_PREFIX, default_name, family_major,
    invalid_identifier,
};
use crate::rds::parameter_group::{Tags, is_default_group};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// Who manages the parameter group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Mode {
    /// This resource creates one for the cluster.
    #[default]
    Dedicated,
    /// This resource sets the wanted parameters in the cluster's own.
    InPlace,
    /// Something else sets the parameters.
    External,
}

impl Mode {
    fn decode(word: &str) -> Result<Self, Diagnostics> {
        match word {
            "dedicated" => Ok(Self::Dedicated),
            "in_place" => Ok(Self::InPlace),
            "external" => Ok(Self::External),
            _ => {
                let fault = "use one of dedicated, in_place, external";
                Err(fault_at("Invalid mode", AttributePath::of("parameter_group").attribute("mode"), word, fault).into())
            }
        }
    }

    /// As a configuration spells it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Dedicated => "dedicated",
            Self::InPlace => "in_place",
            Self::External => "external",
        }
    }
}

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
    pub(super) mode: Mode,
    /// The configured name of the parameter group.
    pub(super) group_name: Option<String>,
    /// The family for which a second group is kept.
    pub(super) next_family: Option<String>,
    /// Whether IAM database authentication is on; `None` leaves it as it is.
    pub(super) iam_authentication: Option<bool>,
    /// Values by parameter, including those of the guide and of `iam_authentication`.
    pub(super) wanted: BTreeMap<String, String>,
    /// Parameters that the configuration leaves as they are.
    pub(super) left_alone: Vec<String>,
    pub(super) reboot: RebootPolicy,
    pub(super) reboot_triggers: BTreeMap<String, String>,
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
        let mode = model.mode();
        let (group_name, next_family) = (model.group_name(), model.next_family());
        let unknown = model.parameters.is_unknown()
            || model.tags.is_unknown()
            || model.reboot.is_unknown()
            || model.reboot_triggers.is_unknown()
            || model.iam_authentication.is_unknown()
            || mode.is_unknown()
            || group_name.is_unknown()
            || next_family.is_unknown();
        let mode = mode.known().map_or(Ok(Mode::default()), |word| Mode::decode(word))?;
        let (Some(cluster_identifier), false) = (model.cluster_identifier.known(), unknown) else { return Ok(None) };
        let guide = GUIDE_PARAMETERS.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
        let iam_authentication = model.iam_authentication.known().copied();
        let iam = iam_authentication.map(|on| (IAM_FOR_REPLICATION.to_owned(), Some(u8::from(on).to_string())));
        let mut all: BTreeMap<String, Option<String>> = guide.chain(iam).collect();
        all.extend(model.parameters.known().into_iter().flat_map(|parameters| parameters.0.clone()));
        // Without `iam_authentication` its parameter is left alone too, unless `parameters` names it.
        all.entry(IAM_FOR_REPLICATION.to_owned()).or_default();
        Ok(Some(Self {
            cluster_identifier: cluster_identifier.clone(),
            mode,
            iam_authentication,
            group_name: group_name.known().cloned(),
            next_family: next_family.known().cloned(),
            left_alone: all.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.clone()).collect(),
            wanted: all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            reboot,
            reboot_triggers: model.reboot_triggers.known().cloned().unwrap_or_default(),
            tags: model.tags.known().cloned().unwrap_or_default(),
            force_destroy: model.force_destroy == Attr::Known(true),
        }))
    }

    /// Whether another configuration asks for the same group, values and tags.
    pub(super) fn is_same_work(&self, other: &Self) -> bool {
        let part = |desired: &Self| Self {
            reboot: RebootPolicy::Never,
            reboot_triggers: BTreeMap::new(),
            force_destroy: false,
            ..desired.clone()
        };
        part(self) == part(other)
    }

    /// The name of the second group, for the major version to come; `None`: none is wanted, or the cluster has that family by now.
    pub(super) fn next_group(&self, found: &Observed) -> Option<String> {
        let next = self.next_family.as_ref().filter(|next| **next != found.family)?;
        Some(default_name(&self.cluster_identifier, next))
    }

    /// The parameters that the configuration says anything about.
    pub(super) fn mentioned(&self) -> impl Iterator<Item = &String> {
        self.wanted.keys().chain(&self.left_alone)
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
    faults.extend(outside_of_dedicated(config));
    faults.extend(unfit_next_family(config));
    if let (Attr::Known(_), Some(values)) = (&config.iam_authentication, config.parameters.known())
        && values.0.contains_key(IAM_FOR_REPLICATION)
    {
        let fault = "`iam_authentication` sets this parameter. Remove one of the two";
        let path = AttributePath::of("parameters").key(IAM_FOR_REPLICATION);
        faults.push(fault_at("Parameter is set twice", path, IAM_FOR_REPLICATION, fault));
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

/// What is wrong with `next_family` on any cluster.
fn unfit_next_family(config: &AuroraSource) -> Diagnostics {
    let mut faults = Diagnostics::new();
    let Attr::Known(next) = config.next_family() else { return faults };
    let path = || AttributePath::of("parameter_group").attribute("next_family");
    if family_major(&next).is_none() {
        let fault = "it is not a parameter group family of Aurora PostgreSQL; use one such as \"aurora-postgresql17\"";
        faults.push(fault_at("Invalid next family", path(), &next, fault));
    }
    if matches!(config.group_name(), Attr::Known(_)) {
        let fault = "the group for the next major version has a name made of cluster and family, and after the upgrade it takes the place \
                     of the attached one. Remove `name`, or `next_family`";
        faults.push(fault_at("Next family together with a name", path(), &next, fault));
    }
    let Attr::Known(word) = config.mode() else { return faults };
    let why = match Mode::decode(&word) {
        // After the upgrade, a destroy in these modes could not take the group away again.
        Ok(Mode::InPlace) => "the attached group is the cluster's own, so the one that takes its place is yours to create",
        Ok(Mode::External) => {
            "something else manages the parameter groups, so it also creates the one for the next major version"
        }
        _ => return faults,
    };
    let detail = format!(
        "Attribute {} is not used with `parameter_group.mode` = \"{word}\": {why}. Remove it, and name in the upgrade a group of the new \
         family in which logical replication is on. Or use mode \"dedicated\".",
        path()
    );
    faults.push(Diagnostic::error("Not used in this mode", detail).at(path()));
    faults
}

/// Arguments of a group that this resource would create, where the mode says that it creates none.
fn outside_of_dedicated(config: &AuroraSource) -> Diagnostics {
    let Attr::Known(word) = config.mode() else { return Diagnostics::new() };
    if !matches!(Mode::decode(&word), Ok(Mode::InPlace | Mode::External)) {
        return Diagnostics::new();
    }
    let name = AttributePath::of("parameter_group").attribute("name");
    let given = [
        matches!(config.group_name(), Attr::Known(_)).then_some(name),
        config.tags.known().is_some_and(|tags| !tags.is_empty()).then(|| AttributePath::of("tags")),
    ];
    let fault = |path: AttributePath| {
        let detail = format!(
            "Attribute {path} is about the parameter group that mode \"dedicated\" creates, and with `parameter_group.mode` = \
             \"{word}\" none is created. Remove it, or use mode \"dedicated\"."
        );
        Diagnostic::error("Not used in this mode", detail).at(path)
    };
    given.into_iter().flatten().map(fault).collect()
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
            parameter_group: Attr::Known(ParameterGroupSettings { name: Attr::from("a--b"), ..Default::default() }),
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

    fn with_mode(mode: &str) -> AuroraSource {
        let settings = ParameterGroupSettings { mode: Attr::from(mode), ..Default::default() };
        AuroraSource { parameter_group: Attr::Known(settings), ..config() }
    }

    #[test]
    fn without_a_mode_a_group_is_dedicated() {
        let mode = |config: &AuroraSource| Desired::decode(config).unwrap().unwrap().mode;
        assert_eq!(mode(&config()), Mode::Dedicated);
        for expected in [Mode::Dedicated, Mode::InPlace, Mode::External] {
            assert_eq!(mode(&with_mode(expected.word())), expected);
        }
        let fault = Desired::decode(&with_mode("shared")).unwrap_err();
        assert!(fault.iter().any(|fault| fault.detail.contains("dedicated, in_place, external")), "{fault:?}");
    }

    #[test]
    fn iam_authentication_asks_for_its_parameter_and_unset_for_nothing() {
        let value = |iam_authentication: Attr<bool>| {
            let desired = Desired::decode(&AuroraSource { iam_authentication, ..config() }).unwrap().unwrap();
            desired.wanted.get(IAM_FOR_REPLICATION).cloned()
        };
        assert_eq!(value(Attr::Known(true)).as_deref(), Some("1"));
        assert_eq!(value(Attr::Known(false)).as_deref(), Some("0"));
        assert_eq!(value(Attr::Null), None);
    }

    #[test]
    fn what_a_mode_does_not_use_or_what_is_set_twice_is_named() {
        let paths = |config: &AuroraSource| {
            let faults = validate(config);
            faults.iter().filter_map(|fault| fault.path.as_ref().map(ToString::to_string)).collect::<Vec<_>>()
        };
        let settings =
            ParameterGroupSettings { mode: Attr::from("external"), name: Attr::from("shop-cdc"), ..Default::default() };
        let tags = Attr::Known([("team".to_owned(), "shop".to_owned())].into());
        assert_eq!(
            paths(&AuroraSource { parameter_group: Attr::Known(settings), tags, ..config() }),
            ["parameter_group.name", "tags"]
        );
        let parameters = parameters(&[(IAM_FOR_REPLICATION, Some("1"))]);
        assert!(paths(&AuroraSource { parameters: parameters.clone(), ..config() }).is_empty());
        assert_eq!(
            paths(&AuroraSource { parameters, iam_authentication: Attr::Known(true), ..config() }),
            ["parameters[\"rds.iam_auth_for_replication\"]"]
        );
    }

    #[test]
    fn a_next_family_belongs_to_a_group_without_a_name_that_this_resource_creates() {
        let faults = |mode: Option<&str>, name: Option<&str>, next_family: &str| {
            let attribute = |value: Option<&str>| value.map(str::to_owned).into();
            let settings =
                ParameterGroupSettings { mode: attribute(mode), name: attribute(name), next_family: Attr::from(next_family) };
            let faults = validate(&AuroraSource { parameter_group: Attr::Known(settings), ..config() });
            faults
                .iter()
                .filter(|fault| fault.path.as_ref().is_some_and(|path| path.to_string().ends_with("next_family")))
                .count()
        };
        let next = "aurora-postgresql17";
        assert_eq!([faults(None, None, next), faults(Some("dedicated"), None, next)], [0, 0]);
        assert_eq!([faults(None, Some("shop-cdc"), next), faults(Some("in_place"), None, next)], [1, 1]);
        assert_eq!(faults(Some("external"), None, next), 1);
        for foreign in ["aurora-mysql8.0", "postgres17", "aurora-postgresql", "17"] {
            assert_eq!(faults(None, None, foreign), 1, "{foreign}");
        }
    }
}
