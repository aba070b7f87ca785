//! What the provider's role may do for a role that replicates, and how it comes to act with the privileges of another role.

use serde::{Deserialize, Serialize};

use super::reach::Reach;
use crate::postgres::version::MEMBERSHIP_OPTIONS;
use crate::postgres::{Error, Identifier, Row, ServerVersion};

/// On Aurora and RDS, the role that may let others replicate.
pub(crate) const SUPERUSER_OF_RDS: &str = "rds_superuser";

/// What the admin may do, whatever the object. What an earlier build stored says nothing of it: then the server has the last word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Admin {
    /// Whether it may create roles.
    pub(crate) creates_roles: bool,
    /// How it can let the role replicate: on Aurora and RDS, by acting for [`SUPERUSER_OF_RDS`] if it does not inherit from it.
    pub(crate) replication: Reach,
    /// Whether it inherits the privileges of the roles of which it is a member.
    pub(crate) inherits: bool,
    /// How it can make a role a member of `rds_iam`; `None`: the server has no such role, so nobody logs in with a token.
    #[serde(default = "assumed")]
    pub(crate) iam: Option<Reach>,
}

/// What an earlier build did not look up.
fn assumed() -> Option<Reach> {
    Some(Reach::Inherited)
}

impl Default for Admin {
    fn default() -> Self {
        Self { creates_roles: true, replication: Reach::Inherited, inherits: true, iam: assumed() }
    }
}

impl Admin {
    pub(super) fn decode(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            creates_roles: row.bool("creates_roles")?,
            replication: Reach::decode_of(row, "replication_inherited", "replication_settable")?,
            inherits: row.bool("admin_inherits")?,
            iam: if row.bool("has_iam")? { Some(Reach::decode_of(row, "iam_inherited", "iam_settable")?) } else { None },
        })
    }
}

/// The database, as far as it concerns who may connect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Database {
    pub(crate) owner: String,
    /// How the admin can grant CONNECT on it.
    pub(crate) reach: Reach,
    /// Whether everybody may connect.
    pub(crate) is_open: bool,
}

impl Database {
    pub(super) fn decode(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            owner: row.text("database_owner")?,
            reach: Reach::decode_of(row, "connect_inherited", "connect_settable")?,
            is_open: row.bool("is_open")?,
        })
    }
}

/// What makes the admin a member of a role so that it can act for it, by SET ROLE at least. A plain GRANT changes nothing for one
/// that is a member with neither option.
pub(crate) fn join(owner: &Identifier, admin: &Identifier, version: ServerVersion) -> String {
    let options = if version.has(MEMBERSHIP_OPTIONS) { " WITH INHERIT TRUE, SET TRUE" } else { "" };
    format!("GRANT {owner} TO {admin}{options};")
}

/// What gives the admin the privileges of a role, of which it may be a member already, without SET ROLE. Up to 15 it is the member
/// that inherits or not, from 16 on the membership.
pub(crate) fn inherit(owner: &Identifier, admin: &Identifier, version: ServerVersion, inherits: bool, is_member: bool) -> String {
    if version.has(MEMBERSHIP_OPTIONS) {
        return format!("GRANT {owner} TO {admin} WITH INHERIT TRUE;");
    }
    let joins = (!is_member).then(|| format!("GRANT {owner} TO {admin};"));
    let inherits = (!inherits).then(|| format!("ALTER ROLE {admin} INHERIT;"));
    joins.into_iter().chain(inherits).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_is_never_a_membership_that_exists_already() {
        let (owner, admin) = (Identifier::new("app").unwrap(), Identifier::new("tf").unwrap());
        let (old, new) = (ServerVersion::from_number(150_004), ServerVersion::from_number(160_001));
        let advice = |version, inherits, is_member| inherit(&owner, &admin, version, inherits, is_member);
        assert_eq!(advice(old, false, true), "ALTER ROLE \"tf\" INHERIT;");
        assert_eq!(advice(old, true, false), "GRANT \"app\" TO \"tf\";");
        assert_eq!(advice(old, false, false), "GRANT \"app\" TO \"tf\"; ALTER ROLE \"tf\" INHERIT;");
        assert_eq!(advice(new, false, true), "GRANT \"app\" TO \"tf\" WITH INHERIT TRUE;");
        assert_eq!(join(&owner, &admin, new), "GRANT \"app\" TO \"tf\" WITH INHERIT TRUE, SET TRUE;");
    }
}
