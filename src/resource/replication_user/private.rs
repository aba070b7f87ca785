//! What is stored beside the state, in clear: never a secret.

use serde::{Deserialize, Serialize};

use crate::resource::replication_user::observed::Observed;
use crate::resource::replication_user::operation::Operation;

/// The observation that Read made, and the planned operations on their way to apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Private {
    pub(crate) observed: Option<Observed>,
    /// `None`: they could not be known at plan.
    pub(crate) operations: Option<Vec<Operation>>,
}
