//! What a configuration may want of a cluster, and what there is when that was brought about.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// Parameters with their values.
pub(super) type Values = BTreeMap<String, String>;

/// What is wanted of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// No source.
    Nothing,
    Dedicated,
    /// Other parameters and tags, and IAM database authentication.
    DedicatedMore,
    Renamed,
    InPlace,
    InPlaceMore,
    /// Something else sets the values of the guide.
    External,
    /// The same with other triggers, after something else has set more.
    ExternalAgain,
    /// Mode external without any wanted value.
    Unmanaged,
}

/// The mode of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Dedicated,
    InPlace,
    External,
}

impl Wanted {
    pub(super) fn mode(self) -> Option<Mode> {
        match self {
            Self::Nothing => None,
            Self::Dedicated | Self::DedicatedMore | Self::Renamed => Some(Mode::Dedicated),
            Self::InPlace | Self::InPlaceMore => Some(Mode::InPlace),
            Self::External | Self::ExternalAgain | Self::Unmanaged => Some(Mode::External),
        }
    }

    fn has_more(self) -> bool {
        matches!(self, Self::DedicatedMore | Self::InPlaceMore)
    }

    /// Whether IAM database authentication is on.
    pub(super) fn has_iam(self) -> bool {
        self.has_more()
    }

    /// The arguments; `None`: no source.
    pub(super) fn arguments(self, id: &str) -> Option<Json> {
        let mut arguments = json!({ "cluster_identifier": id, "reboot": "all", "force_destroy": true });
        match self.mode()? {
            Mode::Dedicated => {
                let tag = if self.has_more() { "stage" } else { "team" };
                arguments["tags"] = json!({ tag: "shop" });
            }
            Mode::InPlace => arguments["parameter_group"] = json!({ "mode": "in_place" }),
            Mode::External => arguments["parameter_group"] = json!({ "mode": "external" }),
        }
        if self == Self::Renamed {
            arguments["parameter_group"] = json!({ "name": renamed(id) });
        }
        if self.mode() != Some(Mode::External) {
            arguments["iam_authentication"] = json!(self.has_iam());
        }
        match self {
            Self::ExternalAgain => arguments["reboot_triggers"] = json!({ "group": "2" }),
            Self::Unmanaged => {
                arguments["parameters"] = json!({ "rds.logical_replication": null, "wal_sender_timeout": null });
            }
            _ if self.mode() == Some(Mode::External) => {}
            _ => arguments["parameters"] = json!(self.parameters()),
        }
        Some(arguments)
    }

    fn parameters(self) -> Values {
        if self.has_more() {
            values(&[("max_wal_senders", "30")])
        } else {
            values(&[("log_statement", "all"), ("work_mem", "128")])
        }
    }

    /// The group that is attached.
    pub(super) fn attached(self, id: &str) -> String {
        match self {
            Self::Renamed => renamed(id),
            _ if self.mode() == Some(Mode::Dedicated) => default(id),
            _ => custom(id),
        }
    }

    /// The values of the attached group, if others have set these ones in the cluster's own.
    pub(super) fn values(self, of_others: &Values) -> Values {
        let mut values = of_others.clone();
        if !matches!(self.mode(), Some(Mode::Dedicated | Mode::InPlace)) {
            return values;
        }
        values.extend(guide());
        values.extend(self.parameters());
        values.extend(self.has_iam().then(|| ("rds.iam_auth_for_replication".to_owned(), "1".to_owned())));
        values
    }

    /// The tags of our group, without those of the provider itself.
    pub(super) fn tags(self) -> Vec<String> {
        match self.mode() {
            Some(Mode::Dedicated) => vec![if self.has_more() { "stage=shop" } else { "team=shop" }.to_owned()],
            _ => Vec::new(),
        }
    }
}

/// The cluster's own group.
pub(super) fn custom(id: &str) -> String {
    format!("custom-{id}")
}

/// What users have set in it.
pub(super) const OWN: [(&str, &str); 2] = [("wal_sender_timeout", "30000"), ("work_mem", "65536")];

/// The values that are wanted without any configuration.
pub(super) fn guide() -> Values {
    values(&[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")])
}

fn default(id: &str) -> String {
    format!("clickpipes-{id}-aurora-postgresql15")
}

fn renamed(id: &str) -> String {
    format!("cdc-{id}")
}

/// All groups that may exist for a cluster.
pub(super) fn groups(id: &str) -> [String; 3] {
    [default(id), renamed(id), custom(id)]
}

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
