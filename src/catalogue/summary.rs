//! What a role holds, summed up so that it can be stored beside a state. Holdings one by one are in `holdings`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::holding::Holding;
use super::holdings::{Obstacle, ShutBy, name, other_holding};
use super::key::Key;
use super::sql::{by_oid, role_dependents, role_key, role_named};
use crate::postgres::{Error, Identifier, Parameter, Reader};

/// Databases in which something depends on the role `$1`, `$2`, other than this one.
const DATABASES: &str = concat!(
    "WITH ",
    role_key!(),
    "
SELECT DISTINCT d.datname::text AS name
  FROM key
 CROSS JOIN LATERAL ",
    role_dependents!("key.oid"),
    " s
 CROSS JOIN LATERAL ",
    by_oid!("pg_database", "s.dbid"),
    " d
 WHERE d.datname <> pg_catalog.current_database()
 ORDER BY 1"
);

/// What the role `$1`, `$2` has in another database `$3`, counted from outside, and whether it can be connected to.
const ELSEWHERE: &str = concat!(
    "WITH ",
    role_key!(),
    "
SELECT d.datallowconn, pg_catalog.has_database_privilege(d.oid, 'CONNECT') AS may_connect,
       pg_catalog.count(*) FILTER (WHERE s.deptype <> 'o') AS held, pg_catalog.count(*) FILTER (WHERE s.deptype = 'o') AS owned
  FROM key
 CROSS JOIN LATERAL ",
    role_dependents!("key.oid"),
    " s
 CROSS JOIN LATERAL ",
    by_oid!("pg_database", "s.dbid"),
    " d
 WHERE d.datname = $3::text
 GROUP BY d.oid, d.datallowconn"
);

/// What the role `$1`, `$2` holds, summed up: of tables only the schemas, of other databases only the names. The answer does not grow
/// with the tables. Each name is a subquery, not a join: with every statement the server sets up each join and the cache that it adds.
const SUMMARY: &str = concat!(
    "WITH ",
    role_key!(),
    "
SELECT DISTINCT CASE WHEN s.elsewhere THEN s.name END AS elsewhere,
       CASE WHEN s.of_table THEN s.name END AS tables_of,
       CASE WHEN s.of_schema THEN s.name END AS schema,
       CASE WHEN s.of_database THEN s.name END AS database,
       s.routine, pg_catalog.pg_get_userbyid(s.defaults[1]::oid)::text AS defaults_of,
       CASE WHEN s.of_defaults THEN s.name END AS defaults_in, s.defaults[3] AS defaults_for, s.class, s.other
  FROM (SELECT s.*,
               CASE WHEN s.elsewhere OR s.of_database
                    THEN (SELECT x.datname::text FROM pg_catalog.pg_database x
                           WHERE x.oid = CASE WHEN s.elsewhere THEN s.dbid ELSE s.objid END)
                    WHEN NOT s.is_other THEN (SELECT x.nspname::text FROM pg_catalog.pg_namespace x
                           WHERE x.oid = CASE WHEN s.of_schema THEN s.objid
                                              WHEN s.of_table THEN (SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid = s.objid)
                                              ELSE s.defaults[2]::oid END)
                END AS name
          FROM (SELECT s.*,
                       CASE WHEN s.of_routine
                            THEN (SELECT (pg_catalog.pg_identify_object('pg_catalog.pg_proc'::pg_catalog.regclass, x.oid, 0)).identity
                                    FROM pg_catalog.pg_proc x WHERE x.oid = s.objid) END AS routine,
                       CASE WHEN s.of_defaults
                            THEN (SELECT ARRAY[x.defaclrole::text, x.defaclnamespace::text, x.defaclobjtype::text]
                                    FROM pg_catalog.pg_default_acl x WHERE x.oid = s.objid) END AS defaults,
                       CASE WHEN s.is_other THEN s.classid::pg_catalog.regclass::text END AS class,
                       CASE WHEN s.is_other THEN (pg_catalog.pg_identify_object(s.classid, s.objid, 0)).identity END AS other
                  FROM (SELECT s.dbid, s.classid, s.objid, s.elsewhere,
                               NOT s.elsewhere AND s.classid NOT IN (
                                 'pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_namespace'::pg_catalog.regclass,
                                 'pg_catalog.pg_database'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass,
                                 'pg_catalog.pg_default_acl'::pg_catalog.regclass) AS is_other,
                               NOT s.elsewhere AND s.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AS of_table,
                               NOT s.elsewhere AND s.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AS of_schema,
                               NOT s.elsewhere AND s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AS of_database,
                               NOT s.elsewhere AND s.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AS of_routine,
                               NOT s.elsewhere AND s.classid = 'pg_catalog.pg_default_acl'::pg_catalog.regclass AS of_defaults
                          FROM key
                         CROSS JOIN LATERAL (
                               SELECT x.dbid, x.classid, x.objid, x.deptype,
                                      x.dbid NOT IN (0, (SELECT d.oid FROM pg_catalog.pg_database d
                                                          WHERE d.datname = pg_catalog.current_database())) AS elsewhere
                                 FROM pg_catalog.pg_shdepend x
                                WHERE x.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND x.refobjid = key.oid
                               OFFSET 0) s
                         WHERE s.deptype = 'a' OR s.elsewhere
                        OFFSET 0) s
                OFFSET 0) s
        OFFSET 0) s"
);

/// What a role holds, summed up so that it stays small and does not change when tables come and go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Other databases in which something depends on it.
    pub(crate) databases: BTreeSet<Identifier>,
    /// Schemas on whose tables, views or sequences it holds privileges.
    pub(crate) schemas_of_tables: BTreeSet<Identifier>,
    /// Everything else.
    pub(crate) others: BTreeSet<Holding>,
}

impl Summary {
    /// Whether it holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.databases.is_empty() && self.schemas_of_tables.is_empty() && self.others.is_empty()
    }

    /// Whether `other` holds all of this too.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.databases.is_subset(&other.databases)
            && self.schemas_of_tables.is_subset(&other.schemas_of_tables)
            && self.others.is_subset(&other.others)
    }
}

/// The other databases in which something depends on a role.
pub(crate) async fn databases(reader: &Reader, role: Key<'_>) -> Result<Vec<String>, Error> {
    let rows = reader.query(DATABASES, &role.values()).await?;
    rows.iter().map(|row| row.text("name")).collect()
}

/// What a role holds, summed up.
pub(crate) async fn summary(reader: &Reader, role: Key<'_>) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    for row in reader.query(SUMMARY, &role.values()).await? {
        if let Some(database) = name(&row, "elsewhere")? {
            summary.databases.insert(database);
        } else if let Some(schema) = name(&row, "tables_of")? {
            summary.schemas_of_tables.insert(schema);
        } else {
            summary.others.extend(other_holding(&row)?);
        }
    }
    Ok(summary)
}

/// What a role has in a database whose login the server has refused; `None`: nothing.
pub(crate) async fn behind(
    reader: &Reader,
    role: Key<'_>,
    database: &Identifier,
    refusal: String,
) -> Result<Option<Obstacle>, Error> {
    let rows = reader.query(ELSEWHERE, &role.and([Parameter::Text(database.as_str())])).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let cause = match (row.bool("datallowconn")?, row.bool("may_connect")?) {
        (false, _) => ShutBy::NoConnections,
        (true, false) => ShutBy::NoConnect,
        (true, true) => ShutBy::Refused(refusal),
    };
    Ok(Some(Obstacle::Shut { database: database.clone(), held: row.i64("held")?, owned: row.i64("owned")?, cause }))
}
