//! What a look at a source sees. Pure.

use crate::catalogue::slot::Slot;
use crate::cluster;
use crate::failure::Outage;

/// A cluster with its parameter groups, and what affects a change of it.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    /// What is stored next to the state.
    pub(super) found: cluster::Observed,
    /// Only of a look for a change that would turn logical replication off.
    pub(super) slots: Slots,
    /// What the family allows; only of the plan of an update that changes parameters.
    pub(super) allowed: Option<cluster::Group>,
}

/// What is known of logical replication slots: with one left, Postgres does not start on a `wal_level` below logical.
#[derive(Clone, Debug)]
pub(super) enum Slots {
    /// They do not matter, or it is not known yet which server to ask.
    NotAsked,
    /// The provider's `postgres` names no server.
    NoServer,
    /// It names a server that is not known to be the cluster's writer.
    OtherServer { address: String },
    /// The server is unreachable, and the plan continues without it.
    OutOfReach(Outage),
    /// Those that exist.
    Found(Vec<Slot>),
}

impl From<cluster::Observed> for Observed {
    fn from(found: cluster::Observed) -> Self {
        Self { found, slots: Slots::NotAsked, allowed: None }
    }
}
