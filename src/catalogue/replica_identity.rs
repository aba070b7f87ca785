//! The tables of a publication on which UPDATE and DELETE may fail once it publishes these operations, with what decides it.

use super::key::Key;
use super::publisher::{Objection, Share};
use super::relation::{identifier, pairs, table};
use super::sql::{by_oid, dependent, dependents, publication_key, relation, relations_of, schema};
use super::table_identity::{Generated, RowKey};
use crate::postgres::version::PUBLICATION_SCHEMAS;
use crate::postgres::{Error, Parameter, QualifiedTable, Reader, Row, ServerVersion};

/// Finds, among the tables of a query, those of which more than the catalogue's answer to "is there an identity" has to be known: they
/// have none, or generated columns in it (from PostgreSQL 18 on it counts whether these are published), or a row filter or column
/// list. Of a partitioned table the leaves count. `$covered` says of each table whether it has a filter or list.
///
/// It reads the catalogue alone. The server's own functions for it (`pg_partition_tree`, `pg_get_publication_tables`) open every
/// table: they wait for a session that has locked one, and need minutes for thousands of schemas.
macro_rules! suspects {
    ($key:expr, $covered:expr) => {
        concat!(
            "WITH RECURSIVE ",
            $key,
            "covered AS (\n",
            $covered,
            "\n), tree AS (
  SELECT oid, relkind, restricted FROM covered
  UNION
  SELECT c.oid, c.relkind, t.restricted
  FROM tree t
  CROSS JOIN LATERAL (SELECT x.inhrelid FROM pg_catalog.pg_inherits x WHERE x.inhparent = t.oid OFFSET 0) h
  CROSS JOIN LATERAL ",
            by_oid!("pg_class", "h.inhrelid"),
            " c
  WHERE t.relkind = 'p'
), leaf AS (
  SELECT oid, pg_catalog.bool_or(restricted) AS restricted FROM tree WHERE relkind = 'r' GROUP BY oid
)
SELECT n.nspname::text AS schema, c.relname::text AS name, c.relreplident = 'f' AS full_row, i.indexrelid IS NOT NULL AS has_key,
       ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(number, place)
              JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
             WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS key,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = 's') AS stored,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = 'v') AS virtual,
       ARRAY(WITH RECURSIVE up AS (
               SELECT x.inhparent AS oid, 1 AS height FROM pg_catalog.pg_inherits x WHERE x.inhrelid = c.oid AND c.relispartition
               UNION ALL
               SELECT h.inhparent, u.height + 1 FROM up u
               CROSS JOIN LATERAL ",
            by_oid!("pg_class", "u.oid"),
            " p
               CROSS JOIN LATERAL (SELECT x.inhparent FROM pg_catalog.pg_inherits x WHERE x.inhrelid = p.oid OFFSET 0) h
               WHERE p.relispartition)
             SELECT part.text FROM up
             CROSS JOIN LATERAL ",
            by_oid!("pg_class", "up.oid"),
            " p CROSS JOIN LATERAL ",
            by_oid!("pg_namespace", "p.relnamespace"),
            " q CROSS JOIN LATERAL (VALUES (1, q.nspname::text), (2, p.relname::text)) AS part(place, text)
             ORDER BY up.height, part.place) AS above
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
  AND (l.restricted OR c.relreplident <> 'f' AND i.indexrelid IS NULL
    OR pg_catalog.current_setting('server_version_num')::int4 >= 180000 AND EXISTS (
      SELECT FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> ''
        AND (c.relreplident = 'f' OR a.attnum = ANY (i.indkey))))
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
            "  SELECT c.oid, c.relkind, false AS restricted
  FROM key
  CROSS JOIN LATERAL ",
            by_oid!("pg_publication", "key.oid"),
            " p
  CROSS JOIN LATERAL ",
            all_tables_if!("p.puballtables AND (p.pubupdate OR p.pubdelete)"),
            " c
  UNION ALL
  SELECT c.oid, c.relkind, (pg_catalog.to_jsonb(r) ->> 'prqual') IS NOT NULL OR (pg_catalog.to_jsonb(r) ->> 'prattrs') IS NOT NULL
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

const COVERED: &str = suspects!(concat!(publication_key!(), ", "), covered!());

