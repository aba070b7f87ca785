//! Tables as a pipe meets them: what its role may read of them, and what it would not get.

use std::collections::BTreeMap;

use super::inventory::{Listed, relations};
use super::relation::{identifier, pairs, table};
use super::sql::{by_oid, relation, role_named, schema, secured};
use crate::postgres::{Error, Identifier, Parameter, QualifiedTable, Reader, Row};

/// The tables that a publication `$1` publishes, each once: of partitioned ones the roots, if it publishes via the root.
const PUBLISHED: &str = "\
SELECT t.schemaname::text AS schema, t.tablename::text AS name
  FROM pg_catalog.pg_publication_tables t
 WHERE t.pubname = $1::text
 ORDER BY 1, 2";

/// Tables by name, in pairs of schema `$1` and name `$2`, and what the role `$3` may do with them. Without a role its columns are NULL.
const TABLES: &str = concat!(
    "WITH key AS MATERIALIZED (SELECT COALESCE(",
    role_named!("$3::text"),
    ", 0::oid) AS oid)
SELECT w.schema, w.name, c.oid IS NOT NULL AS found,
       CASE WHEN r.oid IS NOT NULL THEN COALESCE(pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE'), false) END AS usage,
       CASE WHEN r.oid IS NOT NULL THEN COALESCE(pg_catalog.has_table_privilege(r.oid, c.oid, 'SELECT'), false) END AS selectable,
       c.oid IS NOT NULL AND r.oid IS NOT NULL AND NOT (r.rolsuper OR r.rolbypassrls)
         AND (c.relforcerowsecurity OR NOT pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE')) AND ",
    secured!(),
    " AS secured,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> '') AS generated,
       c.relreplident <> 'f' AND EXISTS (
         SELECT FROM pg_catalog.pg_attribute a
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attstorage IN ('x', 'e')) AS toasted,
       ARRAY(WITH RECURSIVE child AS (
               SELECT x.inhrelid AS oid FROM pg_catalog.pg_inherits x WHERE x.inhparent = c.oid AND c.relkind = 'r'
               UNION
               SELECT x.inhrelid FROM child p CROSS JOIN LATERAL (SELECT x.inhrelid FROM pg_catalog.pg_inherits x WHERE x.inhparent = p.oid OFFSET 0) x)
             SELECT part.text FROM child
              CROSS JOIN LATERAL ",
    by_oid!("pg_class", "child.oid"),
    " p CROSS JOIN LATERAL ",
    by_oid!("pg_namespace", "p.relnamespace"),
    " q CROSS JOIN LATERAL (VALUES (1, q.nspname::text), (2, p.relname::text)) AS part(place, text)
              ORDER BY q.nspname, p.relname, part.place) AS children
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS w(schema, name)
 CROSS JOIN key
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = key.oid
  LEFT JOIN LATERAL ",
    schema!("w.schema"),
    " n ON true
  LEFT JOIN LATERAL ",
    relation!("n.oid", "w.name"),
    " c ON true
 ORDER BY 1, 2"
);

/// For each schema in `$1`, the owners of tables in it whose new tables the role `$2` will not be able to read.
const WITHOUT_DEFAULTS: &str = concat!(
    "WITH key AS MATERIALIZED (SELECT ",
    role_named!("$2::text"),
    " AS oid)
SELECT DISTINCT n.nspname::text AS schema, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner
  FROM key
 CROSS JOIN pg_catalog.unnest($1::text[]) AS w(name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.name
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
 WHERE key.oid IS NOT NULL AND NOT pg_catalog.pg_has_role(key.oid, c.relowner, 'USAGE')
   AND NOT EXISTS (
     SELECT FROM pg_catalog.pg_default_acl d
      WHERE d.defaclrole = c.relowner AND d.defaclobjtype = 'r' AND d.defaclnamespace IN (0, n.oid)
        AND d.defaclacl OPERATOR(pg_catalog.@>) pg_catalog.makeaclitem(key.oid, d.defaclrole, 'SELECT', false))
 ORDER BY 1, 2"
);

/// A table that is to be replicated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceTable {
    pub(crate) name: QualifiedTable,
    /// What it is; `None`: there is no table or view of this name.
    pub(crate) listed: Option<Listed>,
    /// Whether the role may use its schema; `None`: there is no such role.
    pub(crate) usage: Option<bool>,
    /// Whether the role may read all of its columns.
    pub(crate) selectable: Option<bool>,
    /// Whether row level security may hide rows from the role.
    pub(crate) secured: bool,
    /// Its generated columns.
    pub(crate) generated: Vec<String>,
    /// Whether a long value that an UPDATE does not change is left out of what is sent.
    pub(crate) toasted: bool,
    /// The tables that inherit from it and are no partitions.
    pub(crate) children: Vec<QualifiedTable>,
}

/// The tables that a publication publishes, as a subscriber sees them.
pub(crate) async fn published(reader: &Reader, publication: &Identifier) -> Result<Vec<QualifiedTable>, Error> {
    reader.query(PUBLISHED, &[publication.into()]).await?.iter().map(table).collect()
}

/// These tables, as the role meets them, and whose new tables it will not be able to read: schema and owner.
pub(crate) async fn source_tables(
    reader: &Reader,
    tables: &[QualifiedTable],
    role: Option<&Identifier>,
) -> Result<(Vec<SourceTable>, Vec<(Identifier, Identifier)>), Error> {
    if tables.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut schemas: Vec<&str> = tables.iter().map(|table| table.schema.as_str()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    let role = Parameter::Text(role.map(Identifier::as_str).unwrap_or_default());
    let [of, names] = pairs(tables.iter());
    let (by_name, by_schema) = ([of, names, role.clone()], [Parameter::Texts(schemas.clone()), role]);
    let (rows, listed, owners) = tokio::try_join!(
        reader.query(TABLES, &by_name),
        relations(reader, schemas),
        reader.query(WITHOUT_DEFAULTS, &by_schema),
    )?;
    let mut listed: BTreeMap<QualifiedTable, Listed> = listed.into_iter().map(|listed| (listed.name.clone(), listed)).collect();
    let found = rows.iter().map(|row| decode(row, &mut listed)).collect::<Result<_, _>>()?;
    let owner = |row: &Row| Ok((identifier(row.text("schema")?)?, identifier(row.text("owner")?)?));
    Ok((found, owners.iter().map(owner).collect::<Result<_, Error>>()?))
}

fn decode(row: &Row, listed: &mut BTreeMap<QualifiedTable, Listed>) -> Result<SourceTable, Error> {
    let name = table(row)?;
    let half = |text: &String| identifier(text.clone());
    let children = row.texts("children")?;
    let children = children.chunks_exact(2).map(|pair| Ok(QualifiedTable { schema: half(&pair[0])?, table: half(&pair[1])? }));
    Ok(SourceTable {
        listed: if row.bool("found")? { listed.remove(&name) } else { None },
        usage: row.optional_bool("usage")?,
        selectable: row.optional_bool("selectable")?,
        secured: row.bool("secured")?,
        generated: row.texts("generated")?,
        toasted: row.optional_bool("toasted")?.unwrap_or(false),
        children: children.collect::<Result<_, Error>>()?,
        name,
    })
}
