//! What logical replication needs of a cluster's parameters. Pure.

/// The engine whose clusters these are.
pub(crate) const ENGINE: &str = "aurora-postgresql";
/// The parameter that turns logical replication on.
pub(crate) const LOGICAL_REPLICATION: &str = "rds.logical_replication";
/// The parameter that lets roles replicate that log in with IAM.
pub(crate) const IAM_FOR_REPLICATION: &str = "rds.iam_auth_for_replication";
/// The two parameters that the ClickPipes guide asks for, with their values.
pub(crate) const GUIDE_PARAMETERS: [(&str, &str); 2] = [(LOGICAL_REPLICATION, "1"), ("wal_sender_timeout", "0")];
/// The parameter that turns Babelfish on.
pub(super) const BABELFISH: &str = "rds.babelfish_status";
