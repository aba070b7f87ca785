//! Clusters and their members: find, modify, reboot.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_rds::Config;
use aws_sdk_rds::config::retry::RetryConfig;
use aws_sdk_rds::types::{ClusterPendingModifiedValues, DbCluster, DbClusterMember, DbInstance};
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::instance::Instance;
use super::named::asked_for;
use super::patience::{Patience, Repeat};
use super::status::{ClusterStatus, InstanceStatus, ParameterGroupStatus};
use crate::aws::{Cause, Error};

/// An Aurora DB cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// `DBClusterIdentifier`.
    pub identifier: String,
    /// `DBClusterArn`.
    pub arn: String,
    /// `DbClusterResourceId`, which IAM policies of database logins name.
    pub resource_id: String,
    /// Engine, for example `aurora-postgresql`.
    pub engine: String,
    /// Engine version, for example `16.4`.
    pub engine_version: String,
    /// `provisioned`, or `serverless` for Serverless v1.
    pub engine_mode: String,
    /// `provisioned`, `limitless`, or empty.
    pub scalability_type: String,
    /// Status of the cluster.
    pub status: ClusterStatus,
    /// Name of the attached DB cluster parameter group.
    pub parameter_group: String,
    /// Members, sorted by identifier.
    pub members: Vec<Member>,
    /// Writer endpoint.
    pub endpoint: Option<String>,
    /// Reader endpoint.
    pub reader_endpoint: Option<String>,
    /// Port of both endpoints.
    pub port: Option<u16>,
    /// Name of the master user.
    pub master_username: Option<String>,
    /// ARN of the secret that RDS manages for the master user.
    pub master_user_secret_arn: Option<String>,
    /// Whether IAM database authentication is on.
    pub iam_authentication: bool,
    /// ARN of the cluster or instance that this cluster replicates.
    pub replication_source: Option<String>,
    /// Name of the global cluster, if RDS reports one.
    pub global_cluster_identifier: Option<String>,
    /// Pending changes that wait for the maintenance window, and that `ApplyImmediately` would apply.
    pub pending_modified_values: Vec<PendingValue>,
}

/// A DB instance of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// `DBInstanceIdentifier`.
    pub identifier: String,
    /// Whether it is currently the writer.
    pub writer: bool,
    /// Whether it runs with the cluster's parameter group.
    pub parameter_group_status: ParameterGroupStatus,
}

/// A cluster setting that will change in the maintenance window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingValue {
    /// Name of the setting as the API spells it.
    pub name: String,
    /// The new value; `<redacted>` for a password.
    pub value: String,
}

impl fmt::Display for PendingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, self.value)
    }
}

