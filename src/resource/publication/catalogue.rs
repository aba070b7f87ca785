//! Catalogue queries and what they answer: the publication itself, and what a change of it would meet.

use std::collections::BTreeSet;

use tokio::try_join;

use super::diff::Current;
use super::model::{Publish, Scope};
use crate::postgres::version::{PUBLICATION_SCHEMAS, VIA_ROOT};
use crate::postgres::{Error, Identifier, Parameter, QualifiedTable, Reader, Row, ServerVersion};

/// A name found again counts more than an oid found again: names are what pipes and configurations go by. The oid finds a publication
/// that was renamed by hand. `to_jsonb` reads a column that older servers lack.
const PUBLICATION: &str = "\
SELECT p.oid, p.pubname::text AS name, p.puballtables AS all_tables,
       p.pubinsert AS insert, p.pubupdate AS update, p.pubdelete AS delete, p.pubtruncate AS truncate,
       (pg_catalog.to_jsonb(p) ->> 'pubviaroot')::bool AS via_root
FROM pg_catalog.pg_publication p
WHERE p.pubname = $1 OR p.oid = $2
ORDER BY p.pubname = $1 DESC
LIMIT 1";

const TABLES: &str = "\
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM pg_catalog.pg_publication_rel r
JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.prpubid = $1";

const SCHEMAS: &str = "\
SELECT n.nspname::text AS name
FROM pg_catalog.pg_publication_namespace p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pnnspid
WHERE p.pnpubid = $1";

/// Finds, among the tables that a query covers, those whose UPDATEs and DELETEs have nothing to identify a row by. Of a partitioned table
/// the leaves count. From PostgreSQL 18 on an identity with a generated column counts only if the publication (its name is the parameter
/// `$publication`) publishes that column, which it can for stored ones alone; a full identity has all columns.
macro_rules! without_identity {
    ($covered:literal, $publication:literal) => {
        concat!(
            "WITH covered AS (\n",
            $covered,
            "\n), leaf AS (
  SELECT oid FROM covered WHERE relkind = 'r'
  UNION
  SELECT p.relid FROM covered c, LATERAL pg_catalog.pg_partition_tree(c.oid) p WHERE c.relkind = 'p' AND p.isleaf
)
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM leaf l
JOIN pg_catalog.pg_class c ON c.oid = l.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
  AND (c.relreplident = 'd' AND i.indisprimary OR c.relreplident = 'i' AND i.indisreplident)
WHERE c.relkind = 'r' AND c.relpersistence = 'p'
  AND (c.relreplident <> 'f' AND i.indexrelid IS NULL
    OR pg_catalog.current_setting('server_version_num')::int4 >= 180000 AND EXISTS (
      SELECT FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> ''
        AND (c.relreplident = 'f' OR a.attnum = ANY (i.indkey))
        AND NOT (a.attgenerated = 's' AND EXISTS (
          SELECT FROM pg_catalog.pg_publication p
          WHERE p.pubname = ",
            $publication,
            " AND pg_catalog.to_jsonb(p) ->> 'pubgencols' = 's'))))
ORDER BY 1, 2"
        )
    };
}

const COVERED_WITHOUT_IDENTITY: &str = without_identity!(
    "  SELECT c.oid, c.relkind
  FROM pg_catalog.pg_publication_tables t
  JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
  WHERE t.pubname = $1",
    "$1"
);

/// The same for a scope that is not published yet: all tables, or listed tables and schemas.
const SCOPE_WITHOUT_IDENTITY: &str = without_identity!(
    "  SELECT c.oid, c.relkind
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= 16384 AND n.nspname <> 'information_schema'
    AND ($1 OR n.nspname = ANY ($2)
         OR (n.nspname::text, c.relname::text) IN (SELECT * FROM unnest($3, $4)))",
    "$5"
);

/// What stands behind listed names. A name without a row of its own has nulls.
const LISTED_TABLES: &str = "\
SELECT w.schema, w.name, c.relkind::text AS kind, c.relpersistence::text AS persistence, a.rolname::text AS owner,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned, current_user::text AS admin
FROM unnest($1, $2) AS w (schema, name)
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
LEFT JOIN pg_catalog.pg_roles a ON a.oid = c.relowner
ORDER BY 1, 2";

const MISSING_SCHEMAS: &str = "\
SELECT w.name
FROM pg_catalog.unnest($1) AS w (name)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = w.name)
ORDER BY 1";

const ACTIVE_SLOTS: &str = "\
SELECT slot_name::text AS name
FROM pg_catalog.pg_replication_slots
WHERE database = pg_catalog.current_database() AND active
ORDER BY 1";

/// A publication in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Observed {
    pub(super) oid: u32,
    pub(super) current: Current,
    /// Exposed tables, as `schema.table`; empty when neither updates nor deletes are published.
    pub(super) without_identity: Vec<String>,
}

/// A listed table as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListedTable {
    pub(super) table: QualifiedTable,
    pub(super) found: Option<FoundTable>,
}

/// What stands behind a listed name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundTable {
    /// `relkind`: `r` for a table, `p` for a partitioned table, `v` for a view, and so on.
    pub(super) kind: String,
    /// `relpersistence`: `p` for a permanent table.
    pub(super) persistence: String,
    pub(super) owner: String,
    /// True when the provider's role may act as the owner.
    pub(super) owned: bool,
    /// The provider's role.
    pub(super) admin: String,
}

