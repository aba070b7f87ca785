//! What can go wrong when AWS is called: its error codes as a short table of causes.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_rds::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::permission::permission;

/// The HTTP statuses from here on say that the server failed.
const FIRST_SERVER_ERROR: u16 = 500;

/// Why something below failed; shared, because several callers may wait for the same answer.
type Source = Arc<dyn std::error::Error + Send + Sync>;

/// A failed AWS call or wait.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// AWS answered with an error code.
    #[error("{action} failed: AWS answered {code}: {message}{}", access_hint(action, code, message))]
    Api {
        /// The API action, for example `ModifyDBCluster`.
        action: &'static str,
        /// The AWS error code.
        code: String,
        /// The message from AWS.
        message: String,
        /// HTTP status of the answer.
        status: u16,
    },
    /// No answer came: the address does not resolve, nothing listens, TLS failed, or the attempt timed out.
    #[error("{action} failed: {endpoint} cannot be reached")]
    Unreachable {
        /// The API action.
        action: &'static str,
        /// The endpoint that was called.
        endpoint: String,
        /// The transport's error.
        #[source]
        source: Source,
    },
    /// The answer cannot be decoded. Proxies and servers other than AWS send such answers.
    #[error("{action} failed: the answer does not come from the AWS API (HTTP status {status})")]
    Unreadable {
        /// The API action.
        action: &'static str,
        /// HTTP status of the answer.
        status: u16,
        /// The decoder's error.
        #[source]
        source: Source,
    },
    /// No credentials were found, or they could not be used to sign the call.
    #[error("{action} failed: no usable AWS credentials")]
    Credentials {
        /// The API action.
        action: &'static str,
        /// The credential chain's error.
        #[source]
        source: Source,
    },
    /// Neither the settings, the environment nor the shared files name a region.
    #[error(
        "no AWS region is known: set `region` in the provider's `aws`, the environment variable AWS_REGION, or a region in the profile"
    )]
    NoRegion,
    /// A login token contains host and port of an RDS endpoint. This host and port cannot be written in one.
    #[error("cannot sign an IAM token for {host:?}, port {port}: this is not an RDS endpoint")]
    NotSignable {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// The answer lacks something that AWS always sends.
    #[error("the answer to {action} lacks {field}")]
    Incomplete {
        /// The API action.
        action: &'static str,
        /// What is missing.
        field: &'static str,
    },
    /// The answer is about another object than the call.
    #[error("the answer to {action} is about {answered:?}, but the call was about {asked:?}")]
    AnotherObject {
        /// The API action.
        action: &'static str,
        /// The identifier that was asked for.
        asked: String,
        /// The identifier in the answer.
        answered: String,
    },
    /// A list whose pages do not end.
    #[error("the list that answers {action} does not end: {fault}")]
    EndlessList {
        /// The API action.
        action: &'static str,
        /// What is wrong with its pages.
        fault: String,
    },
    /// The call would also apply changes that others left pending.
    #[error("other changes of cluster {cluster} are pending: {}", pending.join(", "))]
    OtherChangesPending {
        /// The cluster's identifier.
        cluster: String,
        /// The changes, as `name = value`.
        pending: Vec<String>,
    },
    /// Under the identifier there is another cluster than before.
    #[error("cluster {cluster} has the resource id {found}, but the change was decided for {expected}")]
    AnotherCluster {
        /// The cluster's identifier.
        cluster: String,
        /// The resource id of the cluster that the change is for.
        expected: String,
        /// The resource id in the last answer.
        found: String,
    },
    /// What was waited for did not happen in time.
    #[error("timed out after {} waiting for {awaited}; last seen: {seen}", humantime::format_duration(*after))]
    TimedOut {
        /// What was waited for.
        awaited: String,
        /// How long, in whole seconds.
        after: Duration,
        /// The last state seen.
        seen: String,
    },
    /// What was waited for can no longer happen without manual intervention.
    #[error("gave up waiting for {awaited}: {seen}")]
    DeadEnd {
        /// What was waited for.
        awaited: String,
        /// The state that rules it out.
        seen: String,
    },
    /// The operation was cancelled.
    #[error("cancelled while waiting for {awaited}")]
    Cancelled {
        /// What was waited for.
        awaited: String,
    },
}

