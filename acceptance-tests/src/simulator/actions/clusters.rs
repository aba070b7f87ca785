//! Clusters and their instances.

use std::sync::Arc;

use super::{page, write_tags};
use crate::simulator::error::ApiError;
use crate::simulator::lifecycle;
use crate::simulator::request::Request;
use crate::simulator::shared::Shared;
use crate::simulator::state::{Cluster, Member};
use crate::simulator::xml::Xml;

fn write_cluster(xml: &mut Xml, cluster: &Cluster) {
    xml.text("DBClusterIdentifier", &cluster.identifier)
        .text("DBClusterArn", &cluster.arn)
        .text("DbClusterResourceId", &cluster.resource_id);
    xml.text("Status", &cluster.status)
        .text("Engine", &cluster.engine)
        .text("EngineVersion", &cluster.engine_version)
        .text("EngineMode", &cluster.engine_mode);
    xml.text("DBClusterParameterGroup", &cluster.parameter_group)
        .text("DatabaseName", &cluster.database)
        .text("MasterUsername", &cluster.master_username);
    xml.text("Endpoint", &cluster.host).text("ReaderEndpoint", &cluster.reader_host).text("Port", cluster.port);
    xml.text("IAMDatabaseAuthenticationEnabled", cluster.iam_authentication)
        .text("MultiAZ", cluster.members.len() > 1)
        .text("StorageEncrypted", true);
    xml.optional("ReplicationSourceIdentifier", cluster.replication_source.as_deref());
    if let Some(global) = &cluster.global {
        xml.text("GlobalClusterIdentifier", &global.identifier).text("GlobalWriteForwardingStatus", "disabled");
    }
    if !cluster.pending.is_empty() {
        xml.element("PendingModifiedValues", |xml| {
            for (name, value) in &cluster.pending {
                xml.text(name, value);
            }
        });
    }
    xml.list("DBClusterMembers", "DBClusterMember", &cluster.members, |xml, member| {
        xml.text("DBInstanceIdentifier", &member.identifier).text("IsClusterWriter", member.writer);
        xml.text("DBClusterParameterGroupStatus", &member.parameter_group_status).text("PromotionTier", 1);
    });
    xml.element("VpcSecurityGroups", |xml| {
        xml.element("VpcSecurityGroupMembership", |xml| {
            xml.text("VpcSecurityGroupId", "sg-0123456789abcdef0").text("Status", "active");
        });
    });
    write_tags(xml, &cluster.tags);
}

pub(super) fn describe_clusters(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBClusterIdentifier", "Filters", "MaxRecords", "Marker", "IncludeShared"])?;
    let state = shared.state();
    let mut clusters: Vec<&Cluster> = match request.get("DBClusterIdentifier") {
        Some(identifier) => vec![state.cluster(identifier)?],
        None => state.clusters.values().collect(),
    };
    for filter in request.list("Filters") {
        match filter.get("Name").copied() {
            Some("db-cluster-id") => clusters.retain(|cluster| {
                filter
                    .iter()
                    .any(|(key, value)| key.starts_with("Values") && (*value == cluster.identifier || *value == cluster.arn))
            }),
            other => {
                return Err(ApiError::not_simulated(&format!("the filter {} of DescribeDBClusters", other.unwrap_or_default())));
            }
        }
    }
    let (clusters, marker) = page(request, &clusters, 100)?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.list("DBClusters", "DBCluster", clusters, |xml, cluster| write_cluster(xml, cluster));
    Ok(xml)
}

fn write_instance(xml: &mut Xml, cluster: &Cluster, member: &Member) {
    xml.text("DBInstanceIdentifier", &member.identifier)
        .text("DBClusterIdentifier", &cluster.identifier)
        .text("DbiResourceId", &member.resource_id);
    xml.text(
        "DBInstanceArn",
        cluster.arn.replacen(&format!(":cluster:{}", cluster.identifier), &format!(":db:{}", member.identifier), 1),
    );
    xml.text("DBInstanceClass", "db.r6g.large")
        .text("Engine", &cluster.engine)
        .text("EngineVersion", &cluster.engine_version)
        .text("DBInstanceStatus", &member.status);
    xml.text("PromotionTier", 1).text("PubliclyAccessible", false);
    xml.element("Endpoint", |xml| {
        xml.text("Address", if member.writer { &cluster.host } else { &cluster.reader_host }).text("Port", cluster.port);
    });
}

