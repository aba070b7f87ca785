//! Where to call AWS, and as whom.

use crate::secret::Secret;

/// Settings of the AWS client; everything unset comes from the standard chain (environment, shared files, SSO,
/// container and instance metadata).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Region to call.
    pub region: Option<String>,
    /// Profile in the shared files.
    pub profile: Option<String>,
    /// Files read instead of `~/.aws/config`.
    pub shared_config_files: Vec<String>,
    /// Role to assume with the credentials found.
    pub assume_role: Option<AssumeRole>,
    /// Addresses to call instead of AWS's own.
    pub endpoints: Endpoints,
    /// Attempts per call in total; the SDK retries throttling, server errors and lost connections.
    pub max_attempts: Option<u32>,
    /// Access key id; used only together with [`Settings::secret_key`].
    pub access_key: Option<Secret>,
    /// Secret access key.
    pub secret_key: Option<Secret>,
    /// Session token of temporary credentials.
    pub token: Option<Secret>,
}

/// A role to assume through STS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRole {
    /// ARN of the role.
    pub role_arn: String,
    /// Session name; `terraform-provider-clickpipes` when unset.
    pub session_name: Option<String>,
    /// External id that the role's trust policy requires.
    pub external_id: Option<String>,
}

/// Service addresses (URLs) that replace AWS's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// RDS.
    pub rds: Option<String>,
    /// Secrets Manager, called to read passwords.
    pub secrets_manager: Option<String>,
    /// STS, called to assume a role.
    pub sts: Option<String>,
}