impl Cluster {
    /// The current writer.
    pub fn writer(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.writer)
    }

    /// Makes sure that it is the cluster with this resource id.
    ///
    /// # Errors
    /// [`Error::AnotherCluster`].
    pub fn expect(&self, resource_id: &str) -> Result<(), Error> {
        if self.resource_id == resource_id {
            return Ok(());
        }
        let (expected, found) = (resource_id.to_owned(), self.resource_id.clone());
        Err(Error::AnotherCluster { cluster: self.identifier.clone(), expected, found })
    }

    /// The pending changes apart from IAM database authentication becoming `iam_authentication`.
    pub fn others_pending(&self, iam_authentication: Option<bool>) -> impl Iterator<Item = &PendingValue> {
        let ours = iam_authentication.map(|on| on.to_string());
        self.pending_modified_values.iter().filter(move |pending| pending.name != IAM || Some(&pending.value) != ours.as_ref())
    }

    /// Whether a change that is applied at once may be sent: it is this cluster, and nothing else would be applied along.
    fn admits_a_change(&self, resource_id: &str, iam_authentication: Option<bool>) -> Result<(), Error> {
        self.expect(resource_id)?;
        let pending: Vec<String> = self.others_pending(iam_authentication).map(ToString::to_string).collect();
        if pending.is_empty() { Ok(()) } else { Err(Error::OtherChangesPending { cluster: self.identifier.clone(), pending }) }
    }

    pub(super) fn decode(cluster: DbCluster) -> Result<Self, Error> {
        let required = |value: Option<String>, field: &'static str| value.ok_or(Error::Incomplete { action: DESCRIBE, field });
        let mut members: Vec<Member> =
            cluster.db_cluster_members.unwrap_or_default().into_iter().filter_map(Member::decode).collect();
        members.sort_by(|a, b| a.identifier.cmp(&b.identifier));
        Ok(Self {
            identifier: required(cluster.db_cluster_identifier, "DBClusterIdentifier")?,
            arn: required(cluster.db_cluster_arn, "DBClusterArn")?,
            resource_id: required(cluster.db_cluster_resource_id, "DbClusterResourceId")?,
            engine: required(cluster.engine, "Engine")?,
            engine_version: required(cluster.engine_version, "EngineVersion")?,
            engine_mode: cluster.engine_mode.unwrap_or_else(|| "provisioned".to_owned()),
            scalability_type: cluster.cluster_scalability_type.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            status: ClusterStatus::from(required(cluster.status, "Status")?),
            parameter_group: required(cluster.db_cluster_parameter_group, "DBClusterParameterGroup")?,
            members,
            endpoint: cluster.endpoint,
            reader_endpoint: cluster.reader_endpoint,
            port: cluster.port.and_then(|port| u16::try_from(port).ok()),
            master_username: cluster.master_username,
            master_user_secret_arn: cluster.master_user_secret.and_then(|secret| secret.secret_arn),
            iam_authentication: cluster.iam_database_authentication_enabled.unwrap_or(false),
            replication_source: cluster.replication_source_identifier.filter(|source| !source.is_empty()),
            global_cluster_identifier: cluster.global_cluster_identifier.filter(|name| !name.is_empty()),
            pending_modified_values: cluster.pending_modified_values.map(pending_values).unwrap_or_default(),
        })
    }
}

impl Member {
    fn decode(member: DbClusterMember) -> Option<Self> {
        Some(Self {
            identifier: member.db_instance_identifier?,
            writer: member.is_cluster_writer.unwrap_or(false),
            parameter_group_status: ParameterGroupStatus::from(member.db_cluster_parameter_group_status.unwrap_or_default()),
        })
    }
}

fn pending_values(pending: ClusterPendingModifiedValues) -> Vec<PendingValue> {
    let mut values = BTreeMap::new();
    let mut add = |name: &'static str, value: Option<String>| {
        if let Some(value) = value {
            values.insert(name, value);
        }
    };
    add("DBClusterIdentifier", pending.db_cluster_identifier);
    add("MasterUserPassword", pending.master_user_password.map(|_| "<redacted>".to_owned()));
    add(IAM, pending.iam_database_authentication_enabled.map(|value| value.to_string()));
    add("EngineVersion", pending.engine_version);
    add("BackupRetentionPeriod", pending.backup_retention_period.map(|value| value.to_string()));
    add("StorageType", pending.storage_type);
    add("AllocatedStorage", pending.allocated_storage.map(|value| value.to_string()));
    add("Iops", pending.iops.map(|value| value.to_string()));
    add("CertificateDetails", pending.certificate_details.and_then(|details| details.ca_identifier));
    add("PendingCloudwatchLogsExports", pending.pending_cloudwatch_logs_exports.map(|_| "changed".to_owned()));
    add("RdsCustomClusterConfiguration", pending.rds_custom_cluster_configuration.map(|_| "changed".to_owned()));
    values.into_iter().map(|(name, value)| PendingValue { name: name.to_owned(), value }).collect()
}

/// The setting of IAM database authentication, as the API spells it among pending changes.
const IAM: &str = "IAMDatabaseAuthenticationEnabled";
pub(super) const DESCRIBE: &str = "DescribeDBClusters";
const DESCRIBE_INSTANCES: &str = "DescribeDBInstances";