pub(super) fn describe_instances(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBInstanceIdentifier", "Filters", "MaxRecords", "Marker"])?;
    let state = shared.state();
    let mut instances: Vec<(&Cluster, &Member)> =
        state.clusters.values().flat_map(|cluster| cluster.members.iter().map(move |member| (cluster, member))).collect();
    if let Some(identifier) = request.get("DBInstanceIdentifier") {
        instances.retain(|(_, member)| member.identifier == identifier);
        if instances.is_empty() {
            return Err(ApiError::instance_not_found(identifier));
        }
    }
    for filter in request.list("Filters") {
        let has = |wanted: [&str; 2]| filter.iter().any(|(key, value)| key.starts_with("Values") && wanted.contains(value));
        match filter.get("Name").copied() {
            Some("db-cluster-id") => instances.retain(|(cluster, _)| has([&cluster.identifier, &cluster.arn])),
            Some("db-instance-id") => instances.retain(|(_, member)| has([&member.identifier, &member.identifier])),
            other => {
                return Err(ApiError::not_simulated(&format!("the filter {} of DescribeDBInstances", other.unwrap_or_default())));
            }
        }
    }
    let (instances, marker) = page(request, &instances, 100)?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.list("DBInstances", "DBInstance", instances, |xml, (cluster, member)| write_instance(xml, cluster, member));
    Ok(xml)
}

pub(super) fn modify_cluster(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&[
        "DBClusterIdentifier",
        "DBClusterParameterGroupName",
        "EnableIAMDatabaseAuthentication",
        "EngineVersion",
        "ApplyImmediately",
    ])?;
    let identifier = request.required("DBClusterIdentifier")?;
    let immediately = request.flag("ApplyImmediately")?.unwrap_or(false);
    let mut state = shared.state();
    let cluster = state.cluster(identifier)?;
    if cluster.status != "available" {
        return Err(ApiError::cluster_state(identifier, &cluster.status));
    }
    let group = request.get("DBClusterParameterGroupName").map(str::to_lowercase);
    if let Some(group) = &group {
        let family = state.group_family(group).map_err(|_| ApiError::cluster_group_not_found(group))?;
        if family != cluster.family() {
            return Err(ApiError::invalid_combination(format!(
                "The parameter group {group} with DBParameterGroupFamily {family} can't be used for this cluster. Use a parameter group with DBParameterGroupFamily {}.",
                cluster.family()
            )));
        }
    }
    let identifier = cluster.identifier.clone();
    let cluster = state.cluster_mut(&identifier)?;
    if let Some(enabled) = request.flag("EnableIAMDatabaseAuthentication")? {
        cluster.pending.insert("IAMDatabaseAuthenticationEnabled".to_owned(), enabled.to_string());
    }
    if let Some(version) = request.get("EngineVersion") {
        if immediately {
            return Err(ApiError::not_simulated("an engine upgrade that is applied immediately"));
        }
        cluster.pending.insert("EngineVersion".to_owned(), version.to_owned());
    }
    if let Some(group) = group {
        // The association changes at once, whatever ApplyImmediately says.
        lifecycle::attach_group(cluster, &group);
    }
    lifecycle::modify(shared, cluster, immediately);
    let mut xml = Xml::default();
    xml.element("DBCluster", |xml| write_cluster(xml, cluster));
    Ok(xml)
}

pub(super) fn reboot_instance(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBInstanceIdentifier", "ForceFailover"])?;
    if request.flag("ForceFailover")? == Some(true) {
        return Err(ApiError::invalid_combination("ForceFailover cannot be used with an instance of an Aurora cluster."));
    }
    let instance = request.required("DBInstanceIdentifier")?;
    let mut state = shared.state();
    let cluster = state.cluster_of_instance(instance)?;
    let identifier = cluster.identifier.clone();
    if cluster.status != "available" {
        // The action has no error of its own for the cluster's state.
        return Err(ApiError::instance_state(instance, &cluster.status));
    }
    let cluster = state.cluster_mut(&identifier)?;
    let member = cluster.member_mut(instance).ok_or_else(|| ApiError::instance_not_found(instance))?;
    if member.status != "available" {
        return Err(ApiError::instance_state(instance, &member.status));
    }
    lifecycle::reboot(shared, cluster, instance);
    let mut xml = Xml::default();
    if let Some(member) = cluster.members.iter().find(|member| member.identifier == instance) {
        xml.element("DBInstance", |xml| write_instance(xml, cluster, member));
    }
    Ok(xml)
}

pub(super) fn failover_cluster(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBClusterIdentifier", "TargetDBInstanceIdentifier"])?;
    let identifier = request.required("DBClusterIdentifier")?;
    let mut state = shared.state();
    let cluster = state.cluster_mut(identifier)?;
    let target = request.get("TargetDBInstanceIdentifier");
    let ready = cluster.status == "available" && cluster.members.iter().all(|member| member.status == "available");
    if !ready || cluster.members.len() < 2 {
        return Err(ApiError::cluster_state(identifier, &cluster.status));
    }
    let chosen = cluster
        .members
        .iter()
        .find(|member| !member.writer && target.is_none_or(|target| target == member.identifier))
        .map(|member| member.identifier.clone());
    let chosen = chosen.ok_or_else(|| ApiError::instance_not_found(target.unwrap_or_default()))?;
    lifecycle::fail_over(shared, cluster, &chosen);
    let mut xml = Xml::default();
    xml.element("DBCluster", |xml| write_cluster(xml, cluster));
    Ok(xml)
}
