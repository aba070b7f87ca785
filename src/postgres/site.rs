//! Which database of which server a session is in: an oid means something only there. Pure.

use serde::{Deserialize, Serialize};

/// A database of a server, as far as it can be told from others. A copy of a server (a restored snapshot, a copied data directory)
/// has the same system identifier and the same oids, so an equal site is necessary evidence, not a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// `system_identifier` of `pg_control_system()`; `None` if the login may not call it.
    pub system: Option<i64>,
    /// `DbClusterResourceId` of the Aurora cluster; `None` if the provider block names a host.
    pub cluster: Option<String>,
    /// Its ARN, which says where it was found and under which identifier.
    #[serde(default)]
    pub arn: Option<String>,
    /// `pg_database.oid`.
    pub database: u32,
}

/// The Aurora cluster that a server belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSite {
    /// `DbClusterResourceId`: no other cluster has it.
    pub resource_id: String,
    /// The ARN: region, account and the identifier, which may change.
    pub arn: String,
}

/// What is not the same as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// Another server.
    Server,
    /// Another database of the same server, under the same name.
    Database,
}

impl Site {
    /// What distinguishes this site from an earlier one; `None`: nothing that is known of both.
    pub fn moved_from(&self, earlier: &Self) -> Option<Moved> {
        let system = self.system.zip(earlier.system).is_some_and(|(now, before)| now != before);
        let cluster = self.cluster.as_ref().zip(earlier.cluster.as_ref()).is_some_and(|(now, before)| now != before);
        match (system || cluster, self.database != earlier.database) {
            (true, _) => Some(Moved::Server),
            (false, true) => Some(Moved::Database),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_of_both_tells_them_apart() {
        let known = Site { system: Some(1), cluster: Some("cluster-A".to_owned()), arn: None, database: 5 };
        assert_eq!(known.moved_from(&known), None);
        assert_eq!(known.moved_from(&Site { system: None, cluster: None, ..known.clone() }), None);
        assert_eq!(known.moved_from(&Site { system: Some(2), ..known.clone() }), Some(Moved::Server));
        let restored = Site { cluster: Some("cluster-B".to_owned()), ..known.clone() };
        assert_eq!(known.moved_from(&restored), Some(Moved::Server));
        assert_eq!(known.moved_from(&Site { database: 6, ..known.clone() }), Some(Moved::Database));
    }
}
