//! DB instances of clusters.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::describe::{filter_values, page};
use super::settings::{self, INSTANCE};
use super::tags::{tag_list, write_tags};
use crate::simulator::error::ApiError;
use crate::simulator::lifecycle;
use crate::simulator::request::Request;
use crate::simulator::shared::Shared;
use crate::simulator::state::{Cluster, Member, State};
use crate::simulator::xml::Xml;

fn write(xml: &mut Xml, cluster: &Cluster, member: &Member) {
    xml.text("DBInstanceIdentifier", &member.identifier)
        .text("DBClusterIdentifier", &cluster.identifier)
        .text("DbiResourceId", &member.resource_id)
        .text("DBInstanceArn", cluster.instance_arn(member));
    xml.text("Engine", &cluster.engine).text("EngineVersion", &cluster.engine_version).text("DBInstanceStatus", &member.status);
    xml.text("MasterUsername", &cluster.master_username).text("DBName", &cluster.database);
    xml.text("AllocatedStorage", 1).text("MultiAZ", false).text("DbInstancePort", 0).text("LicenseModel", "postgresql-license");
    settings::write(xml, &INSTANCE, &member.settings);
    xml.text("IAMDatabaseAuthenticationEnabled", cluster.iam_authentication);
    xml.list("DBParameterGroups", "DBParameterGroup", [cluster.family()], |xml, family| {
        xml.text("DBParameterGroupName", format!("default.{family}")).text("ParameterApplyStatus", "in-sync");
    });
    if member.status != "creating" {
        xml.element("Endpoint", |xml| {
            xml.text("Address", if member.writer { &cluster.host } else { &cluster.reader_host }).text("Port", cluster.port);
        });
    }
    write_tags(xml, &member.tags);
}

pub(super) fn describe(shared: &Arc<Shared>, state: &State, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBInstanceIdentifier", "Filters", "MaxRecords", "Marker"])?;
    let mut instances: Vec<(&Cluster, &Member)> = state
        .clusters
        .values()
        .filter(|cluster| cluster.region == request.region)
        .flat_map(|cluster| cluster.members.iter().map(move |member| (cluster, member)))
        .collect();
    if let Some(identifier) = request.get("DBInstanceIdentifier") {
        instances.retain(|(cluster, member)| member.identifier == identifier || cluster.instance_arn(member) == identifier);
        if instances.is_empty() {
            return Err(ApiError::instance_not_found(identifier));
        }
    }
    for filter in request.list("Filters") {
        let values = filter_values(&filter);
        match filter.get("Name").copied() {
            Some("db-cluster-id") => instances
                .retain(|(cluster, _)| values.contains(&cluster.identifier.as_str()) || values.contains(&cluster.arn.as_str())),
            Some("db-instance-id") => instances.retain(|(_, member)| values.contains(&member.identifier.as_str())),
            Some("dbi-resource-id") => instances.retain(|(_, member)| values.contains(&member.resource_id.as_str())),
            other => {
                return Err(ApiError::not_simulated(&format!("the filter {} of DescribeDBInstances", other.unwrap_or_default())));
            }
        }
    }
    let (instances, marker) = page(request, &instances, shared.options.page_size)?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.list("DBInstances", "DBInstance", instances, |xml, (cluster, member)| write(xml, cluster, member));
    Ok(xml)
}

/// The answer of an action on one instance.
fn answer(cluster: &Cluster, instance: &str) -> Xml {
    let mut xml = Xml::default();
    if let Some(member) = cluster.members.iter().find(|member| member.identifier == instance) {
        xml.element("DBInstance", |xml| write(xml, cluster, member));
    }
    xml
}

