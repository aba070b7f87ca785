//! What a test injects into future calls: faults instead of their effect, lags of their changes, and actions right before and
//! after them.

use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::service::Service;

/// A fault for calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// HTTP 400 `Throttling` (Secrets Manager: `ThrottlingException`), which SDKs retry.
    Throttling,
    /// HTTP 500 `InternalFailure` (Secrets Manager: `InternalServiceError`), which SDKs retry.
    InternalFailure,
    /// HTTP 503 `ServiceUnavailable`, which SDKs retry.
    ServiceUnavailable,
    /// HTTP 403 `AccessDenied` (Secrets Manager: 400 `AccessDeniedException`), which SDKs do not retry.
    AccessDenied,
    /// The KMS key cannot be reached: HTTP 400 `DecryptionFailure` of Secrets Manager, `KMSKeyNotAccessibleFault` of others.
    DecryptionFailure,
    /// HTTP 400 with the code by which this action refuses the current state of cluster, instance, parameter group or secret.
    WrongState,
    /// The connection is reset, and the call has no effect.
    ConnectionReset,
    /// The call has its effect, and the connection is reset instead of the answer.
    AnswerLost,
    /// No answer and no effect, until the faults are cleared (then the call is answered as usual) or the client gives up.
    Hang,
    /// The call has its effect, and no answer until the faults are cleared or the client gives up.
    AnswerHeld,
    /// The call has its effect, and its list has the same next page each time.
    MarkerRepeats,
    /// The call has its effect, and its list has another next page each time.
    MarkerNeverEnds,
    /// The call has its effect, and the answer is about an object named `another`.
    AnotherIdentifier,
    /// The call has its effect, and the answer says of no parameter whether it can be modified.
    NoIsModifiable,
}

impl Fault {
    /// The error in the answer; `None` for faults of the connection.
    pub(crate) fn error(self, service: Service, action: &str) -> Option<ApiError> {
        match self {
            Self::Throttling => Some(ApiError::throttling(service)),
            Self::InternalFailure => Some(ApiError::internal_failure(service)),
            Self::ServiceUnavailable => Some(ApiError::service_unavailable()),
            Self::AccessDenied => Some(ApiError::access_denied(service, action)),
            Self::DecryptionFailure => Some(ApiError::decryption_failure(service)),
            Self::WrongState => Some(ApiError::wrong_state(service, action)),
            Self::ConnectionReset | Self::AnswerLost | Self::Hang | Self::AnswerHeld => None,
            Self::MarkerRepeats | Self::MarkerNeverEnds | Self::AnotherIdentifier | Self::NoIsModifiable => None,
        }
    }

    /// Its name in the call log.
    pub(crate) fn name(self, service: Service, action: &str) -> String {
        self.error(service, action).map_or_else(|| format!("{self:?}"), |error| error.code.to_owned())
    }
}

/// Which calls get a fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// The action's name; `*`: any.
    pub action: String,
    /// What they get.
    pub fault: Fault,
    /// How many calls. An SDK makes three attempts by default.
    pub count: u32,
    /// How many matching calls pass first.
    #[serde(default)]
    pub skip: u32,
}

/// A lag between a call and its visibility: the next `reads` calls that read the cluster or parameter group do not see what a
/// call of `action` has changed, created or deleted. `ParameterGroupStatus` instead of an action: they do not see yet that the members of
/// a cluster wait for a reboot because parameters of its group were changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LagSpec {
    /// The action's name; `*`: any that changes something.
    pub action: String,
    /// How many Describe and List calls see the past.
    pub reads: u32,
}

/// What a library call runs when a call of the API arrives, or right after it has taken effect, before the answer is sent.
pub(crate) struct Hook {
    pub(crate) action: String,
    pub(crate) run: Box<dyn FnOnce() + Send>,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hook").field("action", &self.action).finish_non_exhaustive()
    }
}