/// Why an API call failed, as far as callers act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The cluster, instance, parameter group or secret does not exist.
    NotFound,
    /// A parameter group with this name already exists.
    AlreadyExists,
    /// The parameter group is attached to a cluster, or being changed.
    InUse,
    /// The cluster or instance is not in a state that allows the call.
    WrongState,
    /// AWS throttles the calls: the call had no effect.
    Throttled,
    /// AWS cannot answer at the moment (HTTP status 5xx). The call may have had its effect.
    Unavailable,
    /// The caller is not allowed to do this.
    AccessDenied,
    /// The credentials are unknown, expired or wrongly signed.
    BadCredentials,
    /// Anything else.
    Other,
}

impl Error {
    /// The cause of a failed API call; everything that is not an answer of AWS is [`Cause::Other`].
    pub fn cause(&self) -> Cause {
        match self {
            Self::Api { code, status, .. } => match cause_of(code) {
                Cause::Other if *status >= FIRST_SERVER_ERROR => Cause::Unavailable,
                cause => cause,
            },
            Self::Unreadable { status, .. } if *status >= FIRST_SERVER_ERROR => Cause::Unavailable,
            Self::Credentials { .. } => Cause::BadCredentials,
            _ => Cause::Other,
        }
    }

    /// Whether the same call may succeed later without anything being changed.
    pub fn may_pass(&self) -> bool {
        self.is_unreachable() || matches!(self.cause(), Cause::Throttled | Cause::Unavailable)
    }

    /// Whether AWS knows the action, but not what it was asked about, such as the name of a family.
    pub fn is_invalid_value(&self) -> bool {
        matches!(self, Self::Api { code, .. } if code == "InvalidParameterValue")
    }

    /// Whether AWS could not be reached, as opposed to an answer that refuses.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    pub(crate) fn from_sdk<E>(
        action: &'static str,
        endpoint: &str,
        error: SdkError<E, aws_sdk_rds::config::http::HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let endpoint = endpoint.to_owned();
        match error {
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                let fault = answer.into_err();
                match (fault.code(), fault.message()) {
                    (Some(code), message) => {
                        let message = message.unwrap_or("(no message)").to_owned();
                        Self::Api { action, code: code.to_owned(), message, status }
                    }
                    (None, _) => Self::Unreadable { action, status, source: Arc::new(fault) },
                }
            }
            SdkError::ResponseError(answer) => {
                let status = answer.raw().status().as_u16();
                Self::Unreadable { action, status, source: Arc::new(SdkError::<E, _>::ResponseError(answer)) }
            }
            // A failure before the connector is called comes from the search for credentials or from signing.
            SdkError::DispatchFailure(failure) if failure.is_other() => {
                Self::of_credentials(action, source_of(SdkError::<E, _>::DispatchFailure(failure)))
            }
            SdkError::ConstructionFailure(failure) => {
                Self::of_credentials(action, source_of(SdkError::<E, _>::ConstructionFailure(failure)))
            }
            other => Self::Unreachable { action, endpoint, source: source_of(other).into() },
        }
    }

    /// There are no credentials, or the service that provides them (STS, SSO) cannot be reached.
    pub(super) fn of_credentials(action: &'static str, source: BoxError) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(source.as_ref());
        while let Some(error) = cause {
            let connector = error.downcast_ref::<ConnectorError>();
            // A timeout has a different type in each service, and another one for the whole search.
            if connector.is_some_and(|error| error.is_io() || error.is_timeout()) || error.to_string().contains("timed out") {
                return Self::Unreachable {
                    action,
                    endpoint: "the service that provides the credentials".to_owned(),
                    source: source.into(),
                };
            }
            cause = error.source();
        }
        Self::Credentials { action, source: source.into() }
    }
}

