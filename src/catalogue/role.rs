//! A role that replicates: found by oid or name, and what it was granted.

use serde::{Deserialize, Serialize};

use super::admin::{Admin, Database};
use super::iam::IamMembership;
use super::key::Key;
use super::reach::set_role_privilege;
use super::sql::{by_oid, dependent, dependents, entries, granted, own, relations_of, role_dependents, role_key, role_named};
use super::validity::{Expiry, ValidUntil, expiry};
use crate::postgres::{Error, Facts, Flavour, Parameter, Reader, Row};
use crate::printable::is_printable_line;

/// `$1` and `$2` the role, `$3` the privilege that SET ROLE needs. One row, whether or not there is such a role: what the admin may do
/// counts for one to come too.
///
/// Up to 15, CREATEROLE is enough to grant `rds_replication`, and only a superuser gives REPLICATION. From 16 on the first needs ADMIN
/// OPTION that is inherited, and the second CREATEROLE with REPLICATION itself. `rds_iam` is granted like `rds_replication`; from 16 on
/// RDS lets members of `rds_superuser` grant it without ADMIN OPTION, which would make them members of it.
///
/// What RFC 3339 cannot write is shown as what it means: an expiry beyond the year 9999 as none, and one before the year 1 as its beginning.
const ROLE: &str = concat!(
    "WITH ",
    role_key!(),
    ", ",
    own!(),
    "
SELECT r.oid, r.rolname::text AS name, r.rolcanlogin, r.rolreplication, r.rolconnlimit, r.rolsuper OR r.rolbypassrls AS bypasses,
       CASE WHEN r.rolvaliduntil IS NULL OR r.rolvaliduntil >= '10000-01-01 00:00:00+00' THEN 'infinity'
            WHEN r.rolvaliduntil < '0001-01-01 00:00:00+00' THEN '0001-01-01T00:00:00Z'
            ELSE pg_catalog.to_char(pg_catalog.timezone('UTC', r.rolvaliduntil), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') END AS valid_until,
       ",
    expiry!("r.rolvaliduntil"),
    ",
       COALESCE(pg_catalog.pg_has_role(r.oid, a.replication, 'MEMBER'), false) AS member,
       i.own AS iam_own, i.granted_by AS iam_granted_by, i.through AS iam_through,
       COALESCE(g.granted OR pg_catalog.has_database_privilege(r.oid, d.oid, 'CONNECT'), false) AS connect,
       g.granted AS connect_granted,
       pg_catalog.pg_has_role(d.datdba, 'USAGE')
         OR pg_catalog.has_database_privilege(d.oid, 'CONNECT WITH GRANT OPTION') AS connect_inherited,
       pg_catalog.pg_has_role(d.datdba, $3::text) AS connect_settable,
       pg_catalog.has_database_privilege(0::oid, d.oid, 'CONNECT') AS is_open,
       pg_catalog.pg_get_userbyid(d.datdba)::text AS database_owner,
       a.rolsuper OR a.rolcreaterole AS creates_roles, a.rolinherit AS admin_inherits,
       a.rolsuper OR CASE
         WHEN a.replication IS NULL THEN $3::text = 'SET' AND a.rolcreaterole AND a.rolreplication
                                         AND (r.oid IS NULL OR pg_catalog.pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION'))
         WHEN $3::text <> 'SET' THEN a.rolcreaterole OR pg_catalog.pg_has_role(a.replication, 'MEMBER WITH ADMIN OPTION')
         ELSE pg_catalog.pg_has_role(a.replication, 'MEMBER WITH ADMIN OPTION')
              AND (a.is_granted OR pg_catalog.pg_has_role(a.superuser, 'USAGE') IS NOT FALSE
                   OR pg_catalog.pg_has_role(a.superuser, $3::text) IS NOT TRUE) END AS replication_inherited,
       COALESCE(pg_catalog.pg_has_role(a.superuser, $3::text)
                AND pg_catalog.pg_has_role(a.superuser, a.replication, 'MEMBER WITH ADMIN OPTION'), false) AS replication_settable,
       a.iam IS NOT NULL AS has_iam,
       a.rolsuper OR CASE
         WHEN $3::text <> 'SET' THEN a.rolcreaterole OR COALESCE(pg_catalog.pg_has_role(a.iam, 'MEMBER WITH ADMIN OPTION'), false)
         ELSE COALESCE(pg_catalog.pg_has_role(a.iam, 'MEMBER WITH ADMIN OPTION'), false)
              OR COALESCE(pg_catalog.pg_has_role(a.superuser, 'USAGE'), false) END AS iam_inherited,
       COALESCE(pg_catalog.pg_has_role(a.superuser, $3::text)
                AND ($3::text = 'SET' OR pg_catalog.pg_has_role(a.superuser, a.iam, 'MEMBER WITH ADMIN OPTION')), false) AS iam_settable,
       (SELECT s.xmin::text FROM own s WHERE s.dbid = 0 AND s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND s.objid = d.oid AND s.deptype = 'a') AS since
  FROM key
 CROSS JOIN pg_catalog.pg_database d
 CROSS JOIN LATERAL (
       SELECT x.*, s.replication, s.superuser, s.iam,
              EXISTS (SELECT FROM pg_catalog.pg_auth_members m
                       WHERE m.roleid = s.replication AND m.member = key.me AND m.admin_option) AS is_granted
         FROM pg_catalog.pg_roles x,
              (SELECT pg_catalog.to_regrole('rds_replication')::oid AS replication,
                      pg_catalog.to_regrole('rds_superuser')::oid AS superuser,
                      pg_catalog.to_regrole('rds_iam')::oid AS iam OFFSET 0) s
        WHERE x.oid = key.me OFFSET 0) a
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = key.oid
 CROSS JOIN LATERAL (SELECT ",
    granted!("d.datacl", "pg_database", "d.oid", "d.datdba", "CONNECT"),
    " AS granted OFFSET 0) AS g
 CROSS JOIN LATERAL (
       SELECT COALESCE(pg_catalog.bool_or(m.roleid = a.iam AND m.is_own), false) AS own,
              COALESCE(pg_catalog.array_agg(m.grantor) FILTER (WHERE m.roleid = a.iam AND NOT m.is_own), '{}') AS granted_by,
              COALESCE(pg_catalog.array_agg(m.name) FILTER (WHERE m.roleid <> a.iam AND m.brings_it), '{}') AS through
         FROM (SELECT m.roleid, $3::text <> 'SET' OR m.grantor IN (10, a.oid) OR NOT pg_catalog.pg_has_role(m.grantor, 'USAGE') AS is_own,
                      pg_catalog.pg_get_userbyid(m.grantor)::text AS grantor, pg_catalog.pg_get_userbyid(m.roleid)::text AS name,
                      m.roleid <> a.iam AND pg_catalog.pg_has_role(m.roleid, a.iam, 'MEMBER')
                        AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles s WHERE s.oid = m.roleid AND s.rolsuper) AS brings_it
                 FROM pg_catalog.pg_auth_members m WHERE m.member = r.oid ORDER BY 3, 4 OFFSET 0) m) AS i
 WHERE d.datname = pg_catalog.current_database()"
);

/// Schemas that a role reads by default privileges, or may use while they have no tables, and single tables elsewhere that it may
/// read: what an import finds. `$1` and `$2` the role.
const GRANTED: &str = concat!(
    "WITH ",
    role_key!(),
    ", own AS MATERIALIZED (
  SELECT DISTINCT s.classid, s.objid
    FROM key CROSS JOIN LATERAL ",
    role_dependents!("key.oid"),
    " s
   WHERE s.deptype IN ('a', 'o') AND s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
), schemas AS MATERIALIZED (
  SELECT n.oid, n.nspname::text AS name
    FROM key CROSS JOIN own s CROSS JOIN LATERAL ",
    dependent!("pg_default_acl"),
    " d
   CROSS JOIN LATERAL ",
    by_oid!("pg_namespace", "d.defaclnamespace"),
    " n
   WHERE d.defaclobjtype = 'r' AND pg_catalog.has_schema_privilege(key.oid, n.oid, 'USAGE')
     AND d.defaclacl OPERATOR(pg_catalog.@>) pg_catalog.makeaclitem(key.oid, d.defaclrole, 'SELECT', false)
  UNION
  SELECT n.oid, n.nspname::text
    FROM key CROSS JOIN own s CROSS JOIN LATERAL ",
    dependent!("pg_namespace"),
    " n
   WHERE ",
    granted!("n.nspacl", "pg_namespace", "n.oid", "n.nspowner", "USAGE"),
    "
     AND NOT EXISTS (SELECT FROM ",
    relations_of!("n.oid"),
    " c WHERE c.relkind IN ('r', 'p'))
)
SELECT name AS schema, NULL::text AS name FROM schemas
UNION ALL
SELECT n.nspname::text, c.relname::text
  FROM key CROSS JOIN own s CROSS JOIN LATERAL ",
    dependent!("pg_class"),
    " c
 CROSS JOIN LATERAL ",
    by_oid!("pg_namespace", "c.relnamespace"),
    " n
 WHERE c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM schemas o WHERE o.oid = n.oid)
   AND ",
    granted!("c.relacl", "pg_class", "c.oid", "c.relowner", "SELECT"),
    "
 ORDER BY 1, 2"
);

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) oid: u32,
    pub(crate) name: String,
    pub(crate) login: bool,
    /// Whether it may replicate, by the rule of this flavour of PostgreSQL.
    pub(crate) replication: bool,
    pub(crate) connection_limit: i64,
    /// Whether it may connect, through any grant.
    pub(crate) connect: bool,
    /// Whether CONNECT is granted to the role itself.
    pub(crate) connect_granted: bool,
    /// Whether row level security does not apply to it.
    #[serde(default)]
    pub(crate) bypasses: bool,
    /// The transaction that first gave it a privilege on the database, as a number: another role with the same oid, on a copy of
    /// the server, has another one. `None` if it has no such privilege, and in what an earlier build stored.
    #[serde(default)]
    pub(crate) since: Option<String>,
    /// Until when its password is accepted; `None` in what an earlier build stored.
    #[serde(default)]
    pub(crate) valid_until: Option<ValidUntil>,
    /// How far away that is.
    #[serde(default)]
    pub(crate) expiry: Expiry,
    /// How it logs in with tokens; not at all in what an earlier build stored.
    #[serde(default)]
    pub(crate) iam: IamMembership,
}

