//! DB clusters.

use std::sync::Arc;

use super::describe::{filter_values, page};
use super::settings::{self, CLUSTER};
use super::tags::{tag_list, write_tags};
use crate::simulator::error::ApiError;
use crate::simulator::lifecycle;
use crate::simulator::master_secret::{self, MasterChange};
use crate::simulator::new_cluster;
use crate::simulator::request::Request;
use crate::simulator::secret_text::SecretText;
use crate::simulator::shared::Shared;
use crate::simulator::spec::ClusterSpec;
use crate::simulator::state::{Cluster, State, default_family};
use crate::simulator::xml::Xml;

fn write(xml: &mut Xml, cluster: &Cluster) {
    xml.text("DBClusterIdentifier", &cluster.identifier)
        .text("DBClusterArn", &cluster.arn)
        .text("DbClusterResourceId", &cluster.resource_id);
    xml.text("Status", &cluster.status)
        .text("Engine", &cluster.engine)
        .text("EngineVersion", &cluster.engine_version)
        .text("EngineMode", &cluster.engine_mode)
        .text("ClusterCreateTime", &cluster.created)
        .text("ClusterScalabilityType", if cluster.spec.limitless { "limitless" } else { "standard" });
    xml.text("DBClusterParameterGroup", &cluster.parameter_group)
        .text("DatabaseName", &cluster.database)
        .text("MasterUsername", &cluster.master_username);
    if let Some(secret) = &cluster.master_secret {
        xml.element("MasterUserSecret", |xml| {
            xml.text("SecretArn", &secret.arn).text("SecretStatus", secret.status).text("KmsKeyId", &secret.kms_key);
        });
    }
    xml.text("Endpoint", &cluster.host).text("ReaderEndpoint", &cluster.reader_host).text("Port", cluster.port);
    xml.text("IAMDatabaseAuthenticationEnabled", cluster.iam_authentication)
        .text("MultiAZ", cluster.members.len() > 1)
        .text("AllocatedStorage", 1)
        .text("HostedZoneId", "Z2R2ITUGPM61AM");
    settings::write(xml, &CLUSTER, &cluster.settings);
    xml.list("AvailabilityZones", "AvailabilityZone", ["a", "b", "c"], |xml, zone| {
        xml.raw(&format!("{}{zone}", cluster.region));
    });
    xml.optional("ReplicationSourceIdentifier", cluster.replication_source.as_deref());
    if cluster.is_serverless_v1() {
        xml.text("Capacity", 2).element("ScalingConfigurationInfo", |xml| {
            xml.text("MinCapacity", 2).text("MaxCapacity", 16).text("AutoPause", true).text("SecondsUntilAutoPause", 300);
        });
    }
    if let Some(global) = &cluster.global {
        xml.text("GlobalClusterIdentifier", &global.identifier).text("GlobalWriteForwardingStatus", "disabled");
    }
    if !cluster.pending.is_empty() {
        xml.element("PendingModifiedValues", |xml| {
            for (name, value) in &cluster.pending {
                xml.text(name, if name == "MasterUserPassword" { "****" } else { value });
            }
        });
    }
    xml.list("DBClusterMembers", "DBClusterMember", &cluster.members, |xml, member| {
        xml.text("DBInstanceIdentifier", &member.identifier).text("IsClusterWriter", member.writer);
        xml.text("DBClusterParameterGroupStatus", &member.parameter_group_status);
        xml.text("PromotionTier", member.settings.get("PromotionTier").map_or("1", String::as_str));
    });
    xml.element("VpcSecurityGroups", |xml| {
        for group in &cluster.security_groups {
            xml.element("VpcSecurityGroupMembership", |xml| {
                xml.text("VpcSecurityGroupId", group).text("Status", "active");
            });
        }
    });
    write_tags(xml, &cluster.tags);
}

fn answer(cluster: &Cluster) -> Xml {
    let mut xml = Xml::default();
    xml.element("DBCluster", |xml| write(xml, cluster));
    xml
}