pub(super) fn create(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    let own = ["DBInstanceIdentifier", "DBClusterIdentifier", "Engine", "EngineVersion", "DBParameterGroupName", "Tags"];
    let known: Vec<&str> = own.into_iter().chain(settings::parameters(&INSTANCE)).collect();
    request.accept_only(&known)?;
    let instance = request.required("DBInstanceIdentifier")?.to_lowercase();
    let Some(identifier) = request.get("DBClusterIdentifier") else {
        return Err(ApiError::not_simulated("an instance outside a cluster"));
    };
    let mut state = shared.state();
    if state.clusters.values().any(|cluster| cluster.members.iter().any(|member| member.identifier == instance)) {
        return Err(ApiError::instance_exists(&instance));
    }
    let number = state.unique();
    let cluster = state.cluster_mut(&request.region, identifier)?;
    if cluster.status != "available" {
        return Err(ApiError::cluster_state(identifier, &cluster.status));
    }
    if request.required("Engine")? != cluster.engine {
        return Err(ApiError::invalid_combination(format!("The engine of cluster {identifier} is {}.", cluster.engine)));
    }
    let mut member = Member {
        identifier: instance.clone(),
        resource_id: format!("db-{number:026X}"),
        writer: cluster.writer().is_none() && cluster.can_have_writer(),
        status: "creating".to_owned(),
        parameter_group_status: "in-sync".to_owned(),
        group_in_effect: cluster.parameter_group.clone(),
        values: Default::default(),
        settings: BTreeMap::new(),
        tags: tag_list(request),
    };
    settings::take(&INSTANCE, request, &mut member.settings);
    cluster.members.push(member);
    lifecycle::create_member(shared, cluster, &instance);
    Ok(answer(cluster, &instance))
}

pub(super) fn modify(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    let own = ["DBInstanceIdentifier", "ApplyImmediately"];
    let known: Vec<&str> = own.into_iter().chain(settings::parameters(&INSTANCE)).collect();
    request.accept_only(&known)?;
    let instance = request.required("DBInstanceIdentifier")?;
    let mut state = shared.state();
    let identifier = state.cluster_of_instance(&request.region, instance)?.identifier.clone();
    let cluster = state.cluster_mut(&request.region, &identifier)?;
    let member = available(cluster, instance)?;
    settings::take(&INSTANCE, request, &mut member.settings);
    lifecycle::modify_member(shared, cluster, instance);
    Ok(answer(cluster, instance))
}

pub(super) fn delete(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBInstanceIdentifier", "SkipFinalSnapshot", "DeleteAutomatedBackups"])?;
    let instance = request.required("DBInstanceIdentifier")?;
    let mut state = shared.state();
    let identifier = state.cluster_of_instance(&request.region, instance)?.identifier.clone();
    let cluster = state.cluster_mut(&request.region, &identifier)?;
    let member = cluster.member_mut(instance).ok_or_else(|| ApiError::instance_not_found(instance))?;
    if member.status == "deleting" {
        return Err(ApiError::instance_state(instance, &member.status));
    }
    lifecycle::delete_member(shared, cluster, instance);
    Ok(answer(cluster, instance))
}

pub(super) fn reboot(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBInstanceIdentifier", "ForceFailover"])?;
    if request.flag("ForceFailover")? == Some(true) {
        return Err(ApiError::invalid_combination("ForceFailover cannot be used with an instance of an Aurora cluster."));
    }
    let instance = request.required("DBInstanceIdentifier")?;
    let mut state = shared.state();
    let cluster = state.cluster_of_instance(&request.region, instance)?;
    let identifier = cluster.identifier.clone();
    if cluster.status != "available" {
        // The action has no error code of its own for the cluster's state.
        return Err(ApiError::instance_state(instance, &cluster.status));
    }
    let cluster = state.cluster_mut(&request.region, &identifier)?;
    let member = cluster.member_mut(instance).ok_or_else(|| ApiError::instance_not_found(instance))?;
    // A reboot ends this status once the parameters are fixed.
    if member.status != "available" && member.status != "incompatible-parameters" {
        return Err(ApiError::instance_state(instance, &member.status));
    }
    lifecycle::reboot(shared, cluster, instance);
    Ok(answer(cluster, instance))
}

fn available<'a>(cluster: &'a mut Cluster, instance: &str) -> Result<&'a mut Member, ApiError> {
    let member = cluster.member_mut(instance).ok_or_else(|| ApiError::instance_not_found(instance))?;
    if member.status == "available" { Ok(member) } else { Err(ApiError::instance_state(instance, &member.status)) }
}
