//! The engine of planned operations, shared by all resources: what was reviewed is what runs.
//!
//! A resource provides its own part ([`Managed`], and [`InDatabase`] if it lives in a database). The engine decides, for all of
//! them, what is stored next to the state, which list of operations counts, when it is known, which of them still run, what makes
//! a plan stale, what is tried again, and which messages practitioners see.

mod cluster;
mod deadline;
mod decide;
mod engine;
mod free;
mod impact;
mod in_database;
mod managed;
mod message;
mod ours;
mod plan;
mod private;
#[cfg(test)]
pub(crate) mod rehearsal;
mod short_waits;
mod sighting;
mod terms;
#[cfg(test)]
mod tests;
mod trial;

pub(crate) use decide::Decision;
pub(crate) use engine::Engine;
pub(crate) use free::until_free;
pub(crate) use impact::{Effect, ImpactModel, LockMode, OnDestroy, Restarts};
pub(crate) use in_database::{InDatabase, execute, is_taken_up, look, replacements, server, turn_of};
pub(crate) use managed::{Change, Done, Look, Managed, Proposal, Seen, Stopped, Work};
pub(crate) use message::{already_exists, moved, not_destroyed, notice, unmet};
pub(crate) use ours::{elsewhere, same_oid, stranger};
pub(crate) use short_waits::ShortWaits;
pub(crate) use sighting::{Sighting, Stranger, oid_here};
pub(crate) use terms::{
    Findings, ManagedModel, Moment, Purpose, Remaining, Replacement, Unplanned, fingerprint, lines, managed_model,
};
pub(crate) use trial::{Refused, Trial};