pub(super) fn describe(shared: &Arc<Shared>, state: &State, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBClusterIdentifier", "Filters", "MaxRecords", "Marker", "IncludeShared"])?;
    let mut clusters: Vec<&Cluster> = match request.get("DBClusterIdentifier") {
        Some(identifier) => vec![state.cluster(&request.region, identifier)?],
        None => state.clusters.values().filter(|cluster| cluster.region == request.region).collect(),
    };
    for filter in request.list("Filters") {
        let values = filter_values(&filter);
        let has = |wanted: &str| values.contains(&wanted);
        match filter.get("Name").copied() {
            Some("db-cluster-id") => clusters.retain(|cluster| has(&cluster.identifier) || has(&cluster.arn)),
            Some("db-cluster-resource-id") => clusters.retain(|cluster| has(&cluster.resource_id)),
            Some("engine") => clusters.retain(|cluster| has(&cluster.engine)),
            other => {
                return Err(ApiError::not_simulated(&format!("the filter {} of DescribeDBClusters", other.unwrap_or_default())));
            }
        }
    }
    let (clusters, marker) = page(request, &clusters, shared.options.page_size)?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.list("DBClusters", "DBCluster", clusters, |xml, cluster| write(xml, cluster));
    Ok(xml)
}

pub(super) fn create(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    let own = [
        "DBClusterIdentifier",
        "Engine",
        "EngineVersion",
        "EngineMode",
        "DatabaseName",
        "MasterUsername",
        "MasterUserPassword",
        "ManageMasterUserPassword",
        "MasterUserSecretKmsKeyId",
        "DBClusterParameterGroupName",
        "EnableIAMDatabaseAuthentication",
        "VpcSecurityGroupIds",
        "AvailabilityZones",
        "ClusterScalabilityType",
        "Tags",
    ];
    let known: Vec<&str> = own.into_iter().chain(settings::parameters(&CLUSTER)).collect();
    request.accept_only(&known)?;
    let text = |name: &str| request.get(name).map(str::to_owned);
    let mut spec = ClusterSpec::new(&request.required("DBClusterIdentifier")?.to_lowercase()).members(0).region(&request.region);
    spec.engine = request.required("Engine")?.to_owned();
    spec.engine_version = text("EngineVersion").unwrap_or(spec.engine_version);
    spec.engine_mode = text("EngineMode").unwrap_or(spec.engine_mode);
    spec.admin_username = request.required("MasterUsername")?.to_owned();
    spec.managed_master_secret = is_managed(request)?;
    spec.admin_password = if spec.managed_master_secret {
        SecretText::random_password().map_err(ApiError::of_the_machine)?.reveal().to_owned()
    } else {
        request.required("MasterUserPassword")?.to_owned()
    };
    spec.iam_authentication = request.flag("EnableIAMDatabaseAuthentication")?.unwrap_or(false);
    spec.limitless = request.get("ClusterScalabilityType") == Some("limitless");
    spec.database = text("DatabaseName").unwrap_or(spec.database);
    spec.parameter_group = request.get("DBClusterParameterGroupName").map(str::to_lowercase);
    if spec.engine != "aurora-postgresql" {
        return Err(ApiError::not_simulated(&format!("creating a cluster of the engine {}", spec.engine)));
    }
    let mut state = shared.state();
    new_cluster::add(&mut state, &shared.options, &spec)?;
    if spec.managed_master_secret {
        let key = request.get("MasterUserSecretKmsKeyId");
        master_secret::manage(&mut state, &spec.identifier, key).map_err(ApiError::of_the_machine)?;
    }
    let cluster = state.cluster_mut(&request.region, &spec.identifier)?;
    "creating".clone_into(&mut cluster.status);
    settings::take(&CLUSTER, request, &mut cluster.settings);
    take_security_groups(cluster, request);
    cluster.tags = tag_list(request);
    lifecycle::create(shared, cluster);
    Ok(answer(cluster))
}

/// Whether the call makes RDS manage the master user's password, and nothing in it contradicts that.
fn is_managed(request: &Request) -> Result<bool, ApiError> {
    let managed = request.flag("ManageMasterUserPassword")? == Some(true);
    if managed && request.get("MasterUserPassword").is_some() {
        return Err(ApiError::invalid_combination(
            "MasterUserPassword can't be specified when ManageMasterUserPassword is true.",
        ));
    }
    if !managed && request.get("MasterUserSecretKmsKeyId").is_some() {
        return Err(ApiError::invalid_combination(
            "MasterUserSecretKmsKeyId can be specified only when ManageMasterUserPassword is true.",
        ));
    }
    Ok(managed)
}

