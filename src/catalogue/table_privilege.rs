//! Privileges of a role on tables.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::key::Key;
use super::reach::{Reach, set_role_privilege};
use super::sql::{
    dependent, dependents, entries, granted, near_miss, of_extension, own, relation, relations_of, role_dependents, role_key,
    role_named, schema, secured,
};
use crate::postgres::{Error, Facts, Identifier, Parameter, QualifiedTable, Reader, Row};

/// `$1` and `$2` the role, `$3` schema names and `$4` table names in pairs, `$5` the privilege that SET ROLE needs.
const TABLES: &str = concat!(
    "WITH ",
    role_key!(),
    ", ",
    own!(),
    "
SELECT t.schema, t.name, c.oid IS NOT NULL AS present,
       COALESCE(pg_catalog.has_table_privilege(key.oid, c.oid, 'SELECT'), false) AS readable,
       COALESCE(",
    granted!("c.relacl", "pg_class", "c.oid", "c.relowner", "SELECT"),
    ", false) AS granted,
       COALESCE(c.relowner <> key.oid AND ",
    secured!(),
    ", false) AS secured,
       CASE WHEN c.oid IS NULL THEN ",
    near_miss!("pg_class", "relname", "t.name", "x.relnamespace = n.oid AND x.relkind IN ('r', 'p', 'v', 'm', 'f')"),
    " END AS near,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       COALESCE(pg_catalog.pg_has_role(c.relowner, 'USAGE')
                OR pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION'), false) AS inherited,
       COALESCE(pg_catalog.pg_has_role(c.relowner, $5::text), false) AS settable
  FROM key
 CROSS JOIN ROWS FROM (pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[])) AS t(schema, name)
  LEFT JOIN LATERAL ",
    schema!("t.schema"),
    " n ON true
  LEFT JOIN LATERAL ",
    relation!("n.oid", "t.name"),
    " c ON c.relkind IN ('r', 'p', 'v', 'm', 'f')"
);

/// Tables of schemas on which the role itself was not granted SELECT, and whether it may read them all the same. `$1` and `$2` the role, `$3` schema names, `$4` whether views count, `$5` the
/// privilege that SET ROLE needs.
const UNGRANTED: &str = concat!(
    "WITH ",
    role_key!(),
    ", ",
    own!(),
    "
SELECT n.name AS schema, c.relname::text AS name, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       pg_catalog.pg_has_role(c.relowner, 'USAGE')
         OR pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION') AS inherited,
       pg_catalog.pg_has_role(c.relowner, $5::text) AS settable,
       pg_catalog.has_table_privilege(key.oid, c.oid, 'SELECT') AS readable
  FROM key
 CROSS JOIN pg_catalog.unnest($3::text[]) AS w(name)
 CROSS JOIN LATERAL ",
    schema!("w.name"),
    " n
 CROSS JOIN LATERAL ",
    relations_of!("n.oid"),
    " c
 WHERE (c.relkind IN ('r', 'p') OR ($4::bool AND c.relkind IN ('v', 'm')))
   AND COALESCE(",
    granted!("c.relacl", "pg_class", "c.oid", "c.relowner", "SELECT"),
    ", false) IS FALSE
   AND NOT ",
    of_extension!(),
    "
 ORDER BY 1, 2"
);

/// Whether GRANT and REVOKE ON ALL TABLES of a schema would fail as a whole, because the admin lacks privileges on something in it,
/// or would skip a table, because the admin has some privilege on it but may not grant.
macro_rules! closed {
    ($schema:literal) => {
        concat!(
            "EXISTS (SELECT FROM ",
            relations_of!($schema),
            " c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
   AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION')
   AND (c.relkind IN ('r', 'p')
        OR NOT pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')))"
        )
    };
}

/// Tables and views of schemas on which the role itself was granted SELECT. `$1` and `$2` the role, `$3` schema names, `$4` the
/// privilege that SET ROLE needs, `$5` whether only closed schemas count.
const READABLE: &str = concat!(
    "WITH ",
    role_key!(),
    ", ",
    own!(),
    "
SELECT n.name AS schema, c.relname::text AS name, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       pg_catalog.pg_has_role(c.relowner, 'USAGE')
         OR pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION') AS inherited,
       pg_catalog.pg_has_role(c.relowner, $4::text) AS settable, true AS readable
  FROM key
 CROSS JOIN pg_catalog.unnest($3::text[]) AS w(name)
 CROSS JOIN LATERAL ",
    schema!("w.name"),
    " n
 CROSS JOIN LATERAL (SELECT n.oid WHERE NOT $5::bool OR ",
    closed!("n.oid"),
    " OFFSET 0) o
 CROSS JOIN LATERAL ",
    relations_of!("o.oid"),
    " c
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND ",
    granted!("c.relacl", "pg_class", "c.oid", "c.relowner", "SELECT"),
    "
 ORDER BY 1, 2"
);

/// Those of the schemas `$1` that are closed.
const CLOSED: &str = concat!(
    "SELECT n.name AS schema
  FROM pg_catalog.unnest($1::text[]) AS w(name)
 CROSS JOIN LATERAL ",
    schema!("w.name"),
    " n
 WHERE ",
    closed!("n.oid")
);

/// A table, and the role's access to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) exists: bool,
    /// Whether the role may read it, through any grant.
    pub(crate) select: bool,
    /// Whether SELECT is granted to the role itself.
    #[serde(default)]
    pub(crate) granted: bool,
    pub(crate) owner: Option<String>,
    pub(crate) reach: Reach,
    /// Whether row level security may hide rows from the role.
    #[serde(default)]
    pub(crate) secured: bool,
    /// If there is no such table: one of the schema whose name differs in case only.
    #[serde(default)]
    pub(crate) near: Option<String>,
}

/// A table, and how the admin can act for its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnedTable {
    pub(crate) table: QualifiedTable,
    pub(crate) owner: String,
    pub(crate) reach: Reach,
    /// Whether the role may read it, through any grant.
    pub(crate) readable: bool,
}

/// The tables with these names, and the access of the role, which may not exist yet.
pub(crate) async fn find_tables(
    reader: &Reader,
    facts: &Facts,
    role: Key<'_>,
    tables: &BTreeSet<&QualifiedTable>,
) -> Result<BTreeMap<String, Table>, Error> {
    let mut found = BTreeMap::new();
    if tables.is_empty() {
        return Ok(found);
    }
    let parameters = role.and([
        Parameter::Texts(tables.iter().map(|table| table.schema.as_str()).collect()),
        Parameter::Texts(tables.iter().map(|table| table.table.as_str()).collect()),
        Parameter::Text(set_role_privilege(facts)),
    ]);
    for row in reader.query(TABLES, &parameters).await? {
        let table = Table {
            exists: row.bool("present")?,
            select: row.bool("readable")?,
            granted: row.bool("granted")?,
            owner: row.optional_text("owner")?,
            reach: Reach::decode(&row)?,
            secured: row.bool("secured")?,
            near: row.optional_text("near")?,
        };
        found.insert(format!("{}.{}", row.text("schema")?, row.text("name")?), table);
    }
    Ok(found)
}

/// The tables of schemas on which the role, which may not exist yet, was not granted SELECT itself.
pub(crate) async fn ungranted_tables(
    reader: &Reader,
    facts: &Facts,
    role: Key<'_>,
    schemas: &[&Identifier],
    include_views: bool,
) -> Result<Vec<OwnedTable>, Error> {
    if schemas.is_empty() {
        return Ok(Vec::new());
    }
    let parameters = role.and([
        Parameter::Texts(schemas.iter().map(|schema| schema.as_str()).collect()),
        Parameter::Bool(include_views),
        Parameter::Text(set_role_privilege(facts)),
    ]);
    owned_tables(&reader.query(UNGRANTED, &parameters).await?)
}

/// The tables of schemas on which the role itself was granted SELECT; `in_closed`: only in those in which GRANT and REVOKE ON ALL
/// TABLES would fail as a whole.
pub(crate) async fn readable_tables(
    reader: &Reader,
    facts: &Facts,
    role: Key<'_>,
    schemas: &[&Identifier],
    in_closed: bool,
) -> Result<Vec<OwnedTable>, Error> {
    if schemas.is_empty() {
        return Ok(Vec::new());
    }
    let parameters = role.and([
        Parameter::Texts(schemas.iter().map(|schema| schema.as_str()).collect()),
        Parameter::Text(set_role_privilege(facts)),
        Parameter::Bool(in_closed),
    ]);
    owned_tables(&reader.query(READABLE, &parameters).await?)
}

fn owned_tables(rows: &[Row]) -> Result<Vec<OwnedTable>, Error> {
    let mut tables = Vec::new();
    for row in rows {
        let (Ok(schema), Ok(table)) = (Identifier::new(row.text("schema")?), Identifier::new(row.text("name")?)) else {
            continue;
        };
        tables.push(OwnedTable {
            table: QualifiedTable { schema, table },
            owner: row.text("owner")?,
            reach: Reach::decode(row)?,
            readable: row.bool("readable")?,
        });
    }
    Ok(tables)
}

/// Those of the schemas in which GRANT and REVOKE ON ALL TABLES would fail as a whole.
pub(crate) async fn closed_schemas(reader: &Reader, schemas: &[&Identifier]) -> Result<BTreeSet<String>, Error> {
    if schemas.is_empty() {
        return Ok(BTreeSet::new());
    }
    let names = schemas.iter().map(|schema| schema.as_str()).collect();
    let rows = reader.query(CLOSED, &[Parameter::Texts(names)]).await?;
    rows.iter().map(|row| row.text("schema")).collect()
}
