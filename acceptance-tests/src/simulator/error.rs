//! The errors that the RDS API answers with. Codes are those of the API's model; message texts are worded here.

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The error code, which clients match on.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl ApiError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(crate) fn throttling() -> Self {
        Self::new(400, "Throttling", "Rate exceeded")
    }

    pub(crate) fn internal_failure() -> Self {
        Self::new(500, "InternalFailure", "An internal error has occurred. Please try your query again at a later time.")
    }

    pub(crate) fn service_unavailable() -> Self {
        Self::new(503, "ServiceUnavailable", "Service is unavailable. Please try again later.")
    }

    /// The answer by which an action refuses a state that it does not accept.
    pub(crate) fn wrong_state(action: &str) -> Self {
        let code = if action.contains("ParameterGroup") {
            "InvalidDBParameterGroupState"
        } else if action.contains("Instance") {
            "InvalidDBInstanceState"
        } else {
            "InvalidDBClusterStateFault"
        };
        Self::new(400, code, "The present state does not accept this operation.")
    }

    pub(crate) fn access_denied(action: &str) -> Self {
        Self::new(403, "AccessDenied", format!("User is not authorized to perform: rds:{action}"))
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

    pub(crate) fn instance_state(identifier: &str, status: &str) -> Self {
        Self::new(
            400,
            "InvalidDBInstanceState",
            format!("DBInstance {identifier} is in state {status}, which this operation does not accept."),
        )
    }
}
