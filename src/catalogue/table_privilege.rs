//! Privileges of a role on tables.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::reach::{Reach, set_role_privilege};
use crate::postgres::{Error, Facts, Identifier, Parameter, QualifiedTable, Reader, Row};

/// `$1` the role (0 for none), `$2` schema names and `$3` table names in pairs, `$4` the privilege that SET ROLE needs.
const TABLES: &str = "\
SELECT t.schema, t.name, c.oid IS NOT NULL AS present,
       COALESCE(pg_catalog.has_table_privilege($1::oid, c.oid, 'SELECT'), false) AS readable,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       COALESCE(pg_catalog.pg_has_role(c.relowner, 'USAGE')
                OR pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION'), false) AS inherited,
       COALESCE(pg_catalog.pg_has_role(c.relowner, $4::text), false) AS settable
  FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) AS t(schema, name)
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
  LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";

/// Tables of schemas that the role may not read. `$1` the role (0 for none), `$2` schema names, `$3` whether views count, `$4` the
/// privilege that SET ROLE needs.
const UNREADABLE: &str = "\
SELECT n.nspname::text AS schema, c.relname::text AS name, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       pg_catalog.pg_has_role(c.relowner, 'USAGE')
         OR pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION') AS inherited,
       pg_catalog.pg_has_role(c.relowner, $4::text) AS settable
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY ($2::text[])
   AND (c.relkind IN ('r', 'p') OR ($3::bool AND c.relkind IN ('v', 'm')))
   AND NOT pg_catalog.has_table_privilege($1::oid, c.oid, 'SELECT')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                    WHERE x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid AND x.deptype = 'e')
 ORDER BY 1, 2";

/// Tables and views of schemas on which the role itself was granted SELECT. `$1` the role, `$2` schema names, `$3` the privilege
/// that SET ROLE needs.
const READABLE: &str = "\
SELECT n.nspname::text AS schema, c.relname::text AS name, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       pg_catalog.pg_has_role(c.relowner, 'USAGE')
         OR pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION') AS inherited,
       pg_catalog.pg_has_role(c.relowner, $3::text) AS settable
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY ($2::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) a WHERE a.grantee = $1::oid AND a.privilege_type = 'SELECT')
 ORDER BY 1, 2";

/// Schemas in which GRANT and REVOKE ON ALL TABLES would fail as a whole, because the admin lacks privileges on something in
/// them, or would skip a table, because the admin has some privilege on it but may not grant.
const CLOSED: &str = "\
SELECT DISTINCT n.nspname::text AS schema
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
   AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION')
   AND (c.relkind IN ('r', 'p')
        OR NOT pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'))";

/// A table, and the role's access to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) exists: bool,
    /// Whether the role may read it, through any grant.
    pub(crate) select: bool,
    pub(crate) owner: Option<String>,
    pub(crate) reach: Reach,
}

/// A table, and how the admin can act for its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnedTable {
    pub(crate) table: QualifiedTable,
    pub(crate) owner: String,
    pub(crate) reach: Reach,
}

/// The tables with these names, and the access of the role (0: a role that does not exist yet).
pub(crate) async fn find_tables(
    reader: &Reader,
    facts: &Facts,
    role: u32,
    tables: &BTreeSet<&QualifiedTable>,
) -> Result<BTreeMap<String, Table>, Error> {
    let mut found = BTreeMap::new();
    if tables.is_empty() {
        return Ok(found);
    }
    let parameters = [
        Parameter::Oid(role),
        Parameter::Texts(tables.iter().map(|table| table.schema.as_str()).collect()),
        Parameter::Texts(tables.iter().map(|table| table.table.as_str()).collect()),
        Parameter::Text(set_role_privilege(facts)),
    ];
    for row in reader.query(TABLES, &parameters).await? {
        let table = Table {
            exists: row.bool("present")?,
            select: row.bool("readable")?,
            owner: row.optional_text("owner")?,
            reach: Reach::decode(&row)?,
        };
        found.insert(format!("{}.{}", row.text("schema")?, row.text("name")?), table);
    }
    Ok(found)
}

/// The tables of schemas that the role (0: a role that does not exist yet) may not read.
pub(crate) async fn unreadable_tables(
    reader: &Reader,
    facts: &Facts,
    role: u32,
    schemas: &[&Identifier],
    include_views: bool,
) -> Result<Vec<OwnedTable>, Error> {
    let parameters = [
        Parameter::Oid(role),
        Parameter::Texts(schemas.iter().map(|schema| schema.as_str()).collect()),
        Parameter::Bool(include_views),
        Parameter::Text(set_role_privilege(facts)),
    ];
    owned_tables(&reader.query(UNREADABLE, &parameters).await?)
}

/// The tables of schemas on which the role itself was granted SELECT.
pub(crate) async fn readable_tables(
    reader: &Reader,
    facts: &Facts,
    role: u32,
    schemas: &[&Identifier],
) -> Result<Vec<OwnedTable>, Error> {
    let parameters = [
        Parameter::Oid(role),
        Parameter::Texts(schemas.iter().map(|schema| schema.as_str()).collect()),
        Parameter::Text(set_role_privilege(facts)),
    ];
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
        });
    }
    Ok(tables)
}

/// Those of the schemas in which GRANT and REVOKE ON ALL TABLES would fail as a whole.
pub(crate) async fn closed_schemas(reader: &Reader, schemas: &[&Identifier]) -> Result<BTreeSet<String>, Error> {
    let names = schemas.iter().map(|schema| schema.as_str()).collect();
    let rows = reader.query(CLOSED, &[Parameter::Texts(names)]).await?;
    rows.iter().map(|row| row.text("schema")).collect()
}
