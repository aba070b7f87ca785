//! The contents of the simulated account: clusters with their members, parameter groups, tags, secrets, identities.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::account::ACCOUNT;
use super::catalogue::{self, Values};
use super::cluster_postgres::ClusterPostgres;
use super::error::ApiError;
use super::identities::Identities;
use super::secret::{Secret, SecretValue};
use super::secret_text::SecretText;
use super::spec::{ClusterSpec, GlobalMembership};

/// Everything that calls read and change.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) clusters: BTreeMap<String, Cluster>,
    pub(crate) groups: BTreeMap<String, ParameterGroup>,
    pub(crate) identities: Identities,
    /// By their ARNs.
    pub(crate) secrets: BTreeMap<String, Secret>,
    pub(crate) next_id: u64,
}

/// A DB cluster.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) identifier: String,
    pub(crate) region: String,
    pub(crate) arn: String,
    pub(crate) resource_id: String,
    /// When it was created, as the API writes it.
    pub(crate) created: String,
    pub(crate) engine: String,
    pub(crate) engine_version: String,
    pub(crate) engine_mode: String,
    pub(crate) status: String,
    pub(crate) parameter_group: String,
    pub(crate) iam_authentication: bool,
    pub(crate) database: String,
    pub(crate) master_username: String,
    /// The one on the server.
    pub(crate) master_password: SecretText,
    /// Where RDS keeps the master user's password, if RDS manages it.
    pub(crate) master_secret: Option<MasterSecret>,
    pub(crate) host: String,
    pub(crate) reader_host: String,
    pub(crate) port: u16,
    pub(crate) members: Vec<Member>,
    pub(crate) security_groups: Vec<String>,
    /// Settings that are only stored and returned, by the name of the parameter that sets them.
    pub(crate) settings: BTreeMap<String, String>,
    /// Why the last major upgrade failed.
    pub(crate) upgrade_failure: Option<String>,
    /// Pending changes, by the name of the API's field.
    pub(crate) pending: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) global: Option<GlobalMembership>,
    pub(crate) replication_source: Option<String>,
    /// The spec that it was created from.
    pub(crate) spec: ClusterSpec,
    /// `None` for clusters that are only described.
    pub(crate) postgres: Option<Arc<ClusterPostgres>>,
}

/// `MasterUserSecret` of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct MasterSecret {
    pub(crate) arn: String,
    /// `creating`, `active`, `rotating` or `impaired`.
    pub(crate) status: &'static str,
    pub(crate) kms_key: String,
}

/// A DB instance of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) identifier: String,
    pub(crate) resource_id: String,
    pub(crate) writer: bool,
    pub(crate) status: String,
    pub(crate) parameter_group_status: String,
    /// The group that this member started with; its dynamic parameters apply at once.
    pub(crate) group_in_effect: String,
    /// The user-set values that this member runs with.
    pub(crate) values: Values,
    /// Settings that are only stored and returned, by the name of the parameter that sets them.
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A custom cluster parameter group.
#[derive(Debug, Clone)]
pub(crate) struct ParameterGroup {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) family: String,
    pub(crate) description: String,
    pub(crate) values: BTreeMap<String, UserValue>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// The user-set values of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserValue {
    pub(crate) value: String,
    pub(crate) apply_method: String,
}

impl Cluster {
    /// The family of the cluster's engine version.
    pub(crate) fn family(&self) -> String {
        self.family_of(&self.engine_version)
    }

    /// The family of another version of the cluster's engine.
    pub(crate) fn family_of(&self, version: &str) -> String {
        format!("{}{}", self.engine, version.split('.').next().unwrap_or_default())
    }

    pub(crate) fn is_serverless_v1(&self) -> bool {
        self.engine_mode == "serverless"
    }

    /// Whether it is not a copy of another cluster: neither a replica nor a secondary of a global database.
    pub(crate) fn can_have_writer(&self) -> bool {
        self.replication_source.is_none() && self.global.as_ref().is_none_or(|global| global.primary_arn.is_none())
    }

    /// Puts a Postgres behind the cluster.
    pub(crate) fn connect(&mut self, postgres: Arc<ClusterPostgres>) {
        "127.0.0.1".clone_into(&mut self.host);
        "127.0.0.2".clone_into(&mut self.reader_host);
        self.port = postgres.port();
        self.postgres = Some(postgres);
    }

    pub(crate) fn writer(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.writer)
    }

    pub(crate) fn member_mut(&mut self, identifier: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.identifier == identifier)
    }

    pub(crate) fn instance_arn(&self, member: &Member) -> String {
        format!("arn:aws:rds:{}:{ACCOUNT}:db:{}", self.region, member.identifier)
    }
}