fn source_of<E>(error: SdkError<E, aws_sdk_rds::config::http::HttpResponse>) -> BoxError
where
    E: std::error::Error + Send + Sync + 'static,
{
    error.into_source().unwrap_or_else(|error| Box::new(error))
}

fn access_hint(action: &str, code: &str, message: &str) -> String {
    match cause_of(code) {
        Cause::AccessDenied => format!(" (the caller needs the permission {})", denied(message).unwrap_or(permission(action))),
        _ => String::new(),
    }
}

/// The permission that AWS names itself: a call may need others than that of its own name, such as one for tags.
fn denied(message: &str) -> Option<String> {
    let named = message.split_once("is not authorized to perform: ")?.1.split_whitespace().next()?;
    named.contains(':').then(|| named.to_owned())
}

fn cause_of(code: &str) -> Cause {
    match code {
        "DBClusterNotFoundFault"
        | "DBInstanceNotFound"
        | "DBParameterGroupNotFound"
        | "GlobalClusterNotFoundFault"
        | "ResourceNotFoundException" => Cause::NotFound,
        "DBParameterGroupAlreadyExists" => Cause::AlreadyExists,
        "InvalidDBParameterGroupState" => Cause::InUse,
        "InvalidDBClusterStateFault" | "InvalidDBInstanceState" => Cause::WrongState,
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "TooManyRequestsException" => Cause::Throttled,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Cause::AccessDenied,
        "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "MissingAuthenticationToken"
        | "IncompleteSignature"
        | "UnrecognizedClientException" => Cause::BadCredentials,
        _ => Cause::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(code: &str) -> Error {
        Error::Api { action: "ModifyDBCluster", code: code.to_owned(), message: "no".to_owned(), status: 400 }
    }

    #[test]
    fn codes_are_matched_not_texts() {
        assert_eq!(api("DBClusterNotFoundFault").cause(), Cause::NotFound);
        assert_eq!(api("InvalidDBInstanceState").cause(), Cause::WrongState);
        assert_eq!(api("InvalidDBParameterGroupState").cause(), Cause::InUse);
        assert_eq!(api("Throttling").cause(), Cause::Throttled);
        assert_eq!(api("SomethingNew").cause(), Cause::Other);
    }

    #[test]
    fn throttling_and_outages_may_pass_and_refusals_do_not() {
        let failed = |code: &str, status| Error::Api { action: "A", code: code.to_owned(), message: String::new(), status };
        assert_eq!(failed("InternalFailure", 500).cause(), Cause::Unavailable);
        assert!(failed("InternalFailure", 500).may_pass() && failed("Throttling", 400).may_pass());
        assert!(!failed("AccessDenied", 403).may_pass() && !failed("InvalidDBClusterStateFault", 400).may_pass());
        let no_answer = Error::Unreachable { action: "A", endpoint: "e".to_owned(), source: BoxError::from("reset").into() };
        assert!(no_answer.may_pass());
        let of_proxy = |status| Error::Unreadable { action: "A", status, source: BoxError::from("html").into() };
        assert!(of_proxy(503).may_pass() && !of_proxy(404).may_pass());
    }

    #[test]
    fn access_denied_names_the_permission() {
        assert_eq!(
            api("AccessDenied").to_string(),
            "ModifyDBCluster failed: AWS answered AccessDenied: no (the caller needs the permission rds:ModifyDBCluster)"
        );
        let tags = Error::Api {
            action: "CreateDBClusterParameterGroup",
            code: "AccessDenied".to_owned(),
            message: "User: arn:aws:iam::1:user/u is not authorized to perform: rds:AddTagsToResource on resource: a".to_owned(),
            status: 403,
        };
        assert!(tags.to_string().ends_with("(the caller needs the permission rds:AddTagsToResource)"), "{tags}");
        let secret = Error::Api {
            action: "GetSecretValue",
            code: "AccessDeniedException".to_owned(),
            message: "no".to_owned(),
            status: 400,
        };
        assert!(secret.to_string().ends_with("(the caller needs the permission secretsmanager:GetSecretValue)"), "{secret}");
    }
}
