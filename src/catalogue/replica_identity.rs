//! Replica identities: which tables reject UPDATE and DELETE once a publication publishes these operations.

use std::collections::BTreeSet;

use super::relation::{pairs, table};
use crate::postgres::version::PUBLICATION_SCHEMAS;
use crate::postgres::{Error, Parameter, QualifiedTable, Reader, Row, ServerVersion};

/// Finds, among the tables of a query, those in which UPDATE and DELETE cannot identify a row. Of a partitioned table the leaves
/// count. From PostgreSQL 18 on, an identity with a generated column counts only if the publication (its name is the parameter
/// `$publication`) publishes that column, which is possible only for stored ones; a full identity has all columns.
///
/// It reads the catalogue alone. The server's own functions for it (`pg_partition_tree`, `pg_get_publication_tables`) open every
/// table: they wait for a session that has locked one, and need minutes for thousands of schemas.
macro_rules! without_identity {
    ($covered:expr, $publication:literal) => {
        concat!(
            "WITH RECURSIVE covered AS (\n",
            $covered,
            "\n), tree AS (
  SELECT oid, relkind FROM covered
  UNION
  SELECT c.oid, c.relkind
  FROM tree t
  JOIN pg_catalog.pg_inherits h ON h.inhparent = t.oid
  JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid
  WHERE t.relkind = 'p'
), leaf AS (
  SELECT oid FROM tree WHERE relkind = 'r'
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

/// What a publication covers: all tables, or listed ones.
macro_rules! covered {
    () => {
        "  SELECT c.oid, c.relkind
  FROM pg_catalog.pg_publication p
  JOIN pg_catalog.pg_class c ON c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= 16384
  WHERE p.pubname = $1 AND p.puballtables
  UNION
  SELECT c.oid, c.relkind
  FROM pg_catalog.pg_publication p
  JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
  JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
  WHERE p.pubname = $1"
    };
}

const COVERED_WITHOUT_IDENTITY: &str = without_identity!(covered!(), "$1");

/// The same with the schemas that a publication covers.
const COVERED_OR_IN_SCHEMAS_WITHOUT_IDENTITY: &str = without_identity!(
    concat!(
        covered!(),
        "
  UNION
  SELECT c.oid, c.relkind
  FROM pg_catalog.pg_publication p
  JOIN pg_catalog.pg_publication_namespace s ON s.pnpubid = p.oid
  JOIN pg_catalog.pg_class c ON c.relnamespace = s.pnnspid AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
  WHERE p.pubname = $1"
    ),
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

/// What a publication covers, or would cover.
pub(crate) struct Covered<'a> {
    pub(crate) all_tables: bool,
    pub(crate) schemas: Vec<&'a str>,
    pub(crate) tables: Vec<&'a QualifiedTable>,
    /// Name of the publication: it matters whether it publishes generated columns.
    pub(crate) publication: &'a str,
}

/// The tables (of partitioned tables the leaves) that a publication publishes and that have no usable replica identity.
pub(crate) async fn published_without_identity(
    reader: &Reader,
    version: ServerVersion,
    publication: &str,
) -> Result<Vec<QualifiedTable>, Error> {
    let sql = match version.has(PUBLICATION_SCHEMAS) {
        true => COVERED_OR_IN_SCHEMAS_WITHOUT_IDENTITY,
        false => COVERED_WITHOUT_IDENTITY,
    };
    let rows = reader.query(sql, &[Parameter::Text(publication)]).await?;
    rows.iter().map(table).collect()
}

/// The same for a scope that is not published yet.
pub(crate) async fn without_identity(reader: &Reader, covered: &Covered<'_>) -> Result<BTreeSet<QualifiedTable>, Error> {
    let [schemas, names] = pairs(covered.tables.iter().copied());
    let parameters = [
        Parameter::Bool(covered.all_tables),
        Parameter::Texts(covered.schemas.clone()),
        schemas,
        names,
        Parameter::Text(covered.publication),
    ];
    let rows: Vec<Row> = reader.query(SCOPE_WITHOUT_IDENTITY, &parameters).await?;
    rows.iter().map(table).collect()
}
