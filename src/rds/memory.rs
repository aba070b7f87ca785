//! What a run remembers of RDS. It is forgotten with the provider's configuration, because one process may serve several runs.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::attachment::Attachment;
use super::cluster::Cluster;
use super::global::GlobalCluster;
use super::once::Once;
use super::parameter_group::{Parameter, ParameterGroup, Tags, Which};
use crate::aws::Error;

/// How long an answer about something that can change is used by other looks: a refresh that takes minutes looks again.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Parameters of a group, shared because there are hundreds.
pub(super) type Parameters = Arc<[Parameter]>;

/// What no change can alter: an engine version's family, and the groups that belong to AWS.
#[derive(Default)]
pub(super) struct Lasting {
    /// By engine and version.
    pub(super) families: Once<(String, String), String>,
    /// AWS's own groups, by name.
    pub(super) groups: Once<String, ParameterGroup>,
    /// The parameters of AWS's own groups, by name; `None` if they cannot be had.
    pub(super) defaults: Once<String, Option<Parameters>>,
    /// What groups of a family can set, by family; `None`: there is no such family.
    pub(super) engine_defaults: Once<String, Option<Parameters>>,
    /// Families of which a group was read as a whole.
    read_as_a_whole: Mutex<BTreeSet<String>>,
}

impl Lasting {
    /// Whether this is the first group of the family that is read as a whole.
    pub(super) fn is_first_of(&self, family: &str) -> bool {
        self.read_as_a_whole.lock().unwrap_or_else(PoisonError::into_inner).insert(family.to_owned())
    }
}

/// What the looks of one refresh or plan have seen of things that can change.
pub(super) struct Seen {
    since: Instant,
    looks: Mutex<BTreeSet<String>>,
    pub(super) clusters: Once<String, Cluster>,
    /// All global databases, or the refusal to list them.
    pub(super) globals: Once<(), Result<Arc<[GlobalCluster]>, Error>>,
    pub(super) groups: Once<String, ParameterGroup>,
    /// All groups of the region; `None` if this caller may not list them.
    pub(super) all_groups: Once<(), Option<Arc<[ParameterGroup]>>>,
    /// Which cluster has which group; `None` as above.
    pub(super) attachments: Once<(), Option<Arc<[Attachment]>>>,
    /// By ARN.
    pub(super) tags: Once<String, Tags>,
    pub(super) parameters: Once<(String, Which), Parameters>,
}

impl Seen {
    /// Nothing yet.
    pub(super) fn nothing() -> Self {
        Self {
            since: Instant::now(),
            looks: Mutex::default(),
            clusters: Once::default(),
            globals: Once::default(),
            groups: Once::default(),
            all_groups: Once::default(),
            attachments: Once::default(),
            tags: Once::default(),
            parameters: Once::default(),
        }
    }

    /// Whether it is recent enough to be used.
    pub(super) fn is_recent(&self) -> bool {
        self.since.elapsed() < REMEMBERED
    }

    /// Notes a look; false if the same look was made before, so that this one is to see what has changed since.
    pub(super) fn admits(&self, look: &str) -> bool {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).insert(look.to_owned())
    }
}
