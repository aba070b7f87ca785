//! What a look at a source sees. Pure.

use std::borrow::Cow;

use super::schema::Source;
use crate::catalogue::slot::Slot;
use crate::cluster;
use crate::failure::Outage;
use crate::resource::change::Change;

/// A cluster with its parameter groups, and what affects a change of it.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    /// What is stored next to the state.
    pub(super) found: cluster::Observed,
    /// Only of a look for a change that would turn logical replication off.
    pub(super) slots: Slots,
    /// What the family allows; only of the plan of an update that changes parameters. No change can alter it.
    pub(super) allowed: Option<cluster::Group>,
    /// What the family of the major version to come allows; only of the plan of an update for which too little of that is stored. No
    /// change can alter it.
    pub(super) next_family: Option<cluster::NextFamily>,
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
        Self { found, slots: Slots::NotAsked, allowed: None, next_family: None }
    }
}

/// The observation from which operations are made, with all that is known of the parameters.
pub(super) fn basis<'a>(change: &Change<'a, Source>) -> Option<Cow<'a, cluster::Observed>> {
    let found = &change.basis()?.found;
    let (allowed, next_family) = change.now.map_or((None, None), |now| (now.allowed.as_ref(), now.next_family.as_ref()));
    if allowed.is_none() && next_family.is_none() {
        return Some(Cow::Borrowed(found));
    }
    let mut found = found.clone();
    if next_family.is_some() {
        found.next_family = next_family.cloned();
    }
    for (name, setting) in allowed.iter().flat_map(|allowed| &allowed.settings) {
        let known = found.attached.settings.entry(name.clone()).or_insert_with(|| setting.clone());
        // What is allowed is not stored, and in the first release the kind of value was not.
        known.allowed_values.clone_from(&setting.allowed_values);
        (known.kind, known.whole) = (setting.kind, setting.whole);
    }
    Some(Cow::Owned(found))
}