/// The same with the schemas that a publication covers.
const COVERED_OR_IN_SCHEMAS: &str = suspects!(
    concat!(publication_key!(), ", "),
    concat!(
        covered!(),
        "
  UNION ALL
  SELECT c.oid, c.relkind, false
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
    )
);

/// The same for a scope that is not published yet: all tables (`$1`), or schemas (`$2`) and listed tables (`$3` and `$4`), of which those
/// with a row filter or column list are marked by a word in `$5`.
const SCOPE: &str = suspects!("", concat!(
    "  SELECT c.oid, c.relkind, false AS restricted
  FROM ",
    all_tables_if!(
        "$1::bool AND x.relnamespace <> COALESCE((SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'information_schema'), 0)"
    ),
    " c
  UNION ALL
  SELECT c.oid, c.relkind, false
  FROM pg_catalog.unnest($2::text[]) AS w(name)
  CROSS JOIN LATERAL ",
    schema!("w.name"),
    " n
  CROSS JOIN LATERAL ",
    relations_of!("n.oid"),
    " c
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= 16384
  UNION ALL
  SELECT c.oid, c.relkind, w.restricted <> ''
  FROM ROWS FROM (pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[]), pg_catalog.unnest($5::text[])) AS w(schema, name, restricted)
  CROSS JOIN LATERAL ",
    schema!("w.schema"),
    " n
  CROSS JOIN LATERAL ",
    relation!("n.oid", "w.name"),
    " c
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= 16384"
));

/// What a publication would cover.
pub(crate) struct Covered<'a> {
    pub(crate) all_tables: bool,
    pub(crate) schemas: Vec<&'a str>,
    /// Listed tables, each with whether it has a row filter or a column list.
    pub(crate) tables: Vec<(&'a QualifiedTable, bool)>,
}

/// A table (of a partitioned table the leaf) that a publication covers, and on which UPDATE or DELETE may fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suspect {
    pub(crate) table: QualifiedTable,
    /// The partitioned tables above it, the nearest first.
    pub(crate) above: Vec<QualifiedTable>,
    /// What identifies a row.
    pub(crate) key: RowKey,
    /// All its columns.
    pub(crate) columns: Vec<String>,
    pub(crate) generated: Generated,
}

impl Suspect {
    /// Why UPDATE or DELETE on it fails if this share of it is published; `None`: it does not fail.
    pub(crate) fn objection(&self, share: &Share, version: ServerVersion) -> Option<Objection> {
        share.objection(&self.generated, &self.key, version)
    }
}

/// The suspects of a publication that publishes updates or deletes, sorted; none of another one.
pub(crate) async fn published_suspects(
    reader: &Reader,
    version: ServerVersion,
    publication: Key<'_>,
) -> Result<Vec<Suspect>, Error> {
    let sql = if version.has(PUBLICATION_SCHEMAS) { COVERED_OR_IN_SCHEMAS } else { COVERED };
    reader.query(sql, &publication.values()).await?.iter().map(suspect).collect()
}

/// Those of a scope that is not published yet.
pub(crate) async fn suspects(reader: &Reader, covered: &Covered<'_>) -> Result<Vec<Suspect>, Error> {
    let [schemas, names] = pairs(covered.tables.iter().map(|(table, _)| *table));
    let restricted = covered.tables.iter().map(|(_, restricted)| if *restricted { "restricted" } else { "" });
    let restricted = Parameter::Texts(restricted.collect());
    let scope = [Parameter::Bool(covered.all_tables), Parameter::Texts(covered.schemas.clone()), schemas, names, restricted];
    reader.query(SCOPE, &scope).await?.iter().map(suspect).collect()
}

fn suspect(row: &Row) -> Result<Suspect, Error> {
    let key = match (row.bool("full_row")?, row.bool("has_key")?) {
        (true, _) => RowKey::Full,
        (false, true) => RowKey::Columns(row.texts("key")?),
        (false, false) => RowKey::Nothing,
    };
    let name = |half: &String| identifier(half.clone());
    let above = row.texts("above")?;
    let above = above.chunks_exact(2).map(|pair| Ok(QualifiedTable { schema: name(&pair[0])?, table: name(&pair[1])? }));
    Ok(Suspect {
        table: table(row)?,
        above: above.collect::<Result<_, Error>>()?,
        key,
        columns: row.texts("columns")?,
        generated: Generated { stored: row.texts("stored")?, virtual_columns: row.texts("virtual")? },
    })
}
