//! Replica identities: which tables reject UPDATE and DELETE once a publication publishes these operations.

use std::collections::BTreeSet;

use super::relation::{pairs, table};
use crate::postgres::{Error, Parameter, QualifiedTable, Reader, Row};

/// Finds, among the tables of a query, those in which UPDATE and DELETE cannot identify a row. Of a partitioned table the leaves
/// count. From PostgreSQL 18 on, an identity with a generated column counts only if the publication (its name is the parameter
/// `$publication`) publishes that column, which is possible only for stored ones; a full identity has all columns.
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

/// What a publication covers, or would cover.
pub(crate) struct Covered<'a> {
    pub(crate) all_tables: bool,
    pub(crate) schemas: Vec<&'a str>,
    pub(crate) tables: Vec<&'a QualifiedTable>,
    /// Name of the publication: it matters whether it publishes generated columns.
    pub(crate) publication: &'a str,
}

/// The tables (of partitioned tables the leaves) that a publication publishes and that have no usable replica identity.
pub(crate) async fn published_without_identity(reader: &Reader, publication: &str) -> Result<Vec<QualifiedTable>, Error> {
    let rows = reader.query(COVERED_WITHOUT_IDENTITY, &[Parameter::Text(publication)]).await?;
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
