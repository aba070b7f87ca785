//! Global databases: which clusters they consist of.

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::pages::Pages;
use crate::aws::Error;

const DESCRIBE: &str = "DescribeGlobalClusters";

/// A global database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalCluster {
    /// `GlobalClusterIdentifier`.
    pub identifier: String,
    /// Its clusters in all regions.
    pub members: Vec<GlobalMember>,
}

/// A cluster of a global database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalMember {
    /// `DBClusterArn`.
    pub arn: String,
    /// Whether it is the primary, which accepts writes.
    pub primary: bool,
}

/// A cluster's place in a global database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalMembership {
    /// Identifier of the global cluster.
    pub global_cluster_identifier: String,
    /// Whether this cluster is the primary, which accepts writes.
    pub primary: bool,
    /// ARN of the current primary cluster, if there is one.
    pub primary_arn: Option<String>,
}

/// The place of the cluster with this ARN; `None` for a cluster outside all of these global databases.
pub fn membership(globals: &[GlobalCluster], cluster_arn: &str) -> Option<GlobalMembership> {
    globals.iter().find_map(|global| {
        let ours = global.members.iter().find(|member| member.arn == cluster_arn)?;
        let primary = global.members.iter().find(|member| member.primary);
        Some(GlobalMembership {
            global_cluster_identifier: global.identifier.clone(),
            primary: ours.primary,
            primary_arn: primary.map(|member| member.arn.clone()),
        })
    })
}

impl Client {
    /// Lists the global databases of the account: RDS cannot look for the one of a cluster.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn list_global_clusters(&self) -> Result<Vec<GlobalCluster>, Error> {
        let mut globals = Vec::new();
        let mut pages = Pages::of(DESCRIBE);
        let mut marker = None;
        loop {
            let result = self.rds.describe_global_clusters().set_marker(marker).send().await;
            let output = self.answer(DESCRIBE, result)?;
            globals.extend(output.global_clusters.unwrap_or_default().into_iter().map(|global| {
                let members = global.global_cluster_members.unwrap_or_default().into_iter();
                GlobalCluster {
                    identifier: global.global_cluster_identifier.unwrap_or_default(),
                    members: members
                        .filter_map(|member| {
                            Some(GlobalMember { arn: member.db_cluster_arn?, primary: member.is_writer == Some(true) })
                        })
                        .collect(),
                }
            }));
            marker = pages.next(output.marker)?;
            if marker.is_none() {
                return Ok(globals);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn global(identifier: &str, members: &[(&str, bool)]) -> GlobalCluster {
        let member = |&(arn, primary): &(&str, bool)| GlobalMember { arn: arn.to_owned(), primary };
        GlobalCluster { identifier: identifier.to_owned(), members: members.iter().map(member).collect() }
    }

    #[test]
    fn a_cluster_has_a_place_in_the_global_database_that_lists_it() {
        let globals =
            [global("one", &[("a", true)]), global("two", &[("b", false), ("c", true)]), global("three", &[("d", false)])];
        assert_eq!(membership(&globals, "e"), None);
        let place = |arn: &str| {
            let place = membership(&globals, arn).unwrap();
            (place.global_cluster_identifier, place.primary, place.primary_arn)
        };
        assert_eq!(place("b"), ("two".to_owned(), false, Some("c".to_owned())));
        assert_eq!(place("c"), ("two".to_owned(), true, Some("c".to_owned())));
        assert_eq!(place("d"), ("three".to_owned(), false, None));
    }
}
