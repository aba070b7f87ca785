//! The reboots of a cluster's members: their order, and what is awaited before and after each.

use crate::aws;
use crate::rds::{Client, Cluster, ParameterGroupStatus, Patience};

/// Why a reboot failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RebootError {
    /// A call or a wait failed.
    #[error(transparent)]
    Aws(#[from] aws::Error),
    /// There is no writer to reboot.
    #[error("cluster {cluster} has no writer")]
    NoWriter { cluster: String },
    /// After a failover, the writer is a member that still waits for its reboot.
    #[error("the writer {writer} of cluster {cluster} does not run with the values of its parameter group: {status}")]
    WriterWaits { cluster: String, writer: String, status: ParameterGroupStatus },
}

/// The reboots of one cluster.
pub(crate) struct Reboots<'a> {
    pub(crate) client: &'a Client,
    /// The cluster's identifier.
    pub(crate) cluster: &'a str,
    /// Its resource id: another cluster with the same identifier is not rebooted.
    pub(crate) resource_id: &'a str,
    pub(crate) patience: &'a Patience,
    /// Whether a change was made before that members apply only at a reboot.
    pub(crate) statics_changed: bool,
}

impl Reboots<'_> {
    /// Reboots the current writer. A cluster without members has nothing to reboot.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel, and no writer.
    pub(crate) async fn writer(&self) -> Result<(), RebootError> {
        let cluster = self.available().await?;
        match cluster.writer() {
            Some(writer) => Ok(Box::pin(self.reboot(&writer.identifier)).await?),
            None if cluster.members.is_empty() => Ok(()),
            None => Err(no_writer(cluster)),
        }
    }

    /// Reboots the current writer if it waits for that. After a change that needs a reboot, it gets time to report it.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel, and no writer.
    pub(crate) async fn writer_if_waiting(&self) -> Result<(), RebootError> {
        let cluster = self.available().await?;
        let Some(writer) = cluster.writer() else {
            return if cluster.members.is_empty() { Ok(()) } else { Err(no_writer(cluster)) };
        };
        if self.statics_changed {
            self.client.wait_for_member_to_notice(self.cluster, &writer.identifier, self.patience).await?;
        }
        // The wait may have ended with a failover.
        let cluster = self.available().await?;
        let Some(writer) = cluster.writer() else { return Err(no_writer(cluster)) };
        if writer.parameter_group_status == ParameterGroupStatus::InSync {
            tracing::info!(instance = writer.identifier, "is in-sync and needs no reboot");
            return Ok(());
        }
        Ok(Box::pin(self.reboot(&writer.identifier)).await?)
    }

    /// Reboots each member that still waits, one at a time. Members that restarted together with the writer are skipped. So is a
    /// member that became the writer since, unless the reboot of every member was allowed.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel.
    pub(crate) async fn others(&self, writer_too: bool) -> Result<(), aws::Error> {
        let cluster = self.available().await?;
        for member in &cluster.members {
            Box::pin(self.member(&member.identifier, writer_too)).await?;
        }
        Ok(())
    }

    async fn member(&self, instance: &str, writer_too: bool) -> Result<(), aws::Error> {
        let cluster = self.available().await?;
        match cluster.members.iter().find(|member| member.identifier == instance) {
            Some(member) if member.parameter_group_status == ParameterGroupStatus::InSync => {
                tracing::info!(instance, "is in-sync and needs no reboot");
                Ok(())
            }
            Some(member) if member.writer && !writer_too => {
                tracing::info!(instance, "is the writer now, whose reboot was not planned");
                Ok(())
            }
            Some(_) => Box::pin(self.reboot(instance)).await,
            None => {
                tracing::info!(instance, "is no longer a member");
                Ok(())
            }
        }
    }

    /// Waits until a rebooted member is available and runs with the values of its parameter group.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel.
    pub(crate) async fn settled(&self, instance: &str) -> Result<(), aws::Error> {
        let Self { client, cluster, patience, .. } = self;
        client.wait_for_reboot_to_begin(instance, patience).await?;
        client.wait_for_member_in_sync(cluster, instance, patience).await
    }

    /// Makes sure, after the last reboot, that the writer runs with the values of the group.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel, no writer, and one that still waits.
    pub(crate) async fn check_writer(&self) -> Result<(), RebootError> {
        let cluster = self.available().await?;
        if cluster.members.is_empty() {
            return Ok(());
        }
        let Some(writer) = cluster.writer() else { return Err(no_writer(cluster)) };
        if writer.parameter_group_status == ParameterGroupStatus::InSync {
            return Ok(());
        }
        let (writer, status) = (writer.identifier.clone(), writer.parameter_group_status.clone());
        Err(RebootError::WriterWaits { cluster: cluster.identifier, writer, status })
    }

    /// The cluster, once it is available.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel, and another cluster.
    pub(crate) async fn available(&self) -> Result<Cluster, aws::Error> {
        let cluster = self.client.wait_for_cluster_available(self.cluster, self.patience).await?;
        cluster.expect(self.resource_id)?;
        Ok(cluster)
    }

    /// Waits until the cluster is available, and gives the writer time to report that it waits for a reboot, after a change that needs
    /// one.
    ///
    /// # Errors
    /// Any failed call, timeout, cancel, and another cluster.
    pub(crate) async fn noticed(&self) -> Result<(), aws::Error> {
        let cluster = self.available().await?;
        match cluster.writer().filter(|_| self.statics_changed) {
            Some(writer) => self.client.wait_for_member_to_notice(self.cluster, &writer.identifier, self.patience).await,
            None => Ok(()),
        }
    }

    async fn reboot(&self, instance: &str) -> Result<(), aws::Error> {
        let Self { client, cluster, patience, .. } = self;
        client.wait_for_instance_rebootable(instance, patience).await?;
        if self.statics_changed {
            client.wait_for_member_to_notice(cluster, instance, patience).await?;
        }
        client.reboot_instance(instance, patience).await?;
        client.wait_for_member_in_sync(cluster, instance, patience).await
    }
}

fn no_writer(cluster: Cluster) -> RebootError {
    RebootError::NoWriter { cluster: cluster.identifier }
}
