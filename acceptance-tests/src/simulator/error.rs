//! The errors that the APIs answer with. Codes are those of the API's model; message texts are worded here.

use super::service::Service;

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The error code, which clients match on.
    pub code: &'static str,
    /// The message for people.
    pub message: String,
}

impl ApiError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(crate) fn throttling(service: Service) -> Self {
        let code = if service == Service::SecretsManager { "ThrottlingException" } else { "Throttling" };
        Self::new(400, code, "Rate exceeded")
    }

    pub(crate) fn internal_failure(service: Service) -> Self {
        let code = if service == Service::SecretsManager { "InternalServiceError" } else { "InternalFailure" };
        Self::new(500, code, "An internal error has occurred. Please try your query again at a later time.")
    }

    pub(crate) fn service_unavailable() -> Self {
        Self::new(503, "ServiceUnavailable", "Service is unavailable. Please try again later.")
    }

    /// The answer with which an action refuses a wrong state.
    pub(crate) fn wrong_state(service: Service, action: &str) -> Self {
        let code = if service == Service::SecretsManager {
            "InvalidRequestException"
        } else if service == Service::Sts {
            "RegionDisabledException"
        } else if action.contains("ParameterGroup") {
            "InvalidDBParameterGroupState"
        } else if action.contains("Instance") {
            "InvalidDBInstanceState"
        } else {
            "InvalidDBClusterStateFault"
        };
        Self::new(400, code, "The present state does not accept this operation.")
    }

    pub(crate) fn access_denied(service: Service, action: &str) -> Self {
        let (status, code) =
            if service == Service::SecretsManager { (400, "AccessDeniedException") } else { (403, "AccessDenied") };
        Self::new(status, code, format!("User is not authorized to perform: {}:{action}", service.name()))
    }

    /// No statement of the caller's policy allows the action on this ARN.
    pub(crate) fn not_allowed(service: Service, caller: &str, action: &str, arn: &str) -> Self {
        let denied = Self::access_denied(service, action);
        let message = format!(
            "User: {caller} is not authorized to perform: {action} on resource: {arn} because no identity-based policy allows the {action} action"
        );
        Self { message, ..denied }
    }

    /// The KMS key cannot be reached.
    pub(crate) fn decryption_failure(service: Service) -> Self {
        let code = if service == Service::SecretsManager { "DecryptionFailure" } else { "KMSKeyNotAccessibleFault" };
        Self::new(400, code, "The KMS key is disabled, or the caller may not use it.")
    }

    pub(crate) fn secret_not_found(rest: &str) -> Self {
        Self::new(400, "ResourceNotFoundException", format!("Secrets Manager can't find the specified secret{rest}"))
    }

    pub(crate) fn secret_deleted() -> Self {
        let message = "You can't perform this operation on the secret because it was marked for deletion.";
        Self::new(400, "InvalidRequestException", message)
    }

    pub(crate) fn secret_stage_of_other_version() -> Self {
        Self::new(400, "InvalidRequestException", "The VersionStage is not one of the version with this VersionId.")
    }

    pub(crate) fn invalid_secret_parameter(message: &str) -> Self {
        Self::new(400, "InvalidParameterException", message)
    }

    pub(crate) fn not_simulated(what: &str) -> Self {
        Self::new(400, "InvalidAction", format!("aurora-sim does not simulate {what}"))
    }

    pub(crate) fn invalid_value(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterValue", message)
    }

    pub(crate) fn invalid_combination(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterCombination", message)
    }

    pub(crate) fn unknown_credentials(service: Service) -> Self {
        let (status, code) =
            if service == Service::SecretsManager { (400, "UnrecognizedClientException") } else { (403, "InvalidClientTokenId") };
        Self::new(status, code, "The security token included in the request is invalid.")
    }

    pub(crate) fn expired_credentials(service: Service) -> Self {
        let (status, code) =
            if service == Service::SecretsManager { (400, "ExpiredTokenException") } else { (403, "ExpiredToken") };
        Self::new(status, code, "The security token included in the request is expired")
    }

    pub(crate) fn not_signed() -> Self {
        Self::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
    }

    pub(crate) fn may_not_assume(caller: &str, role: &str) -> Self {
        let message = format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}");
        Self::new(403, "AccessDenied", message)
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }

    /// A failure that should not happen on this machine.
    pub(crate) fn of_the_machine(error: anyhow::Error) -> Self {
        Self::new(500, "InternalFailure", format!("{error:#}"))
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new(400, "MissingParameter", format!("The request must contain the parameter {parameter}"))
    }

    pub(crate) fn cluster_not_found(identifier: &str) -> Self {
        Self::new(404, "DBClusterNotFoundFault", format!("DBCluster {identifier} not found."))
    }

    pub(crate) fn instance_not_found(identifier: &str) -> Self {
        Self::new(404, "DBInstanceNotFound", format!("DBInstance {identifier} not found."))
    }

    pub(crate) fn cluster_exists(identifier: &str) -> Self {
        Self::new(400, "DBClusterAlreadyExistsFault", format!("DB Cluster already exists: {identifier}"))
    }

    pub(crate) fn instance_exists(identifier: &str) -> Self {
        Self::new(400, "DBInstanceAlreadyExists", format!("DB instance already exists: {identifier}"))
    }

    pub(crate) fn global_cluster_not_found(identifier: &str) -> Self {
        Self::new(404, "GlobalClusterNotFoundFault", format!("Global cluster {identifier} not found."))
    }

    pub(crate) fn group_not_found(name: &str) -> Self {
        Self::new(404, "DBParameterGroupNotFound", format!("DBClusterParameterGroup not found: {name}"))
    }

    /// ModifyDBCluster has a code of its own for a missing group.
    pub(crate) fn cluster_group_not_found(name: &str) -> Self {
        Self::new(404, "DBClusterParameterGroupNotFound", format!("DBClusterParameterGroup not found: {name}"))
    }

    pub(crate) fn group_exists(name: &str) -> Self {
        Self::new(400, "DBParameterGroupAlreadyExists", format!("Parameter group {name} already exists"))
    }

    pub(crate) fn group_state(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidDBParameterGroupState", message)
    }

    pub(crate) fn cluster_state(identifier: &str, status: &str) -> Self {
        Self::new(
            400,
            "InvalidDBClusterStateFault",
            format!("DBCluster {identifier} is in state {status}, which this operation does not accept."),
        )
    }

    /// A major upgrade that leaves open which group of the new family is attached.
    pub(crate) fn custom_group(group: &str) -> Self {
        Self::invalid_combination(format!(
            "The current DB cluster parameter group {group} is custom. You must explicitly specify a new DB cluster parameter group, either default or custom, for the engine version upgrade."
        ))
    }

    /// A failover of a cluster that has nothing to fail over to.
    pub(crate) fn no_readers(identifier: &str) -> Self {
        let message = format!("DBCluster {identifier} has no readers to fail over to.");
        Self::new(400, "InvalidDBClusterStateFault", message)
    }

    pub(crate) fn instance_state(identifier: &str, status: &str) -> Self {
        Self::new(
            400,
            "InvalidDBInstanceState",
            format!("DBInstance {identifier} is in state {status}, which this operation does not accept."),
        )
    }
}