impl State {
    /// The cluster of this identifier or ARN in a region.
    pub(crate) fn cluster(&self, region: &str, identifier: &str) -> Result<&Cluster, ApiError> {
        // Identifiers are stored in lower case.
        let wanted = identifier.to_lowercase();
        self.clusters
            .values()
            .find(|cluster| cluster.region == region && (cluster.identifier == wanted || cluster.arn == identifier))
            .ok_or_else(|| ApiError::cluster_not_found(identifier))
    }

    pub(crate) fn cluster_mut(&mut self, region: &str, identifier: &str) -> Result<&mut Cluster, ApiError> {
        let key = self.cluster(region, identifier)?.identifier.clone();
        self.clusters.get_mut(&key).ok_or_else(|| ApiError::cluster_not_found(identifier))
    }

    /// Removes a cluster, and the secret that RDS manages for it.
    pub(crate) fn remove_cluster(&mut self, identifier: &str) -> Option<Cluster> {
        let cluster = self.clusters.remove(identifier)?;
        if let Some(secret) = &cluster.master_secret {
            self.secrets.remove(&secret.arn);
        }
        Some(cluster)
    }

    pub(crate) fn cluster_of_instance(&self, region: &str, instance: &str) -> Result<&Cluster, ApiError> {
        self.clusters
            .values()
            .filter(|cluster| cluster.region == region)
            .find(|cluster| cluster.members.iter().any(|member| member.identifier == instance))
            .ok_or_else(|| ApiError::instance_not_found(instance))
    }

    pub(crate) fn group_mut(&mut self, name: &str) -> Result<&mut ParameterGroup, ApiError> {
        if default_family(name).is_some() {
            return Err(ApiError::invalid_value(format!("{name} is a default parameter group and cannot be modified.")));
        }
        self.groups.get_mut(name).ok_or_else(|| ApiError::group_not_found(name))
    }

    /// The family of a custom or default group.
    pub(crate) fn group_family(&self, name: &str) -> Result<String, ApiError> {
        default_family(name)
            .or_else(|| self.groups.get(name).map(|group| group.family.clone()))
            .ok_or_else(|| ApiError::group_not_found(name))
    }

    /// The user-set values of a group; none for a default group.
    pub(crate) fn group_values(&self, name: &str) -> Values {
        self.groups
            .get(name)
            .map(|group| group.values.iter().map(|(name, set)| (name.clone(), set.value.clone())).collect())
            .unwrap_or_default()
    }

    /// The secret of this name or ARN in a region.
    pub(crate) fn secret(&self, region: &str, id: &str) -> Option<&Secret> {
        self.secrets.values().find(|secret| secret.region == region && secret.is_named(id))
    }

    /// Creates a secret without a version, and returns its ARN.
    pub(crate) fn add_secret(&mut self, region: &str, name: &str) -> anyhow::Result<String> {
        let secret = Secret::new(region, name)?;
        let arn = secret.arn.clone();
        self.secrets.insert(arn.clone(), secret);
        Ok(arn)
    }

    /// Adds a version to the secret of this ARN, which becomes the current one.
    pub(crate) fn put_secret_value(&mut self, arn: &str, value: SecretValue, created: f64) -> anyhow::Result<()> {
        self.secrets.get_mut(arn).map_or(Ok(()), |secret| secret.put(value, created))
    }

    /// A number that no other object of this account has.
    pub(crate) fn unique(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// The tags of the cluster, instance or group with this ARN.
    pub(crate) fn tags(&self, arn: &str) -> Result<&BTreeMap<String, String>, ApiError> {
        for cluster in self.clusters.values() {
            if cluster.arn == arn {
                return Ok(&cluster.tags);
            }
            if let Some(member) = cluster.members.iter().find(|member| cluster.instance_arn(member) == arn) {
                return Ok(&member.tags);
            }
        }
        self.groups.values().find(|group| group.arn == arn).map(|group| &group.tags).ok_or_else(|| nothing_of_arn(arn))
    }

    /// The same, mutable.
    pub(crate) fn tags_mut(&mut self, arn: &str) -> Result<&mut BTreeMap<String, String>, ApiError> {
        for cluster in self.clusters.values_mut() {
            if cluster.arn == arn {
                return Ok(&mut cluster.tags);
            }
            let found = cluster.members.iter().position(|member| cluster.instance_arn(member) == arn);
            if let Some(index) = found {
                return Ok(&mut cluster.members[index].tags);
            }
        }
        self.groups.values_mut().find(|group| group.arn == arn).map(|group| &mut group.tags).ok_or_else(|| nothing_of_arn(arn))
    }
}

fn nothing_of_arn(arn: &str) -> ApiError {
    if arn.contains(":cluster-pg:") {
        ApiError::group_not_found(arn)
    } else if arn.contains(":db:") {
        ApiError::instance_not_found(arn)
    } else {
        ApiError::cluster_not_found(arn)
    }
}

/// The family of a `default.*` group; `None` for other names.
pub(crate) fn default_family(name: &str) -> Option<String> {
    let family = name.strip_prefix("default.")?;
    catalogue::family_major(family).map(|_| family.to_owned())
}
