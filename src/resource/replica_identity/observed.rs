//! What a look at a table sees, and what of it is stored next to the state. Pure.

use serde::{Deserialize, Serialize};

use super::desired::{self, Desired};
use super::schema::{ReplicaIdentityModel, ReplicaIdentityOfTable};
use crate::catalogue::publisher::Publisher;
use crate::catalogue::table_identity::{ReplicaIdentity, Table};
use crate::postgres::{ServerVersion, Site};
use crate::resource::Prior;
use crate::resource::change::Change;

/// A table, what it had before this resource, and what affects a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// Where it was seen.
    pub(super) site: Option<Site>,
    /// `None`: there is none with a replica identity.
    pub(super) table: Option<Found>,
    pub(super) before: Before,
    /// Only in a look for a change.
    pub(super) met: Option<Met>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(super) oid: u32,
    /// `schema.table`.
    pub(super) name: String,
    pub(super) identity: ReplicaIdentity,
}

/// What the table had before this resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Before {
    /// Not known: it was imported.
    #[default]
    Unknown,
    /// It can be restored.
    Known(ReplicaIdentity),
    /// It cannot be restored: its index is gone, or no longer fit.
    Lost(ReplicaIdentity),
}

impl Before {
    /// What it was, if that is known.
    pub(super) fn identity(&self) -> Option<&ReplicaIdentity> {
        match self {
            Self::Unknown => None,
            Self::Known(identity) | Self::Lost(identity) => Some(identity),
        }
    }
}

/// What affects a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Met {
    pub(super) version: ServerVersion,
    /// Whatever relation has the name; `None`: none has.
    pub(super) table: Option<Table>,
    pub(super) publishers: Vec<Publisher>,
}

/// What is stored next to the state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// Where the table was seen.
    pub(super) site: Option<Site>,
    pub(super) oid: Option<u32>,
    pub(super) identity: Option<ReplicaIdentity>,
    pub(super) before: Before,
}

/// The part of an observation that is stored.
pub(super) fn remember(observed: &Observed) -> Remembered {
    let table = observed.table.as_ref();
    Remembered {
        site: observed.site.clone(),
        oid: table.map(|table| table.oid),
        identity: table.map(|table| table.identity.clone()),
        before: observed.before.clone(),
    }
}

/// The observation that a state represents. Terraform passes no private data to the destroy of a tainted object: then the state alone
/// says what was before.
pub(super) fn recall(prior: &Prior<ReplicaIdentityModel, Desired>, remembered: Option<&Remembered>) -> Observed {
    let Prior { model, arguments } = prior;
    let Some(remembered) = remembered else {
        let before = desired::stored(&model.previous_identity, &model.previous_index, None).ok().flatten();
        return Observed { before: before.map_or(Before::Unknown, Before::Known), ..Observed::default() };
    };
    let identity = arguments.identity.clone();
    let table = remembered.oid.map(|oid| Found { oid, name: arguments.table.name(), identity });
    Observed { site: remembered.site.clone(), table, before: remembered.before.clone(), met: None }
}

/// What a destroy will find after a change; `None` for a create, which learns at apply what was before.
pub(super) fn foresee(change: &Change<'_, ReplicaIdentityOfTable>) -> Option<Observed> {
    change.before?;
    let (desired, recalled) = (change.after?, change.recalled?);
    let table = recalled.table.clone().map(|found| Found { identity: desired.identity.clone(), ..found });
    Some(Observed { table, met: None, ..recalled.clone() })
}
