//! Managed resources. Each has its own folder, with one line here that declares it and one that registers it.
//!
//! [`change`] decides what is planned and run, for all of them; the server layer sees them as [`Resource`]s.

mod change;
mod contract;
mod identity;
mod planned_ahead;
mod timeouts;
mod titled;

pub(crate) mod aurora_source;
pub(crate) mod publication;
pub(crate) mod replica_identity;
pub(crate) mod replication_user;

/// Every resource, for a macro that takes their paths.
#[rustfmt::skip]
macro_rules! each_resource {
    ($with:ident) => {
        $with![
            $crate::resource::aurora_source::Source,
            $crate::resource::replication_user::ReplicationUser,
            $crate::resource::publication::Publication,
            $crate::resource::replica_identity::ReplicaIdentityOfTable,
        ]
    };
}
pub(crate) use each_resource;

pub(crate) use change::Engine;
pub(crate) use contract::{ApplyRequest, Existing, PlanRequest, Prior, PriorOf, Refreshed, Resource, Saved};
#[cfg(test)]
pub(crate) use contract::{ApplyRequestOf, Plan, PlanRequestOf};
#[cfg(test)]
pub(crate) use titled::Subject;
pub(crate) use titled::{Failed, Said};
