//! The role that a pipe logs in as, as far as a pipe depends on it, whoever made it.

use super::validity::{Expiry, expiry};
use crate::postgres::{Error, Identifier, Reader};

/// The role `$1`. A superuser counts as a member of every role, so its memberships say nothing.
const ROLE: &str = concat!(
    "SELECT r.rolcanlogin AS login, r.rolsuper AS superuser, r.rolreplication AS replication, r.rolconnlimit AS connection_limit,
       ",
    expiry!("r.rolvaliduntil"),
    ",
       COALESCE(pg_catalog.pg_has_role(r.oid, pg_catalog.to_regrole('rds_replication')::oid, 'MEMBER'), false) AS in_replication,
       COALESCE(pg_catalog.pg_has_role(r.oid, pg_catalog.to_regrole('rds_iam')::oid, 'MEMBER'), false) AND NOT r.rolsuper AS in_iam,
       pg_catalog.has_database_privilege(r.oid, d.oid, 'CONNECT') AS connect
  FROM pg_catalog.pg_roles r
 CROSS JOIN pg_catalog.pg_database d
 WHERE r.rolname = $1::text AND d.datname = pg_catalog.current_database()"
);

/// A role that a pipe logs in as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PipeRole {
    pub(crate) login: bool,
    pub(crate) superuser: bool,
    /// Whether it has the attribute REPLICATION.
    pub(crate) replication: bool,
    pub(crate) connection_limit: i32,
    /// How far away the end of its password is.
    pub(crate) expiry: Expiry,
    /// Whether it is a member of `rds_replication`.
    pub(crate) in_replication: bool,
    /// Whether it is a member of `rds_iam`, and so has to log in with a token on Aurora.
    pub(crate) in_iam: bool,
    /// Whether it may connect to the database, through any grant.
    pub(crate) connect: bool,
}

/// The role with this name.
pub(crate) async fn pipe_role(reader: &Reader, name: &Identifier) -> Result<Option<PipeRole>, Error> {
    let rows = reader.query(ROLE, &[name.into()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(PipeRole {
        login: row.bool("login")?,
        superuser: row.bool("superuser")?,
        replication: row.bool("replication")?,
        connection_limit: row.i32("connection_limit")?,
        expiry: Expiry::of(row)?,
        in_replication: row.bool("in_replication")?,
        in_iam: row.bool("in_iam")?,
        connect: row.bool("connect")?,
    }))
}
