//! Membership in `rds_iam`: Amazon RDS lets members, direct or through other roles, log in with an IAM token only.

use serde::{Deserialize, Serialize};

use super::key::Key;
use super::sql::{role_key, role_named};
use crate::postgres::version::MEMBERSHIP_OPTIONS;
use crate::postgres::{Error, Facts, Parameter, Reader, Row};

/// The role whose members log in with tokens.
pub(crate) const RDS_IAM: &str = "rds_iam";

/// `$1` and `$2` the role, `$3` whether whoever creates a role becomes a member of it, which a superuser does not. The rules in
/// `pg_hba.conf` count every membership of the role that logs in, whatever its options, and none that a superuser has just by being one.
const JOINS: &str = concat!(
    "WITH RECURSIVE ",
    role_key!(),
    ", mine AS (
  SELECT pg_catalog.to_regrole(pg_catalog.quote_ident(session_user))::oid AS roleid
  UNION
  SELECT m.roleid FROM mine JOIN pg_catalog.pg_auth_members m ON m.member = mine.roleid
)
SELECT CASE WHEN key.oid = 0 THEN $3::bool AND NOT a.rolsuper AND EXISTS (SELECT FROM mine WHERE mine.roleid = key.me)
            ELSE EXISTS (SELECT FROM mine WHERE mine.roleid = key.oid) END AS joins
  FROM key JOIN pg_catalog.pg_roles a ON a.oid = key.me"
);

/// Roles other than the admin's that log in, without a token so far, and are members of the role `$1`, `$2`, whatever the options.
const MEMBERS: &str = concat!(
    "WITH RECURSIVE ",
    role_key!(),
    ", theirs AS (
  SELECT m.member FROM key JOIN pg_catalog.pg_auth_members m ON m.roleid = key.oid
  UNION
  SELECT m.member FROM theirs JOIN pg_catalog.pg_auth_members m ON m.roleid = theirs.member
)
SELECT r.rolname::text AS name
  FROM theirs JOIN pg_catalog.pg_roles r ON r.oid = theirs.member
 WHERE r.rolcanlogin AND r.rolname NOT IN (current_user, session_user)
   AND (r.rolsuper OR pg_catalog.pg_has_role(r.oid, pg_catalog.to_regrole('rds_iam')::oid, 'MEMBER') IS NOT TRUE)
 ORDER BY 1"
);

/// How a role is a member of `rds_iam`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IamMembership {
    /// Directly, and a plain REVOKE of the admin takes it back, if that can.
    pub(crate) own: bool,
    /// Directly, granted by these other roles, whose privileges the admin has: from PostgreSQL 16 on each grant is taken back by itself.
    pub(crate) granted_by: Vec<String>,
    /// As a member of these roles.
    pub(crate) through: Vec<String>,
}

impl IamMembership {
    pub(super) fn decode(row: &Row) -> Result<Self, Error> {
        Ok(Self { own: row.bool("iam_own")?, granted_by: row.texts("iam_granted_by")?, through: row.texts("iam_through")? })
    }

    /// Whether it was made a member itself.
    pub(crate) fn is_direct(&self) -> bool {
        self.own || !self.granted_by.is_empty()
    }

    /// Whether it is a member at all.
    pub(crate) fn is_effective(&self) -> bool {
        self.is_direct() || !self.through.is_empty()
    }
}

/// Who else would have to log in with a token if the role does.
pub(crate) async fn members(reader: &Reader, key: Key<'_>) -> Result<Vec<String>, Error> {
    reader.query(MEMBERS, &key.values()).await?.iter().map(|row| row.text("name")).collect()
}

/// Whether the admin is a member of a role, or becomes one by creating it: what the role is a member of, the admin is too.
pub(crate) async fn joins(reader: &Reader, facts: &Facts, key: Key<'_>) -> Result<bool, Error> {
    let rows = reader.query(JOINS, &key.and([Parameter::Bool(facts.version.has(MEMBERSHIP_OPTIONS))])).await?;
    rows.first().map_or(Ok(false), |row| row.bool("joins"))
}
