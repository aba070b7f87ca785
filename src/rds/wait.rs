//! Waits for changes that RDS completes later: clusters, their members and their parameter groups.

use std::time::Duration;

use super::client::Client;
use super::cluster::{Cluster, Member};
use super::parameter_group::Tags;
use super::patience::{Patience, Seen};
use super::status::{ClusterStatus, InstanceStatus, ParameterGroupStatus};
use crate::aws::Error;

/// How long an instance may take to begin its reboot.
const REBOOT_LIMIT: Duration = Duration::from_secs(15);
/// How long a member may take to report that it waits for a reboot, and tags to be seen.
const NOTICE_LIMIT: Duration = Duration::from_secs(60);

impl Client {
    /// Waits until the cluster is `available` and no member is applying parameters.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel, and a status that cannot become `available`.
    pub async fn wait_for_cluster_available(&self, identifier: &str, patience: &Patience) -> Result<Cluster, Error> {
        patience
            .until(&format!("cluster {identifier} to be available"), || async {
                let Some(cluster) = self.find_cluster(identifier).await? else {
                    return Ok(Seen::DeadEnd("the cluster no longer exists".to_owned()));
                };
                let applying =
                    cluster.members.iter().find(|member| member.parameter_group_status == ParameterGroupStatus::Applying);
                Ok(match (&cluster.status, applying) {
                    (ClusterStatus::Available, None) => Seen::Done(cluster),
                    (ClusterStatus::Available, Some(member)) => {
                        Seen::NotYet(format!("member {} is applying parameters", member.identifier))
                    }
                    (status, _) if status.is_dead_end() => Seen::DeadEnd(format!("cluster status {status}")),
                    (status, _) => Seen::NotYet(format!("cluster status {status}")),
                })
            })
            .await
    }

    /// Waits until the cluster reports this parameter group as attached and is available again.
    ///
    /// # Errors
    /// As [`Client::wait_for_cluster_available`].
    pub async fn wait_for_parameter_group_attached(
        &self,
        identifier: &str,
        group: &str,
        patience: &Patience,
    ) -> Result<Cluster, Error> {
        patience
            .until(&format!("cluster {identifier} to be attached to parameter group {group}"), || async {
                Ok(match self.find_cluster(identifier).await? {
                    None => Seen::DeadEnd("the cluster no longer exists".to_owned()),
                    Some(cluster) if cluster.parameter_group == group => Seen::Done(()),
                    Some(cluster) => Seen::NotYet(format!("attached to {}", cluster.parameter_group)),
                })
            })
            .await?;
        self.wait_for_cluster_available(identifier, patience).await
    }

    /// Waits until the cluster reports IAM database authentication as on or off, and is available again.
    ///
    /// # Errors
    /// As [`Client::wait_for_cluster_available`].
    pub async fn wait_for_iam_authentication(&self, identifier: &str, on: bool, patience: &Patience) -> Result<Cluster, Error> {
        let state = |on: bool| if on { "on" } else { "off" };
        patience
            .until(&format!("IAM database authentication of cluster {identifier} to be {}", state(on)), || async {
                Ok(match self.find_cluster(identifier).await? {
                    None => Seen::DeadEnd("the cluster no longer exists".to_owned()),
                    Some(cluster) if cluster.iam_authentication == on => Seen::Done(()),
                    Some(cluster) => Seen::NotYet(state(cluster.iam_authentication).to_owned()),
                })
            })
            .await?;
        self.wait_for_cluster_available(identifier, patience).await
    }

    /// Waits until a new parameter group is visible to other calls.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel.
    pub async fn wait_for_parameter_group(&self, group: &str, patience: &Patience) -> Result<(), Error> {
        patience
            .until(&format!("parameter group {group} to be visible"), || async {
                Ok(match self.find_parameter_group(group).await? {
                    Some(_) => Seen::Done(()),
                    None => Seen::NotYet("not found yet".to_owned()),
                })
            })
            .await
    }

    /// Waits until tags are seen as they were set and removed: what is restored later is decided by what is seen. If somebody else changes
    /// them at the same time, they are not seen like that within a minute; that is not an error.
    ///
    /// # Errors
    /// Any failed call, cancel.
    pub async fn wait_for_tags(&self, arn: &str, set: &Tags, removed: &[String], patience: &Patience) -> Result<(), Error> {
        let seen = patience
            .at_most(NOTICE_LIMIT)
            .until(&format!("the tags of {arn} to be visible"), || async {
                let tags = self.list_tags(arn).await?;
                let is_missing = set.iter().any(|(key, value)| tags.get(key) != Some(value));
                Ok(match is_missing || removed.iter().any(|key| tags.contains_key(key)) {
                    true => Seen::NotYet("as before".to_owned()),
                    false => Seen::Done(()),
                })
            })
            .await;
        match seen {
            Err(Error::TimedOut { .. }) => Ok(()),
            other => other,
        }
    }

