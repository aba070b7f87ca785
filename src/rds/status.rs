//! The status words of RDS, as RDS spells them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Defines an enum of status words that keeps words it does not know.
macro_rules! status {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$variant_meta])* #[doc = concat!("`", $word, "`.")] $variant,)+
            /// A word not listed here, kept as RDS sent it.
            Other(String),
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self::from(word.as_str())
            }
        }

        impl From<$name> for String {
            fn from(status: $name) -> Self {
                status.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                })
            }
        }
    };
}

status! {
    /// Status of a DB cluster.
    ClusterStatus {
        Available = "available",
        Creating = "creating",
        Modifying = "modifying",
        Upgrading = "upgrading",
        FailingOver = "failing-over",
        BackingUp = "backing-up",
        Maintenance = "maintenance",
        Starting = "starting",
        Stopping = "stopping",
        Stopped = "stopped",
        Deleting = "deleting",
        CloningFailed = "cloning-failed",
        MigrationFailed = "migration-failed",
        InaccessibleEncryptionCredentials = "inaccessible-encryption-credentials",
    }
}

impl ClusterStatus {
    /// Whether the status cannot become `available` without manual intervention.
    pub fn is_dead_end(&self) -> bool {
        matches!(
            self,
            Self::Stopping
                | Self::Stopped
                | Self::Deleting
                | Self::CloningFailed
                | Self::MigrationFailed
                | Self::InaccessibleEncryptionCredentials
        )
    }
}

status! {
    /// Status of a DB instance.
    InstanceStatus {
        Available = "available",
        Rebooting = "rebooting",
        Creating = "creating",
        Modifying = "modifying",
        Upgrading = "upgrading",
        BackingUp = "backing-up",
        Starting = "starting",
        Stopping = "stopping",
        Stopped = "stopped",
        Deleting = "deleting",
        Failed = "failed",
        IncompatibleParameters = "incompatible-parameters",
        IncompatibleNetwork = "incompatible-network",
        StorageFull = "storage-full",
        InaccessibleEncryptionCredentials = "inaccessible-encryption-credentials",
    }
}

impl InstanceStatus {
    /// Whether the status cannot become `available` without manual intervention.
    pub fn is_dead_end(&self) -> bool {
        matches!(
            self,
            Self::Stopping
                | Self::Stopped
                | Self::Deleting
                | Self::Failed
                | Self::IncompatibleParameters
                | Self::IncompatibleNetwork
                | Self::StorageFull
                | Self::InaccessibleEncryptionCredentials
        )
    }
}

status! {
    /// Whether a member runs with the cluster's parameter group.
    ParameterGroupStatus {
        InSync = "in-sync",
        PendingReboot = "pending-reboot",
        Applying = "applying",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown_words_survive_a_round_trip() {
        for word in ["available", "failing-over", "renaming", ""] {
            assert_eq!(ClusterStatus::from(word).to_string(), word);
        }
        assert_eq!(ParameterGroupStatus::from("pending-reboot"), ParameterGroupStatus::PendingReboot);
    }

    #[test]
    fn a_stopped_cluster_is_not_waited_for() {
        assert!(ClusterStatus::Stopped.is_dead_end());
        assert!(!ClusterStatus::Modifying.is_dead_end());
        assert!(InstanceStatus::IncompatibleParameters.is_dead_end());
        assert!(!InstanceStatus::from("renaming").is_dead_end());
    }
}
