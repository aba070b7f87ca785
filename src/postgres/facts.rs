//! Facts about a server that do not change while it runs. Pure.

use serde::{Deserialize, Serialize};

use crate::postgres::version::ServerVersion;

/// Which kind of PostgreSQL it is: what allows replication differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flavour {
    /// Amazon RDS or Aurora: the role `rds_replication` exists and membership in it counts.
    Rds,
    /// Any other: the attribute REPLICATION counts.
    Plain,
}

/// The facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Its version.
    pub version: ServerVersion,
    /// Which kind of PostgreSQL it is.
    pub flavour: Flavour,
    /// The role that the provider logs in as.
    pub current_user: String,
}
