//! The permissions that AWS's actions need, as IAM policies name them.

/// The action that reads a secret.
pub(super) const READ_SECRET: &str = "GetSecretValue";
/// The action that names the account. Every other action called here belongs to RDS.
pub(super) const WHO_AM_I: &str = "GetCallerIdentity";

/// The permission that a policy must grant to the caller of `action`.
pub(super) fn permission(action: &str) -> String {
    let service = match action {
        READ_SECRET => "secretsmanager",
        WHO_AM_I => "sts",
        _ => "rds",
    };
    format!("{service}:{action}")
}
