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
    /// The role that the provider works as.
    pub current_user: String,
    /// The role that it logs in as: another one if that has a default for `role`. Empty in what an earlier build stored.
    #[serde(default)]
    pub session_user: String,
}

impl Facts {
    /// Whether the provider logs in or works as a role.
    pub fn is_own_role(&self, role: &str) -> bool {
        [&self.current_user, &self.session_user].into_iter().any(|own| own == role)
    }
}