    /// Waits until the instance is `available`.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel, and a status that cannot become `available`.
    pub async fn wait_for_instance_available(&self, identifier: &str, patience: &Patience) -> Result<(), Error> {
        patience
            .until(&format!("instance {identifier} to be available"), || async {
                Ok(match self.find_instance_status(identifier).await? {
                    Some(InstanceStatus::Available) => Seen::Done(()),
                    Some(status) if status.is_dead_end() => Seen::DeadEnd(format!("instance status {status}")),
                    Some(status) => Seen::NotYet(format!("instance status {status}")),
                    None => Seen::DeadEnd("the instance no longer exists".to_owned()),
                })
            })
            .await
    }

    /// Waits until the instance can be rebooted: `available`, or `incompatible-parameters`, which a reboot with fixed parameters
    /// ends.
    ///
    /// # Errors
    /// As [`Client::wait_for_instance_available`].
    pub async fn wait_for_instance_rebootable(&self, identifier: &str, patience: &Patience) -> Result<(), Error> {
        let awaited = format!("the status of instance {identifier}");
        match patience.through(&awaited, || self.find_instance_status(identifier)).await? {
            Some(InstanceStatus::IncompatibleParameters) => Ok(()),
            _ => self.wait_for_instance_available(identifier, patience).await,
        }
    }

    /// Waits until the member runs with the cluster's parameter group and is available.
    ///
    /// # Errors
    /// As [`Client::wait_for_instance_available`].
    pub async fn wait_for_member_in_sync(
        &self,
        cluster_identifier: &str,
        member: &str,
        patience: &Patience,
    ) -> Result<(), Error> {
        patience
            .until(&format!("member {member} of cluster {cluster_identifier} to be in-sync"), || async {
                let Some(Member { parameter_group_status, .. }) = self.find_member(cluster_identifier, member).await? else {
                    return Ok(Seen::DeadEnd("the member no longer exists".to_owned()));
                };
                Ok(match parameter_group_status {
                    ParameterGroupStatus::InSync => Seen::Done(()),
                    // A server that cannot start with its values never becomes in-sync.
                    status => match self.find_instance_status(member).await? {
                        Some(instance) if instance.is_dead_end() => Seen::DeadEnd(format!("instance status {instance}")),
                        _ => Seen::NotYet(format!("parameter group status {status}")),
                    },
                })
            })
            .await?;
        self.wait_for_instance_available(member, patience).await
    }

    /// Gives a member time to report that it waits for a reboot after a change that needs one: RDS informs members with a delay.
    /// A member that reports nothing within a minute is not an error.
    ///
    /// # Errors
    /// Any failed call, cancel.
    pub async fn wait_for_member_to_notice(
        &self,
        cluster_identifier: &str,
        member: &str,
        patience: &Patience,
    ) -> Result<(), Error> {
        let noticed = patience
            .at_most(NOTICE_LIMIT)
            .until(&format!("member {member} of cluster {cluster_identifier} to wait for a reboot"), || async {
                Ok(match self.find_member(cluster_identifier, member).await? {
                    Some(Member {
                        parameter_group_status: status @ (ParameterGroupStatus::InSync | ParameterGroupStatus::Applying),
                        ..
                    }) => Seen::NotYet(status.to_string()),
                    _ => Seen::Done(()),
                })
            })
            .await;
        match noticed {
            Err(Error::TimedOut { .. }) => Ok(()),
            other => other,
        }
    }

    /// Gives an instance time to begin the requested reboot: RDS may still show it as `available` for a moment. If it is never
    /// seen otherwise, the reboot was quick; that is not an error.
    ///
    /// # Errors
    /// Any failed call, cancel.
    pub async fn wait_for_reboot_to_begin(&self, identifier: &str, patience: &Patience) -> Result<(), Error> {
        let begun = patience
            .at_most(REBOOT_LIMIT)
            .until(&format!("the reboot of instance {identifier} to begin"), || async {
                Ok(match self.find_instance_status(identifier).await? {
                    Some(InstanceStatus::Available) => Seen::NotYet("available".to_owned()),
                    _ => Seen::Done(()),
                })
            })
            .await;
        match begun {
            Err(Error::TimedOut { .. }) => Ok(()),
            other => other,
        }
    }

    async fn find_member(&self, cluster_identifier: &str, member: &str) -> Result<Option<Member>, Error> {
        let cluster = self.find_cluster(cluster_identifier).await?;
        Ok(cluster.and_then(|cluster| cluster.members.into_iter().find(|found| found.identifier == member)))
    }
}
