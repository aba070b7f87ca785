//! What is stored next to a state, in clear: never a secret. Pure.

use serde::{Deserialize, Serialize};

use super::impact::Impact;
use super::managed::Managed;

/// The private data of every resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "", default)]
pub(crate) struct Private<R: Managed> {
    /// What the last look saw and the state does not contain.
    pub(super) observed: Option<R::Stored>,
    /// The operations on their way to apply; `None`: they could not be known at plan, or there is no plan.
    pub(super) planned: Option<Vec<R::Operation>>,
    /// What they mean. It travels with them, so that a second plan gives the same answer.
    pub(super) impact: Option<Impact>,
    /// Fingerprint of the configuration last applied. If the configuration is the same and something differs, that is drift.
    pub(super) applied: Option<u64>,
    /// An import has named the object, and the next Read fills in its arguments.
    pub(super) importing: bool,
}

impl<R: Managed> Default for Private<R> {
    fn default() -> Self {
        Self { observed: None, planned: None, impact: None, applied: None, importing: false }
    }
}
