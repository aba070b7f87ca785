//! Data sources. Each has its own file or folder, with one line here that declares it and one that registers it.

mod contract;

pub(crate) mod aurora_cluster;
pub(crate) mod publications;
pub(crate) mod readiness;
pub(crate) mod replication_slots;
pub(crate) mod static_ips;
pub(crate) mod tables;

/// Every data source, for a macro that takes their paths.
#[rustfmt::skip]
macro_rules! each_data_source {
    ($with:ident) => {
        $with![
            $crate::data_source::aurora_cluster::AuroraCluster,
            $crate::data_source::publications::Publications,
            $crate::data_source::readiness::Readiness,
            $crate::data_source::replication_slots::ReplicationSlots,
            $crate::data_source::static_ips::StaticIps,
            $crate::data_source::tables::Tables,
        ]
    };
}
pub(crate) use each_data_source;

pub(crate) use contract::{DataSource, Found};