/// What a ModifyDBCluster changes about the managed password of a cluster.
fn master_change(request: &Request, cluster: &Cluster, immediately: bool) -> Result<Option<MasterChange>, ApiError> {
    let manages = is_managed(request)?;
    let is_managed = cluster.master_secret.is_some();
    let password = request.get("MasterUserPassword");
    if request.flag("RotateMasterUserPassword")? == Some(true) {
        if !(is_managed || manages) || !immediately {
            return Err(ApiError::invalid_combination(
                "RotateMasterUserPassword needs a password that RDS manages, and ApplyImmediately.",
            ));
        }
        return Ok(Some(if is_managed { MasterChange::Rotate } else { MasterChange::Manage }));
    }
    match (is_managed, request.flag("ManageMasterUserPassword")?, password) {
        (false, Some(true), _) => Ok(Some(MasterChange::Manage)),
        (true, Some(false), Some(password)) => Ok(Some(MasterChange::GiveUp(SecretText::new(password)))),
        (true, Some(false), None) => {
            Err(ApiError::invalid_combination("MasterUserPassword is required when ManageMasterUserPassword is false."))
        }
        (true, None, Some(_)) => Err(ApiError::invalid_combination("RDS manages the master user's password of this cluster.")),
        _ => Ok(None),
    }
}

fn take_security_groups(cluster: &mut Cluster, request: &Request) {
    let groups = request.list("VpcSecurityGroupIds");
    if !groups.is_empty() {
        cluster.security_groups = groups.iter().filter_map(|group| group.get("").map(|id| (*id).to_owned())).collect();
    }
}

pub(super) fn modify(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    let own = [
        "DBClusterIdentifier",
        "DBClusterParameterGroupName",
        "EnableIAMDatabaseAuthentication",
        "EngineVersion",
        "AllowMajorVersionUpgrade",
        "MasterUserPassword",
        "ManageMasterUserPassword",
        "RotateMasterUserPassword",
        "MasterUserSecretKmsKeyId",
        "VpcSecurityGroupIds",
        "ApplyImmediately",
    ];
    let known: Vec<&str> = own.into_iter().chain(settings::parameters(&CLUSTER)).collect();
    request.accept_only(&known)?;
    let immediately = request.flag("ApplyImmediately")?.unwrap_or(false);
    let mut state = shared.state();
    let cluster = state.cluster(&request.region, request.required("DBClusterIdentifier")?)?;
    let identifier = cluster.identifier.clone();
    if cluster.status != "available" {
        return Err(ApiError::cluster_state(&identifier, &cluster.status));
    }
    let version = request.get("EngineVersion").filter(|version| *version != cluster.engine_version);
    let family = version.map_or_else(|| cluster.family(), |version| cluster.family_of(version));
    let is_major = family != cluster.family();
    if is_major {
        if request.flag("AllowMajorVersionUpgrade")? != Some(true) {
            return Err(ApiError::invalid_combination("The AllowMajorVersionUpgrade flag must be present for a major upgrade."));
        }
        if !immediately {
            return Err(ApiError::not_simulated("a major upgrade that waits for the maintenance window"));
        }
        if cluster.postgres.as_ref().is_some_and(|postgres| postgres.reader().is_some()) {
            return Err(ApiError::not_simulated("a major upgrade of a cluster whose reader has a Postgres of its own"));
        }
    }
    let group = request.get("DBClusterParameterGroupName").map(str::to_lowercase);
    if is_major && group.is_none() && default_family(&cluster.parameter_group).is_none() {
        return Err(ApiError::custom_group(&cluster.parameter_group));
    }
    if let Some(group) = &group {
        let of_group = state.group_family(group).map_err(|_| ApiError::cluster_group_not_found(group))?;
        if of_group != family {
            return Err(ApiError::invalid_combination(format!(
                "The parameter group {group} with DBParameterGroupFamily {of_group} can't be used for this cluster. Use a parameter group with DBParameterGroupFamily {family}.",
            )));
        }
    }
    let master = master_change(request, state.cluster(&request.region, &identifier)?, immediately)?;
    if matches!(master, Some(MasterChange::Manage)) {
        let key = request.get("MasterUserSecretKmsKeyId");
        master_secret::manage(&mut state, &identifier, key).map_err(ApiError::of_the_machine)?;
    }
    let group = group.or_else(|| is_major.then(|| format!("default.{family}")));
    let cluster = state.cluster_mut(&request.region, &identifier)?;
    if let (Some(MasterChange::Rotate), Some(secret)) = (&master, &mut cluster.master_secret) {
        secret.status = "rotating";
    }
    let mut pend = |name: &str, value: &str| cluster.pending.insert(name.to_owned(), value.to_owned());
    if let Some(enabled) = request.flag("EnableIAMDatabaseAuthentication")? {
        pend("IAMDatabaseAuthenticationEnabled", &enabled.to_string());
    }
    if let Some(version) = version {
        pend("EngineVersion", version);
    }
    if let Some(password) = request.get("MasterUserPassword").filter(|_| master.is_none()) {
        pend("MasterUserPassword", password);
    }
    if let Some(days) = request.get("BackupRetentionPeriod") {
        pend("BackupRetentionPeriod", days);
    }
    let kept = cluster.settings.get("BackupRetentionPeriod").cloned();
    settings::take(&CLUSTER, request, &mut cluster.settings);
    // This change waits like an engine version.
    match kept {
        Some(days) => cluster.settings.insert("BackupRetentionPeriod".to_owned(), days),
        None => cluster.settings.remove("BackupRetentionPeriod"),
    };
    take_security_groups(cluster, request);
    if let Some(group) = group.as_ref().filter(|_| !is_major) {
        // The association changes at once, regardless of ApplyImmediately.
        lifecycle::attach_group(cluster, group);
    }
    lifecycle::modify(shared, cluster, immediately, master, group.filter(|_| is_major));
    Ok(answer(cluster))
}

