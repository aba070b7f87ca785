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
    /// Whether IAM database authentication was on for the cluster; `None`: not known.
    #[serde(default)]
    pub iam_authentication: Option<bool>,
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
    /// Whether IAM database authentication is on for it.
    pub iam_authentication: bool,
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

    /// The ARN by which an IAM policy (`rds-db:connect`) names a role of this cluster; `None` if the cluster is not known.
    pub fn dbuser_arn(&self, role: &str) -> Option<String> {
        let (arn, cluster) = (self.arn.as_ref()?, self.cluster.as_ref()?);
        let mut parts = arn.split(':').skip(1);
        let (partition, _, region, account) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(format!("arn:{partition}:rds-db:{region}:{account}:dbuser:{cluster}/{role}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_of_both_tells_them_apart() {
        let known =
            Site { system: Some(1), cluster: Some("cluster-A".to_owned()), arn: None, iam_authentication: None, database: 5 };
        assert_eq!(known.moved_from(&known), None);
        assert_eq!(known.moved_from(&Site { system: None, cluster: None, ..known.clone() }), None);
        assert_eq!(known.moved_from(&Site { system: Some(2), ..known.clone() }), Some(Moved::Server));
        let restored = Site { cluster: Some("cluster-B".to_owned()), ..known.clone() };
        assert_eq!(known.moved_from(&restored), Some(Moved::Server));
        assert_eq!(known.moved_from(&Site { database: 6, ..known.clone() }), Some(Moved::Database));
    }

    #[test]
    fn a_policy_names_a_role_by_the_resource_id_of_its_cluster() {
        let arn = "arn:aws-cn:rds:cn-north-1:123456789012:cluster:orders".to_owned();
        let site = Site {
            system: None,
            cluster: Some("cluster-ABC".to_owned()),
            arn: Some(arn),
            iam_authentication: Some(true),
            database: 5,
        };
        let expected = "arn:aws-cn:rds-db:cn-north-1:123456789012:dbuser:cluster-ABC/Pipe/1";
        assert_eq!(site.dbuser_arn("Pipe/1").as_deref(), Some(expected));
        assert_eq!(Site { arn: None, ..site.clone() }.dbuser_arn("p"), None);
        assert_eq!(Site { cluster: None, ..site }.dbuser_arn("p"), None);
    }
}
