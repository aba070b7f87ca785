//! The permissions that AWS's actions need, as IAM policies name them.

/// The action that reads a secret. Every other action called here belongs to RDS.
pub(super) const READ_SECRET: &str = "GetSecretValue";

/// The permission that a policy must grant to the caller of `action`.
pub(super) fn permission(action: &str) -> String {
    let service = if action == READ_SECRET { "secretsmanager" } else { "rds" };
    format!("{service}:{action}")
}
