//! A role that replicates: found by oid or name, and what it was granted.

use serde::{Deserialize, Serialize};

use super::key::Key;
use crate::postgres::{Error, Facts, Flavour, Parameter, Reader, Row};
use crate::printable::is_printable_line;

/// `$1` the name or NULL, `$2` the oid.
const ROLE: &str = "\
SELECT r.oid, r.rolname::text AS name, r.rolcanlogin, r.rolreplication, r.rolconnlimit,
       COALESCE((SELECT pg_catalog.pg_has_role(r.oid, g.oid, 'MEMBER')
                   FROM pg_catalog.pg_roles g WHERE g.rolname = 'rds_replication'), false) AS member,
       pg_catalog.has_database_privilege(r.oid, d.oid, 'CONNECT') AS connect,
       EXISTS (SELECT FROM pg_catalog.aclexplode(d.datacl) a
                WHERE a.grantee = r.oid AND a.privilege_type = 'CONNECT') AS connect_granted,
       pg_catalog.pg_has_role(d.datdba, 'USAGE')
         OR pg_catalog.has_database_privilege(d.oid, 'CONNECT WITH GRANT OPTION') AS connect_grantable,
       pg_catalog.pg_get_userbyid(d.datdba)::text AS database_owner,
       (SELECT s.xmin::text FROM pg_catalog.pg_shdepend s
         WHERE s.dbid = 0 AND s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND s.objid = d.oid AND s.deptype = 'a'
           AND s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.refobjid = r.oid) AS since
  FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
 WHERE d.datname = pg_catalog.current_database() AND (r.rolname = $1::text OR r.oid = $2::oid)";

/// Schemas that a role reads by default privileges, or may use while they have no tables, and single tables it may read: what an
/// import finds. `$1` the role.
const GRANTED_SCHEMAS: &str = "\
SELECT n.nspname::text AS name
  FROM pg_catalog.pg_namespace n
 WHERE pg_catalog.has_schema_privilege($1::oid, n.oid, 'USAGE')
   AND (EXISTS (SELECT FROM pg_catalog.pg_default_acl d CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) a
                 WHERE d.defaclnamespace = n.oid AND d.defaclobjtype = 'r' AND a.grantee = $1::oid AND a.privilege_type = 'SELECT')
     OR (EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) a WHERE a.grantee = $1::oid AND a.privilege_type = 'USAGE')
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p'))))
 ORDER BY 1";

/// `$1` the role, `$2` schemas that are covered as a whole.
const GRANTED_TABLES: &str = "\
SELECT n.nspname::text AS schema, c.relname::text AS name
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname <> ALL ($2::text[])
   AND EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) a WHERE a.grantee = $1::oid AND a.privilege_type = 'SELECT')
 ORDER BY 1, 2";

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
    /// Whether the admin can grant CONNECT; the owner of the database can.
    #[serde(default = "yes")]
    pub(crate) connect_grantable: bool,
    /// The owner of the database.
    #[serde(default)]
    pub(crate) database_owner: String,
    /// The transaction that first gave it a privilege on the database, as a number: another role with the same oid, on a copy of
    /// the server, has another one. `None` if it has no such privilege, and in what an earlier build stored.
    #[serde(default)]
    pub(crate) since: Option<String>,
}

fn yes() -> bool {
    true
}

/// The role with this key.
pub(crate) async fn find_role(reader: &Reader, facts: &Facts, key: Key<'_>) -> Result<Option<Role>, Error> {
    let (name, oid) = key.values();
    let rows = reader.query(ROLE, &[name.into(), Parameter::Oid(oid)]).await?;
    let role = |row: &Row| {
        Ok(Role {
            oid: row.oid("oid")?,
            name: row.text("name")?,
            login: row.bool("rolcanlogin")?,
            replication: match facts.flavour {
                Flavour::Rds => row.bool("member")?,
                Flavour::Plain => row.bool("rolreplication")?,
            },
            connection_limit: row.i32("rolconnlimit")?.into(),
            connect: row.bool("connect")?,
            connect_granted: row.bool("connect_granted")?,
            connect_grantable: row.bool("connect_grantable")?,
            database_owner: row.text("database_owner")?,
            since: row.optional_text("since")?,
        })
    };
    rows.first().map(role).transpose()
}

/// Anybody can grant something to a role, and what an import finds is shown: a name that would steer a terminal is left out.
///
/// What a role may read: whole schemas, and single tables elsewhere.
pub(crate) async fn granted(reader: &Reader, role: u32) -> Result<(Vec<String>, Vec<String>), Error> {
    let schemas: Vec<String> = reader
        .query(GRANTED_SCHEMAS, &[Parameter::Oid(role)])
        .await?
        .iter()
        .map(|row| row.text("name"))
        .collect::<Result<_, _>>()?;
    let schemas: Vec<String> = schemas.into_iter().filter(|schema| is_printable_line(schema)).collect();
    let covered = Parameter::Texts(schemas.iter().map(String::as_str).collect());
    let mut tables = Vec::new();
    for row in reader.query(GRANTED_TABLES, &[Parameter::Oid(role), covered]).await? {
        let (schema, name) = (row.text("schema")?, row.text("name")?);
        let table = format!("{schema}.{name}");
        // A name with a dot cannot be written in a configuration.
        if !schema.contains('.') && !name.contains('.') && is_printable_line(&table) {
            tables.push(table);
        }
    }
    Ok((schemas, tables))
}
