//! What a policy of the caller denies: an action on one object, or on all that it does not name.
//!
//! A policy that allows an action on some ARNs only denies a call without an identifier, because its resource is every object of
//! the kind. A filter in such a call changes nothing about that.

use super::error::ApiError;
use super::request::Request;

/// The parameters that name the object of a call, which a policy can name too.
const IDENTIFIERS: [&str; 3] = ["DBClusterIdentifier", "DBInstanceIdentifier", "DBClusterParameterGroupName"];

/// What is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    action: String,
    /// The object; `None`: calls that name none.
    identifier: Option<String>,
}

impl Denial {
    pub(crate) fn new(action: &str, identifier: Option<&str>) -> Self {
        Self { action: action.to_owned(), identifier: identifier.map(str::to_owned) }
    }

    fn concerns(&self, request: &Request) -> bool {
        let named = IDENTIFIERS.into_iter().find_map(|name| request.get(name));
        request.action == self.action && named.map(str::to_lowercase) == self.identifier
    }
}

/// Refuses a call that is denied.
pub(crate) fn admit(denials: &[Denial], request: &Request) -> Result<(), ApiError> {
    match denials.iter().any(|denial| denial.concerns(request)) {
        true => Err(ApiError::access_denied(request.service, &request.action)),
        false => Ok(()),
    }
}
