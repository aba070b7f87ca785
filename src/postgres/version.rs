//! Server versions, and the features that came with them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A feature and the first major version that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// What the feature is called in a message.
    pub feature: &'static str,
    /// First major version that has it.
    pub since: u32,
}

/// `publish_via_partition_root`, and partitioned tables in publications.
pub const VIA_ROOT: Gate = Gate { feature: "publish_via_partition_root", since: 13 };
/// `FOR TABLES IN SCHEMA`.
pub const PUBLICATION_SCHEMAS: Gate = Gate { feature: "A publication of schemas", since: 15 };
/// Messages of `pg_logical_emit_message` in what `pgoutput` sends.
pub const LOGICAL_MESSAGES: Gate = Gate { feature: "Messages in logical replication", since: 14 };
/// Row filters and column lists of publications.
pub const PUBLICATION_ROW_FILTERS: Gate = Gate { feature: "A row filter or column list of a publication", since: 15 };
/// Generated columns in publications; from then on, an UPDATE fails if one of the replica identity is not published.
pub const PUBLISHED_GENERATED_COLUMNS: Gate = Gate { feature: "Publishing generated columns", since: 18 };
/// GRANT ON PARAMETER, and its catalogue.
pub const PARAMETER_PRIVILEGES: Gate = Gate { feature: "Privileges on parameters", since: 15 };
/// Memberships with their own ADMIN, INHERIT and SET options; CREATEROLE needs ADMIN on the role that it alters.
pub const MEMBERSHIP_OPTIONS: Gate = Gate { feature: "memberships WITH INHERIT and SET", since: 16 };

/// A server's version, from `server_version_num`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServerVersion(u32);

impl ServerVersion {
    /// From `server_version_num`, such as 150004 for 15.4.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// The major version, such as 15.
    pub const fn major(self) -> u32 {
        self.0 / 10_000
    }

    /// The minor version, such as 4.
    pub const fn minor(self) -> u32 {
        self.0 % 10_000
    }

    /// Whether the server has a feature.
    pub const fn has(self, gate: Gate) -> bool {
        self.major() >= gate.since
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major(), self.minor())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_server_version_num() {
        let version = ServerVersion::from_number(150_004);
        assert_eq!((version.major(), version.to_string()), (15, "15.4".to_owned()));
        assert!(version.has(PUBLICATION_SCHEMAS) && version.has(VIA_ROOT) && !version.has(MEMBERSHIP_OPTIONS));
    }
}