/// What a change would meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lookup {
    pub(super) version: ServerVersion,
    /// The publication of that name or oid.
    pub(super) existing: Option<Observed>,
    /// The listed tables.
    pub(super) tables: Vec<ListedTable>,
    /// Listed schemas that do not exist.
    pub(super) missing_schemas: Vec<String>,
    /// Tables of the wanted scope without a usable replica identity, as `schema.table`.
    pub(super) without_identity: BTreeSet<String>,
}

/// Finds a publication by name, or by oid when it was renamed.
pub(super) async fn find(
    reader: &Reader,
    version: ServerVersion,
    name: &str,
    oid: Option<u32>,
) -> Result<Option<Observed>, Error> {
    let rows = reader.query(PUBLICATION, &[name.into(), Parameter::Oid(oid.unwrap_or(0))]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let oid = row.oid("oid")?;
    let name = row.text("name")?;
    let publish = Publish {
        insert: row.bool("insert")?,
        update: row.bool("update")?,
        delete: row.bool("delete")?,
        truncate: row.bool("truncate")?,
    };
    let scope = async { if row.bool("all_tables")? { Ok(Scope::AllTables) } else { listed_scope(reader, version, oid).await } };
    let without_identity = async {
        if !publish.needs_identity() {
            return Ok(Vec::new());
        }
        let rows = reader.query(COVERED_WITHOUT_IDENTITY, &[Parameter::Text(&name)]).await?;
        rows.iter().map(|row| table(row).map(|table| table.name())).collect()
    };
    // Awaited together, so that they cost one round trip.
    let (scope, without_identity) = try_join!(scope, without_identity)?;
    let via_root = if version.has(VIA_ROOT) { row.optional_bool("via_root")? } else { None };
    let current = Current { name: identifier(name)?, scope, publish, via_root };
    Ok(Some(Observed { oid, current, without_identity }))
}

async fn listed_scope(reader: &Reader, version: ServerVersion, oid: u32) -> Result<Scope, Error> {
    let tables = async {
        let rows = reader.query(TABLES, &[Parameter::Oid(oid)]).await?;
        rows.iter().map(table).collect::<Result<BTreeSet<_>, _>>()
    };
    let schemas = async {
        if !version.has(PUBLICATION_SCHEMAS) {
            return Ok(BTreeSet::new());
        }
        let rows = reader.query(SCHEMAS, &[Parameter::Oid(oid)]).await?;
        rows.iter().map(|row| identifier(row.text("name")?)).collect()
    };
    let (tables, schemas) = try_join!(tables, schemas)?;
    Ok(Scope::Listed { tables, schemas })
}

/// Looks up what a change to `scope` would meet.
pub(super) async fn look_up(
    reader: &Reader,
    version: ServerVersion,
    name: &str,
    oid: Option<u32>,
    scope: &Scope,
) -> Result<Lookup, Error> {
    let existing = find(reader, version, name, oid).await?;
    let (all_tables, tables, schemas) = match scope {
        Scope::AllTables => (true, &BTreeSet::new(), &BTreeSet::new()),
        Scope::Listed { tables, schemas } => (false, tables, schemas),
    };
    let table_schemas: Vec<&str> = tables.iter().map(|table| table.schema.as_str()).collect();
    let table_names: Vec<&str> = tables.iter().map(|table| table.table.as_str()).collect();
    let schemas: Vec<&str> = schemas.iter().map(Identifier::as_str).collect();
    let listed = [Parameter::Texts(table_schemas), Parameter::Texts(table_names)];
    let published_as = existing.as_ref().map_or(name, |existing| existing.current.name.as_str());
    let scope = [Parameter::Bool(all_tables), Parameter::Texts(schemas.clone())];
    let covered = [&scope[..], &listed, &[published_as.into()]].concat();
    let without_identity = async {
        let rows = reader.query(SCOPE_WITHOUT_IDENTITY, &covered).await?;
        rows.iter().map(|row| table(row).map(|table| table.name())).collect::<Result<BTreeSet<_>, _>>()
    };
    let tables = async {
        let rows = reader.query(LISTED_TABLES, &listed).await?;
        rows.iter().map(listed_table).collect::<Result<Vec<_>, _>>()
    };
    let missing_schemas = async {
        let rows = reader.query(MISSING_SCHEMAS, &[Parameter::Texts(schemas)]).await?;
        rows.iter().map(|row| row.text("name")).collect::<Result<Vec<_>, _>>()
    };
    let (without_identity, tables, missing_schemas) = try_join!(without_identity, tables, missing_schemas)?;
    Ok(Lookup { version, existing, tables, missing_schemas, without_identity })
}

/// Replication slots of the database that are in use.
pub(super) async fn active_slots(reader: &Reader) -> Result<Vec<String>, Error> {
    let rows = reader.query(ACTIVE_SLOTS, &[]).await?;
    rows.iter().map(|row| row.text("name")).collect()
}

fn listed_table(row: &Row) -> Result<ListedTable, Error> {
    let found = match (row.optional_text("kind")?, row.optional_text("owner")?) {
        (Some(kind), Some(owner)) => Some(FoundTable {
            kind,
            persistence: row.text("persistence")?,
            owner,
            owned: row.bool("owned")?,
            admin: row.text("admin")?,
        }),
        _ => None,
    };
    Ok(ListedTable { table: table(row)?, found })
}

fn table(row: &Row) -> Result<QualifiedTable, Error> {
    Ok(QualifiedTable { schema: identifier(row.text("schema")?)?, table: identifier(row.text("name")?)? })
}

fn identifier(name: String) -> Result<Identifier, Error> {
    Identifier::new(name).map_err(|error| Error::Decode { column: "name".to_owned(), source: Box::new(error) })
}
