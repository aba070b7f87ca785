//! What a role holds, summed up so that it can be stored beside a state. Holdings one by one are in `holdings`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::holdings::{Holding, name, other_holding};
use super::key::Key;
use super::sql::{by_oid, role_dependents, role_key, role_named};
use crate::postgres::{Error, Identifier, Reader};

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
       CASE WHEN s.of_defaults THEN s.name END AS defaults_in, s.defaults[3] AS defaults_for
  FROM (SELECT s.*,
               CASE WHEN s.elsewhere OR s.of_database
                    THEN (SELECT x.datname::text FROM pg_catalog.pg_database x
                           WHERE x.oid = CASE WHEN s.elsewhere THEN s.dbid ELSE s.objid END)
                    ELSE (SELECT x.nspname::text FROM pg_catalog.pg_namespace x
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
                                    FROM pg_catalog.pg_default_acl x WHERE x.oid = s.objid) END AS defaults
                  FROM (SELECT s.dbid, s.objid, s.elsewhere,
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
