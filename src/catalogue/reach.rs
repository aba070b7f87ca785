//! How the provider's role can act for another one: for the owner of a table, say.

use serde::{Deserialize, Serialize};

use crate::postgres::{Error, Facts, Row, version};

/// How the admin can act for an owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reach {
    /// Is it, or has its privileges.
    #[default]
    Inherited,
    /// Only by SET ROLE.
    SetRole,
    /// Not at all.
    None,
}

impl Reach {
    /// From the columns `inherited` and `settable`.
    pub(super) fn decode(row: &Row) -> Result<Self, Error> {
        Ok(if row.bool("inherited")? {
            Self::Inherited
        } else if row.bool("settable")? {
            Self::SetRole
        } else {
            Self::None
        })
    }
}

/// What `pg_has_role` calls the right to SET ROLE.
pub(super) fn set_role_privilege(facts: &Facts) -> &'static str {
    if facts.version.has(version::MEMBERSHIP_OPTIONS) { "SET" } else { "MEMBER" }
}
