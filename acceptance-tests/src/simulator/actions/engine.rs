//! Engine versions and global databases.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::page;
use crate::simulator::error::ApiError;
use crate::simulator::request::Request;
use crate::simulator::shared::Shared;
use crate::simulator::state::Cluster;
use crate::simulator::xml::Xml;

const ENGINE: &str = "aurora-postgresql";

/// Some versions of each major; a version that is asked for by name need not be here.
const VERSIONS: [&str; 15] = [
    "11.9", "11.21", "12.9", "12.22", "13.9", "13.18", "14.6", "14.15", "15.2", "15.10", "15.12", "16.6", "16.8", "17.4", "17.5",
];

pub(super) fn describe_engine_versions(request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&[
        "Engine",
        "EngineVersion",
        "DBParameterGroupFamily",
        "DefaultOnly",
        "IncludeAll",
        "Filters",
        "MaxRecords",
        "Marker",
    ])?;
    let asked = request.get("EngineVersion");
    let known = request.get("Engine").is_none_or(|engine| engine == ENGINE);
    let mut versions: Vec<&str> = match asked {
        _ if !known => Vec::new(),
        // A major version stands for all of its minors.
        Some(version) if version.contains('.') => vec![version],
        Some(major) => VERSIONS.into_iter().filter(|version| version.split('.').next() == Some(major)).collect(),
        None => VERSIONS.to_vec(),
    };
    versions.retain(|version| {
        family(version).is_some_and(|family| request.get("DBParameterGroupFamily").is_none_or(|wanted| wanted == family))
    });
    let (versions, marker) = page(request, &versions, 100)?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.list("DBEngineVersions", "DBEngineVersion", versions, |xml, version| {
        xml.text("Engine", ENGINE).text("EngineVersion", version);
        xml.optional("DBParameterGroupFamily", family(version));
        xml.optional("MajorEngineVersion", version.split('.').next());
        xml.text("DBEngineDescription", "Aurora (PostgreSQL)").text("Status", "available");
        xml.element("SupportedEngineModes", |xml| {
            xml.text("member", "provisioned");
        });
    });
    Ok(xml)
}

fn family(version: &str) -> Option<String> {
    let family = format!("{ENGINE}{}", version.split('.').next()?);
    crate::simulator::catalogue::family_major(&family).map(|_| family)
}

pub(super) fn describe_global_clusters(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["GlobalClusterIdentifier", "Filters", "MaxRecords", "Marker"])?;
    let state = shared.state();
    let mut globals: BTreeMap<&str, Vec<&Cluster>> = BTreeMap::new();
    for cluster in state.clusters.values() {
        if let Some(global) = &cluster.global {
            globals.entry(&global.identifier).or_default().push(cluster);
        }
    }
    if let Some(wanted) = request.get("GlobalClusterIdentifier") {
        globals.retain(|identifier, _| *identifier == wanted);
        if globals.is_empty() {
            return Err(ApiError::global_cluster_not_found(wanted));
        }
    }
    let mut xml = Xml::default();
    xml.list("GlobalClusters", "GlobalClusterMember", globals, |xml, (identifier, clusters)| {
        xml.text("GlobalClusterIdentifier", identifier).text("Status", "available").text("Engine", ENGINE);
        xml.text("GlobalClusterArn", format!("arn:aws:rds::{}:global-cluster:{identifier}", crate::simulator::state::ACCOUNT));
        let primary = clusters.iter().find_map(|cluster| match &cluster.global.as_ref()?.primary_arn {
            Some(arn) => Some(arn.clone()),
            None => Some(cluster.arn.clone()),
        });
        let secondaries: Vec<&str> =
            clusters.iter().map(|cluster| cluster.arn.as_str()).filter(|arn| Some(*arn) != primary.as_deref()).collect();
        xml.element("GlobalClusterMembers", |xml| {
            if let Some(primary) = &primary {
                xml.element("GlobalClusterMember", |xml| {
                    xml.text("DBClusterArn", primary).text("IsWriter", true);
                    xml.element("Readers", |xml| {
                        for secondary in &secondaries {
                            xml.text("member", secondary);
                        }
                    });
                });
            }
            for secondary in &secondaries {
                xml.element("GlobalClusterMember", |xml| {
                    xml.text("DBClusterArn", secondary).text("IsWriter", false).text("GlobalWriteForwardingStatus", "disabled");
                });
            }
        });
    });
    Ok(xml)
}
