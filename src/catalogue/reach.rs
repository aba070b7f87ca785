//! How the provider's role can act for another role, such as the owner of a table.

use serde::{Deserialize, Serialize};

use crate::postgres::{Error, Facts, Row, version};

/// How the admin can act for an owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reach {
    /// It is the owner, or has the owner's privileges.
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
        Self::decode_of(row, "inherited", "settable")
    }

    /// The same from columns with these names.
    pub(super) fn decode_of(row: &Row, inherited: &str, settable: &str) -> Result<Self, Error> {
        Ok(if row.bool(inherited)? {
            Self::Inherited
        } else if row.bool(settable)? {
            Self::SetRole
        } else {
            Self::None
        })
    }
}

/// The privilege for SET ROLE, as `pg_has_role` calls it.
pub(super) fn set_role_privilege(facts: &Facts) -> &'static str {
    if facts.version.has(version::MEMBERSHIP_OPTIONS) { "SET" } else { "MEMBER" }
}
