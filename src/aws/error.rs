//! What can go wrong when AWS is called: its error codes as a short table of causes.

use std::time::Duration;

use aws_sdk_rds::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::permission::permission;

/// A failed AWS call or wait.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// AWS answered with an error code.
    #[error("{action} failed: AWS answered {code}: {message}{}", access_hint(action, code))]
    Api {
        /// The API action, for example `ModifyDBCluster`.
        action: &'static str,
        /// The AWS error code.
        code: String,
        /// AWS's words.
        message: String,
    },
    /// No answer came: the address does not resolve, nothing listens, TLS failed, or the time of one attempt ran out.
    #[error("{action} failed: {endpoint} cannot be reached")]
    Unreachable {
        /// The API action.
        action: &'static str,
        /// Whom the call was for.
        endpoint: String,
        /// What the transport says.
        #[source]
        source: BoxError,
    },
    /// The answer could not be read; a proxy or a server that is not AWS sends such.
    #[error("{action} failed: the answer is not one of the AWS API (HTTP status {status})")]
    Unreadable {
        /// The API action.
        action: &'static str,
        /// HTTP status of the answer.
        status: u16,
        /// What the decoder says.
        #[source]
        source: BoxError,
    },
    /// No credentials were found, or they could not be used to sign the call.
    #[error("{action} failed: no usable AWS credentials")]
    Credentials {
        /// The API action.
        action: &'static str,
        /// What the credential chain says.
        #[source]
        source: BoxError,
    },
    /// Neither settings nor environment nor shared files name a region.
    #[error(
        "no AWS region is known: set `region` in the provider's `aws`, the environment variable AWS_REGION, or a region in the profile"
    )]
    NoRegion,
    /// A login token says host and port of an endpoint as RDS writes them, and these cannot be written so.
    #[error("no IAM token can be signed for {host:?}, port {port}: that is no endpoint of RDS")]
    NotSignable {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// The answer lacks something that AWS always sends.
    #[error("{action} answered without {field}")]
    Incomplete {
        /// The API action.
        action: &'static str,
        /// What is missing.
        field: &'static str,
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
    /// What was waited for cannot happen any more without somebody's help.
    #[error("gave up waiting for {awaited}: {seen}")]
    DeadEnd {
        /// What was waited for.
        awaited: String,
        /// The state that does not lead there.
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
    /// A parameter group of that name exists.
    AlreadyExists,
    /// The parameter group is attached to a cluster, or being changed.
    InUse,
    /// The cluster or instance is not in a state that allows the call.
    WrongState,
    /// AWS limits the rate of calls.
    Throttled,
    /// The caller may not do this.
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
            Self::Api { code, .. } => cause_of(code),
            Self::Credentials { .. } => Cause::BadCredentials,
            _ => Cause::Other,
        }
    }

    /// Whether AWS could not be asked at all, as opposed to an answer that says no.
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
                        Self::Api { action, code: code.to_owned(), message: message.unwrap_or("(no message)").to_owned() }
                    }
                    (None, _) => Self::Unreadable { action, status, source: fault.into() },
                }
            }
            SdkError::ResponseError(answer) => {
                let status = answer.raw().status().as_u16();
                Self::Unreadable { action, status, source: SdkError::<E, _>::ResponseError(answer).into() }
            }
            // What fails before the connector is asked is the search for credentials or the signature.
            SdkError::DispatchFailure(failure) if failure.is_other() => {
                Self::of_credentials(action, source_of(SdkError::<E, _>::DispatchFailure(failure)))
            }
            SdkError::ConstructionFailure(failure) => {
                Self::of_credentials(action, source_of(SdkError::<E, _>::ConstructionFailure(failure)))
            }
            other => Self::Unreachable { action, endpoint, source: source_of(other) },
        }
    }

    /// There are no credentials, or the service that gives them (STS, SSO) cannot be reached.
    pub(super) fn of_credentials(action: &'static str, source: BoxError) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(source.as_ref());
        while let Some(error) = cause {
            let connector = error.downcast_ref::<ConnectorError>();
            // What ran out of time has a type of its own for each service, and for the search as a whole.
            if connector.is_some_and(|error| error.is_io() || error.is_timeout()) || error.to_string().contains("timed out") {
                return Self::Unreachable { action, endpoint: "the service that gives the credentials".to_owned(), source };
            }
            cause = error.source();
        }
        Self::Credentials { action, source }
    }
}

fn source_of<E>(error: SdkError<E, aws_sdk_rds::config::http::HttpResponse>) -> BoxError
where
    E: std::error::Error + Send + Sync + 'static,
{
    error.into_source().unwrap_or_else(|error| Box::new(error))
}

fn access_hint(action: &str, code: &str) -> String {
    match cause_of(code) {
        Cause::AccessDenied => format!(" (the caller needs the permission {})", permission(action)),
        _ => String::new(),
    }
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
        Error::Api { action: "ModifyDBCluster", code: code.to_owned(), message: "no".to_owned() }
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
    fn access_denied_names_the_permission() {
        assert_eq!(
            api("AccessDenied").to_string(),
            "ModifyDBCluster failed: AWS answered AccessDenied: no (the caller needs the permission rds:ModifyDBCluster)"
        );
        let secret = Error::Api { action: "GetSecretValue", code: "AccessDeniedException".to_owned(), message: "no".to_owned() };
        assert!(secret.to_string().ends_with("(the caller needs the permission secretsmanager:GetSecretValue)"), "{secret}");
    }
}
