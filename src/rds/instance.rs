//! A DB instance, as far as it matters for a cluster. Pure.

use aws_sdk_rds::types::DbInstance;

use super::status::InstanceStatus;

/// A DB instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its engine, for example `postgres`.
    pub engine: String,
    /// The cluster that it is a member of; `None` for an instance outside clusters.
    pub cluster: Option<String>,
    /// Its status.
    pub status: InstanceStatus,
}

impl Instance {
    pub(super) fn decode(instance: DbInstance) -> Self {
        Self {
            engine: instance.engine.unwrap_or_default(),
            cluster: instance.db_cluster_identifier.filter(|cluster| !cluster.is_empty()),
            status: InstanceStatus::from(instance.db_instance_status.unwrap_or_default()),
        }
    }
}