/// A role, or none, and what the admin may do for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) role: Option<Role>,
    pub(crate) database: Database,
    pub(crate) admin: Admin,
}

/// The role with this key.
pub(crate) async fn find_role(reader: &Reader, facts: &Facts, key: Key<'_>) -> Result<Found, Error> {
    let rows = reader.query(ROLE, &key.and([Parameter::Text(set_role_privilege(facts))])).await?;
    let Some(row) = rows.first() else { return Ok(Found::default()) };
    Ok(Found { role: role(row, facts)?, database: Database::decode(row)?, admin: Admin::decode(row)? })
}

fn role(row: &Row, facts: &Facts) -> Result<Option<Role>, Error> {
    let Some(name) = row.optional_text("name")? else { return Ok(None) };
    Ok(Some(Role {
        oid: row.oid("oid")?,
        name,
        login: row.bool("rolcanlogin")?,
        replication: match facts.flavour {
            Flavour::Rds => row.bool("member")?,
            Flavour::Plain => row.bool("rolreplication")?,
        },
        connection_limit: row.i32("rolconnlimit")?.into(),
        connect: row.bool("connect")?,
        connect_granted: row.bool("connect_granted")?,
        bypasses: row.bool("bypasses")?,
        since: row.optional_text("since")?,
        valid_until: row.text("valid_until")?.parse().ok(),
        expiry: Expiry::of(row)?,
        iam: IamMembership::decode(row)?,
    }))
}

/// What a role may read: whole schemas, and single tables elsewhere. Anybody can grant something to a role, and what an import
/// finds is shown: a name that would steer a terminal is left out.
pub(crate) async fn granted(reader: &Reader, key: Key<'_>) -> Result<(Vec<String>, Vec<String>), Error> {
    let (mut schemas, mut tables) = (Vec::new(), Vec::new());
    for row in reader.query(GRANTED, &key.values()).await? {
        let schema = row.text("schema")?;
        match row.optional_text("name")? {
            None if is_printable_line(&schema) => schemas.push(schema),
            None => {}
            Some(name) => {
                let table = format!("{schema}.{name}");
                // A name with a dot cannot be written in a configuration.
                if !schema.contains('.') && !name.contains('.') && is_printable_line(&table) {
                    tables.push(table);
                }
            }
        }
    }
    Ok((schemas, tables))
}