/// A setting of a cluster that is changed at once.
#[derive(Clone, Copy)]
enum Setting<'a> {
    ParameterGroup {
        group: &'a str,
        /// What is wanted of IAM database authentication.
        iam_authentication: Option<bool>,
    },
    IamAuthentication(bool),
}

impl Client {
    /// Finds a cluster by its identifier.
    ///
    /// # Errors
    /// Any failed call; a cluster that does not exist is `None`.
    pub async fn find_cluster(&self, identifier: &str) -> Result<Option<Cluster>, Error> {
        let result = self.rds.describe_db_clusters().db_cluster_identifier(identifier).send().await;
        match self.answer(DESCRIBE, result) {
            Ok(output) => {
                let names = |cluster: &DbCluster| [cluster.db_cluster_identifier.clone(), cluster.db_cluster_arn.clone()];
                let clusters = output.db_clusters.unwrap_or_default();
                asked_for(DESCRIBE, identifier, clusters, names)?.map(Cluster::decode).transpose()
            }
            Err(error) if error.cause() == Cause::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Finds the status of an instance.
    ///
    /// # Errors
    /// Any failed call; an instance that does not exist is `None`.
    pub async fn find_instance_status(&self, identifier: &str) -> Result<Option<InstanceStatus>, Error> {
        Ok(self.find_instance(identifier).await?.map(|instance| instance.status))
    }

    /// Finds an instance by its identifier.
    ///
    /// # Errors
    /// Any failed call; an instance that does not exist is `None`.
    pub async fn find_instance(&self, identifier: &str) -> Result<Option<Instance>, Error> {
        let result = self.rds.describe_db_instances().db_instance_identifier(identifier).send().await;
        match self.answer(DESCRIBE_INSTANCES, result) {
            Ok(output) => {
                let names = |instance: &DbInstance| [instance.db_instance_identifier.clone(), None];
                let instances = output.db_instances.unwrap_or_default();
                Ok(asked_for(DESCRIBE_INSTANCES, identifier, instances, names)?.map(Instance::decode))
            }
            Err(error) if error.cause() == Cause::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Finds the parameter group family of an engine version.
    ///
    /// # Errors
    /// Any failed call, and an engine version that RDS does not list.
    pub async fn find_parameter_group_family(&self, engine: &str, engine_version: &str) -> Result<String, Error> {
        const ACTION: &str = "DescribeDBEngineVersions";
        let result = self
            .rds
            .describe_db_engine_versions()
            .engine(engine)
            .engine_version(engine_version)
            // A cluster may run a version that is no longer offered.
            .include_all(true)
            .send()
            .await;
        self.answer(ACTION, result)?
            .db_engine_versions
            .unwrap_or_default()
            .into_iter()
            .find_map(|version| version.db_parameter_group_family)
            .ok_or(Error::Incomplete { action: ACTION, field: "the parameter group family of the engine version" })
    }

    /// Attaches the parameter group at once to the cluster with this identifier and resource id. Retried while the cluster's
    /// state forbids it. ApplyImmediately would also apply what others left pending, so the cluster is described right before
    /// each attempt. `iam_authentication` is what is wanted of it: that may be pending.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel, [`Error::OtherChangesPending`], [`Error::AnotherCluster`].
    pub async fn attach_parameter_group(
        &self,
        identifier: &str,
        resource_id: &str,
        group: &str,
        iam_authentication: Option<bool>,
        patience: &Patience,
    ) -> Result<(), Error> {
        let setting = Setting::ParameterGroup { group, iam_authentication };
        self.modify_cluster(identifier, resource_id, setting, patience).await
    }

    /// Turns IAM database authentication on or off at once; otherwise as [`Client::attach_parameter_group`].
    ///
    /// # Errors
    /// As [`Client::attach_parameter_group`].
    pub async fn set_iam_authentication(
        &self,
        identifier: &str,
        resource_id: &str,
        on: bool,
        patience: &Patience,
    ) -> Result<(), Error> {
        self.modify_cluster(identifier, resource_id, Setting::IamAuthentication(on), patience).await
    }

    async fn modify_cluster(
        &self,
        identifier: &str,
        resource_id: &str,
        setting: Setting<'_>,
        patience: &Patience,
    ) -> Result<(), Error> {
        let iam_authentication = match setting {
            Setting::IamAuthentication(on) => Some(on),
            Setting::ParameterGroup { iam_authentication, .. } => iam_authentication,
        };
        patience
            .through_wrong_state(&format!("ModifyDBCluster for {identifier}"), Repeat::Always, || async {
                let cluster = self.find_cluster(identifier).await?;
                cluster.map_or(Ok(()), |cluster| cluster.admits_a_change(resource_id, iam_authentication))?;
                let call = self.changing().modify_db_cluster().db_cluster_identifier(identifier).apply_immediately(true);
                let call = match setting {
                    Setting::ParameterGroup { group, .. } => call.db_cluster_parameter_group_name(group),
                    Setting::IamAuthentication(on) => call.enable_iam_database_authentication(on),
                };
                // The SDK would repeat the call without another look.
                let once = Config::builder().retry_config(RetryConfig::disabled());
                let result = call.customize().config_override(once).send().await;
                self.answer("ModifyDBCluster", result).map(drop)
            })
            .await
    }

    /// Reboots an instance without failover. Retried while the instance's state forbids it, and while AWS throttles. An instance
    /// that is already rebooting counts as success: the answer to a first call may have been lost.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel.
    pub async fn reboot_instance(&self, identifier: &str, patience: &Patience) -> Result<(), Error> {
        patience
            // A call whose answer was lost may have had its effect: a second one could be a second outage.
            .through_wrong_state(&format!("RebootDBInstance for {identifier}"), Repeat::IfRefused, || async {
                let result = self.changing().reboot_db_instance().db_instance_identifier(identifier).send().await;
                match self.answer("RebootDBInstance", result).map(drop) {
                    Err(error) if error.cause() == Cause::WrongState => {
                        let awaited = format!("the status of instance {identifier}");
                        match patience.through(&awaited, || self.find_instance_status(identifier)).await? {
                            Some(InstanceStatus::Rebooting) => Ok(()),
                            _ => Err(error),
                        }
                    }
                    other => other,
                }
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Error;

    fn cluster(pending: &[(&str, &str)]) -> Cluster {
        let builder = DbCluster::builder()
            .db_cluster_identifier("shop")
            .db_cluster_arn("arn:aws:rds:eu-west-1:123456789012:cluster:shop")
            .db_cluster_resource_id("cluster-ABC")
            .engine("aurora-postgresql")
            .engine_version("16.4")
            .status("available")
            .db_cluster_parameter_group("default.aurora-postgresql16");
        let mut cluster = Cluster::decode(builder.build()).unwrap();
        let pending = pending.iter().map(|(name, value)| PendingValue { name: (*name).to_owned(), value: (*value).to_owned() });
        cluster.pending_modified_values = pending.collect();
        cluster
    }

    #[test]
    fn a_change_is_for_one_cluster_without_other_pending_changes() {
        cluster(&[]).admits_a_change("cluster-ABC", None).unwrap();
        let pending = cluster(&[("EngineVersion", "16.6"), ("Iops", "3000")]).admits_a_change("cluster-ABC", None).unwrap_err();
        assert_eq!(pending.to_string(), "other changes of cluster shop are pending: EngineVersion = 16.6, Iops = 3000");
        let another = cluster(&[]).admits_a_change("cluster-DEF", None).unwrap_err();
        assert!(matches!(another, Error::AnotherCluster { .. }), "{another}");
        let iam = cluster(&[("IAMDatabaseAuthenticationEnabled", "true")]);
        iam.admits_a_change("cluster-ABC", Some(true)).unwrap();
        assert!(iam.admits_a_change("cluster-ABC", Some(false)).is_err() && iam.admits_a_change("cluster-ABC", None).is_err());
    }
}
