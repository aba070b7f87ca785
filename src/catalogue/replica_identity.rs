//! Replica identities: which tables reject UPDATE and DELETE once a publication publishes these operations.

use std::collections::BTreeSet;

use super::key::Key;
use super::relation::{pairs, table};
use super::sql::{by_oid, dependent, dependents, publication_key, relation, relations_of, schema};
use crate::postgres::version::PUBLICATION_SCHEMAS;
use crate::postgres::{Error, Parameter, QualifiedTable, Reader, Row, ServerVersion};

/// Finds, among the tables of a query, those in which UPDATE and DELETE cannot identify a row. Of a partitioned table the leaves
/// count. From PostgreSQL 18 on, an identity with a generated column counts only if the publication `$1`, `$2` publishes that column,
/// which is possible only for stored ones; a full identity has all columns.
///
/// It reads the catalogue alone. The server's own functions for it (`pg_partition_tree`, `pg_get_publication_tables`) open every
/// table: they wait for a session that has locked one, and need minutes for thousands of schemas.
macro_rules! without_identity {
    ($covered:expr) => {
        concat!(
            "WITH RECURSIVE ",
            publication_key!(),
            ", covered AS (\n",
            $covered,
            "\n), tree AS (
  SELECT oid, relkind FROM covered
  UNION
  SELECT c.oid, c.relkind
  FROM tree t
  CROSS JOIN LATERAL (SELECT x.inhrelid FROM pg_catalog.pg_inherits x WHERE x.inhparent = t.oid OFFSET 0) h
  CROSS JOIN LATERAL ",
            by_oid!("pg_class", "h.inhrelid"),
            " c
  WHERE t.relkind = 'p'
), leaf AS (
  SELECT oid FROM tree WHERE relkind = 'r'
)
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM leaf l
CROSS JOIN LATERAL ",
            by_oid!("pg_class", "l.oid"),
            " c
CROSS JOIN LATERAL ",
            by_oid!("pg_namespace", "c.relnamespace"),
            " n
LEFT JOIN LATERAL (SELECT x.* FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid OFFSET 0) i ON i.indisvalid AND i.indimmediate
  AND (c.relreplident = 'd' AND i.indisprimary OR c.relreplident = 'i' AND i.indisreplident)
WHERE c.relkind = 'r' AND c.relpersistence = 'p'
  AND (c.relreplident <> 'f' AND i.indexrelid IS NULL
    OR pg_catalog.current_setting('server_version_num')::int4 >= 180000 AND EXISTS (
      SELECT FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> ''
        AND (c.relreplident = 'f' OR a.attnum = ANY (i.indkey))
        AND NOT (a.attgenerated = 's' AND EXISTS (
          SELECT FROM key JOIN pg_catalog.pg_publication p ON p.oid = key.oid
          WHERE pg_catalog.to_jsonb(p) ->> 'pubgencols' = 's'))))
ORDER BY 1, 2"
        )
    };
}

/// All tables of the database that can be published, if a condition holds.
macro_rules! all_tables_if {
    ($condition:literal) => {
        concat!(
            "(SELECT x.oid, x.relkind FROM pg_catalog.pg_class x
    WHERE ",
            $condition,
            " AND x.relkind IN ('r', 'p') AND x.relpersistence = 'p' AND x.oid >= 16384 OFFSET 0)"
        )
    };
}

/// What a publication covers, if it publishes updates or deletes: all tables, or listed ones.
macro_rules! covered {
    () => {
        concat!(
            "  SELECT c.oid, c.relkind
  FROM key
  CROSS JOIN LATERAL ",
            by_oid!("pg_publication", "key.oid"),
            " p
  CROSS JOIN LATERAL ",
            all_tables_if!("p.puballtables AND (p.pubupdate OR p.pubdelete)"),
            " c
  UNION
  SELECT c.oid, c.relkind
  FROM key
  CROSS JOIN LATERAL ",
            by_oid!("pg_publication", "key.oid"),
            " p
  CROSS JOIN LATERAL ",
            dependents!("pg_publication", "p.oid"),
            " s
  CROSS JOIN LATERAL ",
            dependent!("pg_publication_rel"),
            " r
  CROSS JOIN LATERAL ",
            by_oid!("pg_class", "r.prrelid"),
            " c
  WHERE p.pubupdate OR p.pubdelete"
        )
    };
}