pub(super) fn delete(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBClusterIdentifier", "SkipFinalSnapshot", "FinalDBSnapshotIdentifier", "DeleteAutomatedBackups"])?;
    let identifier = request.required("DBClusterIdentifier")?;
    if request.flag("SkipFinalSnapshot")? != Some(true) && request.get("FinalDBSnapshotIdentifier").is_none() {
        return Err(ApiError::invalid_combination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
        ));
    }
    let mut state = shared.state();
    let cluster = state.cluster_mut(&request.region, identifier)?;
    if cluster.settings.get("DeletionProtection").is_some_and(|on| on == "true") {
        return Err(ApiError::invalid_combination(
            "Cannot delete protected Cluster, please disable deletion protection and try again.",
        ));
    }
    if cluster.status != "available" || !cluster.members.is_empty() {
        return Err(ApiError::cluster_state(identifier, &cluster.status));
    }
    lifecycle::delete(shared, cluster);
    Ok(answer(cluster))
}

pub(super) fn fail_over(shared: &Arc<Shared>, request: &Request) -> Result<Xml, ApiError> {
    request.accept_only(&["DBClusterIdentifier", "TargetDBInstanceIdentifier"])?;
    let identifier = request.required("DBClusterIdentifier")?;
    let mut state = shared.state();
    let cluster = state.cluster_mut(&request.region, identifier)?;
    let target = request.get("TargetDBInstanceIdentifier");
    let ready = cluster.status == "available" && cluster.members.iter().all(|member| member.status == "available");
    if !ready {
        return Err(ApiError::cluster_state(identifier, &cluster.status));
    }
    if cluster.members.iter().all(|member| member.writer) {
        return Err(ApiError::no_readers(identifier));
    }
    let chosen = cluster
        .members
        .iter()
        .find(|member| !member.writer && target.is_none_or(|target| target == member.identifier))
        .map(|member| member.identifier.clone());
    let chosen = chosen.ok_or_else(|| ApiError::instance_not_found(target.unwrap_or_default()))?;
    lifecycle::fail_over(shared, cluster, &chosen);
    Ok(answer(cluster))
}
