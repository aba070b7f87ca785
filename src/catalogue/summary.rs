//! What a role holds, summed up so that it can be stored beside a state. Holdings one by one are in `holdings`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::holdings::{Holding, name, other_holding};
use super::key::Key;
use super::sql::{about, by_oid, dependent, role_dependents, role_key};
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
/// with the tables.
const SUMMARY: &str = concat!(
    "WITH ",
    role_key!(),
    "
SELECT DISTINCT e.datname::text AS elsewhere, cn.nspname::text AS tables_of,
       n.nspname::text AS schema, d.datname::text AS database, p.identity AS routine,
       pg_catalog.pg_get_userbyid(f.defaclrole)::text AS defaults_of, fn.nspname::text AS defaults_in,
       f.defaclobjtype::text AS defaults_for
  FROM key
 CROSS JOIN LATERAL (
       SELECT CASE WHEN s.dbid IN (0, here.oid) THEN s.classid END AS classid, s.objid,
              CASE WHEN s.dbid NOT IN (0, here.oid) THEN s.dbid END AS elsewhere
         FROM ",
    role_dependents!("key.oid"),
    " s
        CROSS JOIN (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) AS here
        WHERE s.deptype = 'a' OR s.dbid NOT IN (0, here.oid)) AS s
  LEFT JOIN LATERAL ",
    by_oid!("pg_database", "s.elsewhere"),
    " e ON true
",
    about!()
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
