//! Tables that a publication leaves out although its scope looks as if it had them: those that inherit from a published table, and
//! unlogged and foreign tables of a published schema.

use super::key::Key;
use super::relation::{pairs, table};
use super::sql::{by_oid, dependent, dependents, publication_key, relation, relations_of, schema};
use crate::postgres::version::PUBLICATION_SCHEMAS;
use crate::postgres::{Error, Parameter, QualifiedTable, Reader, ServerVersion};

/// `$schemas` are the published schemas `n`, `$listed` the listed tables `c`. A partition does not count: it is published with its
/// root. Nothing here opens a table.
macro_rules! unpublished {
    ($key:expr, $schemas:expr, $listed:expr) => {
        concat!(
            "WITH RECURSIVE ",
            $key,
            "members AS MATERIALIZED (
  SELECT c.oid, c.relkind, c.relpersistence
  FROM ",
            $schemas,
            " CROSS JOIN LATERAL ",
            relations_of!("n.oid"),
            " c
  WHERE c.relkind IN ('r', 'p', 'f') AND c.oid >= 16384
), covered AS MATERIALIZED (
  SELECT c.oid FROM members c WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
  UNION
  SELECT c.oid FROM ",
            $listed,
            "
), heirs AS (
  SELECT h.inhrelid AS oid
  FROM covered c
  CROSS JOIN LATERAL (SELECT x.inhrelid FROM pg_catalog.pg_inherits x WHERE x.inhparent = c.oid OFFSET 0) h
  UNION
  SELECT h.inhrelid
  FROM heirs t
  CROSS JOIN LATERAL (SELECT x.inhrelid FROM pg_catalog.pg_inherits x WHERE x.inhparent = t.oid OFFSET 0) h
), found AS (
  SELECT h.oid, 'child' AS reason FROM heirs h WHERE NOT EXISTS (SELECT FROM covered c WHERE c.oid = h.oid)
  UNION ALL
  SELECT m.oid, CASE m.relkind WHEN 'f' THEN 'foreign' ELSE 'unlogged' END FROM members m
   WHERE m.relkind = 'f' OR m.relpersistence = 'u'
)
SELECT n.nspname::text AS schema, c.relname::text AS name, f.reason
  FROM found f
 CROSS JOIN LATERAL ",
            by_oid!("pg_class", "f.oid"),
            " c
 CROSS JOIN LATERAL ",
            by_oid!("pg_namespace", "c.relnamespace"),
            " n
 WHERE c.relpersistence <> 't' AND NOT (c.relispartition AND f.reason = 'child')
 ORDER BY 1, 2, 3"
        )
    };
}

/// The listed tables of the publication `$1`, `$2`.
macro_rules! listed {
    () => {
        concat!(
            "key CROSS JOIN LATERAL ",
            dependents!("pg_publication", "key.oid"),
            " s
  CROSS JOIN LATERAL ",
            dependent!("pg_publication_rel"),
            " r
  CROSS JOIN LATERAL ",
            by_oid!("pg_class", "r.prrelid"),
            " c"
        )
    };
}

const OF_TABLES: &str =
    unpublished!(concat!(publication_key!(), ", "), "(SELECT NULL::oid AS oid FROM key WHERE false) n", listed!());

const OF_TABLES_AND_SCHEMAS: &str = unpublished!(
    concat!(publication_key!(), ", "),
    concat!(
        "(SELECT p.pnnspid AS oid FROM key CROSS JOIN LATERAL ",
        dependents!("pg_publication", "key.oid"),
        " s CROSS JOIN LATERAL ",
        dependent!("pg_publication_namespace"),
        " p) n"
    ),
    listed!()
);

/// The same for a scope that is not published yet: schemas (`$1`) and listed tables (`$2` and `$3`).
const OF_SCOPE: &str = unpublished!(
    "",
    concat!("pg_catalog.unnest($1::text[]) AS w(wanted) CROSS JOIN LATERAL ", schema!("w.wanted"), " n"),
    concat!(
        "ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) AS w(in_schema, wanted) CROSS JOIN LATERAL ",
        schema!("w.in_schema"),
        " n CROSS JOIN LATERAL ",
        relation!("n.oid", "w.wanted"),
        " c"
    )
);

/// Why a table is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unpublished {
    /// It inherits from a published table, and is not published itself.
    Child,
    /// It is an unlogged table of a published schema.
    Unlogged,
    /// It is a foreign table of a published schema.
    Foreign,
}

/// What the publication with this key leaves out, sorted.
pub(crate) async fn unpublished(
    reader: &Reader,
    version: ServerVersion,
    publication: Key<'_>,
) -> Result<Vec<(QualifiedTable, Unpublished)>, Error> {
    let sql = if version.has(PUBLICATION_SCHEMAS) { OF_TABLES_AND_SCHEMAS } else { OF_TABLES };
    ask(reader, sql, &publication.values()).await
}

/// What a publication of this scope would leave out, sorted.
pub(crate) async fn unpublished_of<'a>(
    reader: &Reader,
    schemas: Vec<&str>,
    tables: impl Iterator<Item = &'a QualifiedTable> + Clone,
) -> Result<Vec<(QualifiedTable, Unpublished)>, Error> {
    let [in_schemas, names] = pairs(tables);
    ask(reader, OF_SCOPE, &[Parameter::Texts(schemas), in_schemas, names]).await
}

async fn ask(
    reader: &Reader,
    sql: &'static str,
    parameters: &[Parameter<'_>],
) -> Result<Vec<(QualifiedTable, Unpublished)>, Error> {
    let mut found = Vec::new();
    for row in reader.query(sql, parameters).await? {
        let reason = match row.text("reason")?.as_str() {
            "foreign" => Unpublished::Foreign,
            "unlogged" => Unpublished::Unlogged,
            _ => Unpublished::Child,
        };
        found.push((table(&row)?, reason));
    }
    Ok(found)
}
