//! Global databases.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::describe::{filter_values, page};
use crate::simulator::account::ACCOUNT;
use crate::simulator::error::ApiError;
use crate::simulator::request::Request;
use crate::simulator::shared::Shared;
use crate::simulator::state::{Cluster, State};
use crate::simulator::xml::Xml;

/// A global database: the ARNs of its primary and its secondaries. It is the same from every region.
struct Global<'a> {
    identifier: &'a str,
    engine: &'a str,
    engine_version: &'a str,
    primary: Option<&'a str>,
    secondaries: Vec<&'a str>,
}

fn globals(state: &State) -> Vec<Global<'_>> {
    let mut members: BTreeMap<&str, Vec<&Cluster>> = BTreeMap::new();
    for cluster in state.clusters.values() {
        if let Some(global) = &cluster.global {
            members.entry(&global.identifier).or_default().push(cluster);
        }
    }
    members
        .into_iter()
        .filter_map(|(identifier, clusters)| {
            let first = *clusters.first()?;
            // The primary may be a cluster that exists only by name.
            let primary = clusters.iter().find_map(|cluster| {
                let membership = cluster.global.as_ref()?;
                Some(membership.primary_arn.as_deref().unwrap_or(&cluster.arn))
            });
            let arns = clusters.iter().map(|cluster| cluster.arn.as_str());
            Some(Global {
                identifier,
                engine: &first.engine,
                engine_version: &first.engine_version,
                primary,
                secondaries: arns.filter(|arn| Some(*arn) != primary).collect(),
            })
        })
        .collect()
}

pub(super) fn describe(shared: &Arc<Shared>, state: &State, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["GlobalClusterIdentifier", "Filters", "MaxRecords", "Marker"])?;
    let mut globals = globals(state);
    if let Some(wanted) = request.get("GlobalClusterIdentifier") {
        globals.retain(|global| global.identifier == wanted);
        if globals.is_empty() {
            return Err(ApiError::global_cluster_not_found(wanted));
        }
    }
    for filter in request.list("Filters") {
        let values = filter_values(&filter);
        match filter.get("Name").copied() {
            Some("db-cluster-id") => {
                globals.retain(|global| global.primary.iter().chain(&global.secondaries).any(|arn| values.contains(arn)))
            }
            Some("region") => globals.retain(|global| {
                let regions = global.primary.iter().chain(&global.secondaries).filter_map(|arn| arn.split(':').nth(3));
                regions.into_iter().any(|region| values.contains(&region))
            }),
            other => {
                let filter = other.unwrap_or_default();
                return Err(ApiError::not_simulated(&format!("the filter {filter} of DescribeGlobalClusters")));
            }
        }
    }
    let (globals, marker) = page(request, &globals, shared.options.page_size)?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.list("GlobalClusters", "GlobalClusterMember", globals, write);
    Ok(xml)
}

fn write(xml: &mut Xml, global: &Global<'_>) {
    let identifier = global.identifier;
    xml.text("GlobalClusterIdentifier", identifier).text("Status", "available");
    xml.text("Engine", global.engine).text("EngineVersion", global.engine_version);
    xml.text("GlobalClusterArn", format!("arn:aws:rds::{ACCOUNT}:global-cluster:{identifier}"));
    xml.element("GlobalClusterMembers", |xml| {
        if let Some(primary) = global.primary {
            xml.element("GlobalClusterMember", |xml| {
                xml.text("DBClusterArn", primary).text("IsWriter", true).text("SynchronizationStatus", "connected");
                xml.element("Readers", |xml| {
                    for secondary in &global.secondaries {
                        xml.text("member", secondary);
                    }
                });
            });
        }
        for secondary in &global.secondaries {
            xml.element("GlobalClusterMember", |xml| {
                xml.text("DBClusterArn", secondary).text("IsWriter", false);
                xml.text("GlobalWriteForwardingStatus", "disabled").text("SynchronizationStatus", "connected");
            });
        }
    });
}