const COVERED_WITHOUT_IDENTITY: &str = without_identity!(covered!());

/// The same with the schemas that a publication covers.
const COVERED_OR_IN_SCHEMAS_WITHOUT_IDENTITY: &str = without_identity!(concat!(
    covered!(),
    "
  UNION
  SELECT c.oid, c.relkind
  FROM key
  CROSS JOIN LATERAL ",
    by_oid!("pg_publication", "key.oid"),
    " p
  CROSS JOIN LATERAL ",
    dependents!("pg_publication", "p.oid"),
    " s
  CROSS JOIN LATERAL ",
    dependent!("pg_publication_namespace"),
    " n
  CROSS JOIN LATERAL ",
    relations_of!("n.pnnspid"),
    " c
  WHERE (p.pubupdate OR p.pubdelete) AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p'"
));

/// The same for a scope that is not published yet: all tables (`$3`), or schemas (`$4`) and listed tables (`$5` and `$6`).
const SCOPE_WITHOUT_IDENTITY: &str = without_identity!(concat!(
    "  SELECT c.oid, c.relkind
  FROM ",
    all_tables_if!(
        "$3::bool AND x.relnamespace <> COALESCE((SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'information_schema'), 0)"
    ),
    " c
  UNION
  SELECT c.oid, c.relkind
  FROM pg_catalog.unnest($4::text[]) AS w(name)
  CROSS JOIN LATERAL ",
    schema!("w.name"),
    " n
  CROSS JOIN LATERAL ",
    relations_of!("n.oid"),
    " c
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= 16384
  UNION
  SELECT c.oid, c.relkind
  FROM ROWS FROM (pg_catalog.unnest($5::text[]), pg_catalog.unnest($6::text[])) AS w(schema, name)
  CROSS JOIN LATERAL ",
    schema!("w.schema"),
    " n
  CROSS JOIN LATERAL ",
    relation!("n.oid", "w.name"),
    " c
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= 16384"
));

/// What a publication covers, or would cover.
pub(crate) struct Covered<'a> {
    pub(crate) all_tables: bool,
    pub(crate) schemas: Vec<&'a str>,
    pub(crate) tables: Vec<&'a QualifiedTable>,
    /// The publication: it matters whether it publishes generated columns.
    pub(crate) publication: Key<'a>,
}

/// The tables (of partitioned tables the leaves) of which a publication publishes updates or deletes and that have no usable replica
/// identity.
pub(crate) async fn published_without_identity(
    reader: &Reader,
    version: ServerVersion,
    publication: Key<'_>,
) -> Result<Vec<QualifiedTable>, Error> {
    let sql = match version.has(PUBLICATION_SCHEMAS) {
        true => COVERED_OR_IN_SCHEMAS_WITHOUT_IDENTITY,
        false => COVERED_WITHOUT_IDENTITY,
    };
    let rows = reader.query(sql, &publication.values()).await?;
    rows.iter().map(table).collect()
}

/// The same for a scope that is not published yet.
pub(crate) async fn without_identity(reader: &Reader, covered: &Covered<'_>) -> Result<BTreeSet<QualifiedTable>, Error> {
    let [schemas, names] = pairs(covered.tables.iter().copied());
    let scope = [Parameter::Bool(covered.all_tables), Parameter::Texts(covered.schemas.clone()), schemas, names];
    let parameters = covered.publication.and(scope);
    let rows: Vec<Row> = reader.query(SCOPE_WITHOUT_IDENTITY, &parameters).await?;
    rows.iter().map(table).collect()
}
