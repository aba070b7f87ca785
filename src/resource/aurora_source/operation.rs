//! What can be done to a cluster, each one RDS call, and the line that shows it. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::schema::Source;
use crate::rds::ApplyMethod;
use crate::rds::parameter_group::Tags;
use crate::resource::change::{Remaining, Seen};

/// One call that changes something, or one call for each member concerned. Members come and go, so none is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Operation {
    CreateGroup {
        name: String,
        family: String,
        tags: Tags,
    },
    ModifyGroup {
        name: String,
        parameters: Vec<(String, String, ApplyMethod)>,
    },
    ResetGroup {
        name: String,
        parameters: Vec<(String, ApplyMethod)>,
    },
    TagGroup {
        name: String,
        tags: Tags,
    },
    UntagGroup {
        name: String,
        keys: Vec<String>,
    },
    AttachGroup {
        cluster: String,
        group: String,
    },
    /// The member that is the writer when it runs.
    RebootWriter {
        cluster: String,
    },
    /// The member that is the writer when it runs, if it waits for a reboot then.
    RebootWriterIfWaiting {
        cluster: String,
    },
    /// Each other member that still waits for a reboot when it runs.
    RebootOthers {
        cluster: String,
    },
    DeleteGroup {
        name: String,
    },
    /// IAM database authentication of the cluster, on or off.
    SetIamAuthentication {
        cluster: String,
        on: bool,
    },
}

impl Operation {
    /// Whether it is a reboot.
    pub(super) fn is_reboot(&self) -> bool {
        self.reboots_writer() || matches!(self, Self::RebootOthers { .. })
    }

    /// Whether it reboots the writer, at least if that waits for it.
    pub(super) fn reboots_writer(&self) -> bool {
        matches!(self, Self::RebootWriter { .. } | Self::RebootWriterIfWaiting { .. })
    }

    /// Whether it changes parameters of a group.
    pub(super) fn changes_parameters(&self) -> bool {
        self.changed_group().is_some()
    }

    /// The group whose parameters it changes.
    pub(super) fn changed_group(&self) -> Option<&String> {
        match self {
            Self::ModifyGroup { name, .. } | Self::ResetGroup { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The group that it attaches.
    pub(super) fn attached_group(&self) -> Option<&String> {
        match self {
            Self::AttachGroup { group, .. } => Some(group),
            _ => None,
        }
    }

    /// Whether it modifies the cluster at once, and so would also apply what waits for the maintenance window.
    pub(super) fn modifies_cluster(&self) -> bool {
        matches!(self, Self::AttachGroup { .. } | Self::SetIamAuthentication { .. })
    }

    /// Whether members wait for a reboot after it, if they run with the group `attached`.
    pub(super) fn needs_reboot(&self, attached: &str) -> bool {
        let static_method = |method: &ApplyMethod| *method == ApplyMethod::PendingReboot;
        match self {
            Self::AttachGroup { .. } => true,
            Self::ModifyGroup { name, parameters } => {
                name == attached && parameters.iter().any(|(_, _, method)| static_method(method))
            }
            Self::ResetGroup { name, parameters } => {
                name == attached && parameters.iter().any(|(_, method)| static_method(method))
            }
            Self::CreateGroup { .. }
            | Self::TagGroup { .. }
            | Self::UntagGroup { .. }
            | Self::RebootWriter { .. }
            | Self::RebootWriterIfWaiting { .. }
            | Self::RebootOthers { .. }
            | Self::SetIamAuthentication { .. }
            | Self::DeleteGroup { .. } => false,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateGroup { name, family, tags } => {
                write!(f, "CreateDBClusterParameterGroup {name}: family {family}, tags {}", show_tags(tags))
            }
            Self::ModifyGroup { name, parameters } => {
                let shown = parameters.iter().map(|(name, value, method)| format!("{name} = {value} ({method})"));
                write!(f, "ModifyDBClusterParameterGroup {name}: {}", shown.collect::<Vec<_>>().join(", "))
            }
            Self::ResetGroup { name, parameters } => {
                let shown = parameters.iter().map(|(name, method)| format!("{name} ({method})"));
                write!(f, "ResetDBClusterParameterGroup {name}: {}", shown.collect::<Vec<_>>().join(", "))
            }
            Self::TagGroup { name, tags } => write!(f, "AddTagsToResource {name}: {}", show_tags(tags)),
            Self::UntagGroup { name, keys } => write!(f, "RemoveTagsFromResource {name}: {}", keys.join(", ")),
            Self::AttachGroup { cluster, group } => write!(f, "ModifyDBCluster {cluster}: parameter group {group}, immediately"),
            Self::RebootWriter { cluster } => write!(f, "RebootDBInstance <the writer of {cluster}>"),
            Self::RebootWriterIfWaiting { cluster } => {
                write!(f, "RebootDBInstance <the writer of {cluster}> if it waits for one")
            }
            Self::RebootOthers { cluster } => write!(f, "RebootDBInstance <each other member of {cluster} that waits for one>"),
            Self::SetIamAuthentication { cluster, on } => {
                let on = if *on { "on" } else { "off" };
                write!(f, "ModifyDBCluster {cluster}: IAM database authentication {on}, immediately")
            }
            Self::DeleteGroup { name } => write!(f, "DeleteDBClusterParameterGroup {name}"),
        }
    }
}

/// What remains of a planned operation: all of it, or nothing if it is no longer needed.
pub(super) fn remaining(operation: &Operation, seen: &Seen<'_, Source>) -> Remaining<Operation> {
    if seen.needed.contains(operation) { Remaining::All } else { Remaining::Nothing }
}

fn show_tags(tags: &Tags) -> String {
    tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::change::lines;

    #[test]
    fn a_line_starts_with_the_api_action_and_its_target() {
        let tags = Tags::from([("a".to_owned(), "b".to_owned())]);
        let operations = [
            Operation::CreateGroup { name: "g".to_owned(), family: "aurora-postgresql16".to_owned(), tags },
            Operation::ModifyGroup {
                name: "g".to_owned(),
                parameters: vec![
                    ("rds.logical_replication".to_owned(), "1".to_owned(), ApplyMethod::PendingReboot),
                    ("wal_sender_timeout".to_owned(), "0".to_owned(), ApplyMethod::Immediate),
                ],
            },
            Operation::AttachGroup { cluster: "c".to_owned(), group: "g".to_owned() },
            Operation::RebootWriter { cluster: "c".to_owned() },
            Operation::RebootWriterIfWaiting { cluster: "c".to_owned() },
            Operation::RebootOthers { cluster: "c".to_owned() },
            Operation::SetIamAuthentication { cluster: "c".to_owned(), on: true },
        ];
        assert_eq!(
            lines(&operations),
            [
                "CreateDBClusterParameterGroup g: family aurora-postgresql16, tags a=b",
                "ModifyDBClusterParameterGroup g: rds.logical_replication = 1 (pending-reboot), wal_sender_timeout = 0 (immediate)",
                "ModifyDBCluster c: parameter group g, immediately",
                "RebootDBInstance <the writer of c>",
                "RebootDBInstance <the writer of c> if it waits for one",
                "RebootDBInstance <each other member of c that waits for one>",
                "ModifyDBCluster c: IAM database authentication on, immediately",
            ]
        );
    }
}
