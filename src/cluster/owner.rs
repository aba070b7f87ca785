//! The owner of a parameter group, and what a state records of our own. Pure.

use serde::{Deserialize, Serialize};

/// Whose a group is, as decided at a look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Owner {
    /// Not decided: only its tags are known.
    #[default]
    Unjudged,
    /// Ours.
    Ours {
        /// The group that was attached before it.
        previous: Option<String>,
        /// Whether a state records it. Otherwise a change that stopped half-way has left it, or somebody planted it.
        recorded: bool,
    },
    /// Somebody else's.
    Others,
    /// Tags and state contradict each other. What the state records is kept until that is settled.
    Disputed { recorded: Option<Record> },
}

impl Owner {
    pub(super) fn is_unjudged(&self) -> bool {
        *self == Self::Unjudged
    }
}

/// A group of ours, as a state records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) name: String,
    /// The group that was attached before it; `None` if only the tags say.
    pub(crate) previous: Option<String>,
}
