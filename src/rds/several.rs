//! Several clusters with one call: the filter `db-cluster-id` takes many values, so the answer has exactly those that are wanted,
//! however many the account has.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_rds::types::Filter;

use super::client::Client;
use super::cluster::{Cluster, DESCRIBE};
use super::gather::Ask;
use super::pages::Pages;
use crate::aws::{Cause, Error};

/// The most values of one filter: those whose clusters fit on one page of AWS.
const MOST: usize = 100;

impl Ask for Client {
    type Item = Cluster;

    async fn one(&self, identifier: &str) -> Result<Option<Cluster>, Error> {
        self.find_cluster(identifier).await
    }

    async fn several(&self, identifiers: &BTreeSet<String>) -> Result<BTreeMap<String, Result<Cluster, Error>>, Error> {
        let asked: Vec<&String> = identifiers.iter().collect();
        let mut found = BTreeMap::new();
        for some in asked.chunks(MOST) {
            self.add_some(some, &mut found).await?;
        }
        Ok(found)
    }
}

impl Client {
    /// Finds the identifier of the cluster with this resource id, which a rename does not change.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn find_identifier(&self, resource_id: &str) -> Result<Option<String>, Error> {
        let filter = Filter::builder().name("db-cluster-resource-id").values(resource_id).build();
        let output = match self.answer(DESCRIBE, self.rds.describe_db_clusters().filters(filter).send().await) {
            // A policy that names clusters: a rename looks like a removal.
            Err(error) if error.cause() == Cause::AccessDenied => return Ok(None),
            answered => answered?,
        };
        let mut clusters = output.db_clusters.unwrap_or_default().into_iter();
        let cluster = clusters.find(|cluster| cluster.db_cluster_resource_id.as_deref() == Some(resource_id));
        Ok(cluster.and_then(|cluster| cluster.db_cluster_identifier))
    }

    /// Adds the clusters with these identifiers, as far as they exist.
    async fn add_some(&self, asked: &[&String], found: &mut BTreeMap<String, Result<Cluster, Error>>) -> Result<(), Error> {
        let values = asked.iter().map(|identifier| (*identifier).clone()).collect();
        let filter = Filter::builder().name("db-cluster-id").set_values(Some(values)).build();
        let mut pages = Pages::of(DESCRIBE);
        let mut marker = None;
        loop {
            let result = self.rds.describe_db_clusters().filters(filter.clone()).set_marker(marker).send().await;
            let output = self.answer(DESCRIBE, result)?;
            for cluster in output.db_clusters.unwrap_or_default() {
                // RDS stores identifiers in lower case and accepts any.
                let is_it =
                    |name: &Option<String>, asked: &str| name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(asked));
                let asked = asked
                    .iter()
                    .find(|asked| is_it(&cluster.db_cluster_identifier, asked) || is_it(&cluster.db_cluster_arn, asked));
                if let Some(asked) = asked {
                    found.insert((*asked).clone(), Cluster::decode(cluster));
                }
            }
            marker = pages.next(output.marker)?;
            if marker.is_none() {
                return Ok(());
            }
        }
    }
}
