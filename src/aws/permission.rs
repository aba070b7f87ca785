//! The permissions that AWS's actions need, as IAM policies name them.

/// Reads a secret; every other action that is called is one of RDS.
pub(super) const READ_SECRET: &str = "GetSecretValue";

/// What a policy must allow whoever calls `action`.
pub(super) fn permission(action: &str) -> String {
    let service = if action == READ_SECRET { "secretsmanager" } else { "rds" };
    format!("{service}:{action}")
}
