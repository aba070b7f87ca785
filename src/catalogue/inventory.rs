//! The tables and views of schemas, with what decides whether they can be published.

use super::relation::{Kind, Persistence, table};
use super::sql::by_oid;
use crate::postgres::{Error, Parameter, QualifiedTable, Reader, Row};

/// Whether a table `$table` has a replica identity that is usable in a publication which does not publish generated columns.
macro_rules! is_identified {
    ($table:literal) => {
        concat!(
            "(",
            $table,
            ".relreplident = 'f' OR EXISTS (
          SELECT FROM (SELECT * FROM pg_catalog.pg_index x WHERE x.indrelid = ",
            $table,
            ".oid OFFSET 0) i
           WHERE i.indisvalid AND i.indimmediate
             AND (",
            $table,
            ".relreplident = 'd' AND i.indisprimary OR ",
            $table,
            ".relreplident = 'i' AND i.indisreplident)
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                              WHERE a.attrelid = i.indrelid AND a.attgenerated <> '' AND a.attnum = ANY (i.indkey))))
       AND NOT (",
            $table,
            ".relreplident = 'f' AND pg_catalog.current_setting('server_version_num')::int4 >= 180000
            AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
                         WHERE a.attrelid = ",
            $table,
            ".oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> ''))"
        )
    };
}

/// What is in the schemas `$1`, or in all but the server's own if that is empty. It opens no table, so sizes are what VACUUM or
/// ANALYZE has last seen, and nothing waits for a lock. Of a partitioned table the leaves need the identity.
const RELATIONS: &str = concat!(
    "WITH RECURSIVE wanted AS MATERIALIZED (
  SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind, c.relpersistence, c.relispartition, c.relreplident,
         c.relowner, c.relpages
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND c.oid >= 16384
     AND CASE WHEN pg_catalog.cardinality($1::text[]) > 0 THEN n.nspname::text = ANY ($1::text[])
              ELSE pg_catalog.left(n.nspname::text, 3) <> 'pg_' AND n.nspname <> 'information_schema' END
), tree AS (
  SELECT oid AS root, oid, relkind FROM wanted WHERE relkind = 'p'
  UNION ALL
  SELECT t.root, c.oid, c.relkind
    FROM tree t
   CROSS JOIN LATERAL (SELECT x.inhrelid FROM pg_catalog.pg_inherits x WHERE x.inhparent = t.oid OFFSET 0) h
   CROSS JOIN LATERAL ",
    by_oid!("pg_class", "h.inhrelid"),
    " c
   WHERE t.relkind = 'p'
), unready AS (
  SELECT t.root, pg_catalog.min(n.nspname::text || '.' || l.relname::text) AS leaf
    FROM tree t
   CROSS JOIN LATERAL ",
    by_oid!("pg_class", "t.oid"),
    " l
   CROSS JOIN LATERAL ",
    by_oid!("pg_namespace", "l.relnamespace"),
    " n
   WHERE t.relkind = 'r' AND NOT (",
    is_identified!("l"),
    ")
   GROUP BY 1
)
SELECT w.schema, w.name, w.relkind::text AS kind, w.relpersistence::text AS persistence,
       w.relreplident::text AS identity, pg_catalog.pg_get_userbyid(w.relowner)::text AS owner,
       CASE WHEN w.relkind IN ('r', 'm')
            THEN GREATEST(w.relpages, 0)::int8 * pg_catalog.current_setting('block_size')::int8 END AS bytes,
       ARRAY(SELECT a.attname::text
               FROM (SELECT * FROM pg_catalog.pg_index x WHERE x.indrelid = w.oid AND x.indisprimary OFFSET 0) i
              CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(number, place)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
              WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS primary_key,
       CASE WHEN w.relispartition THEN (
         SELECT n.nspname::text || '.' || r.relname::text
           FROM ",
    by_oid!("pg_class", "pg_catalog.pg_partition_root(w.oid)"),
    " r CROSS JOIN LATERAL ",
    by_oid!("pg_namespace", "r.relnamespace"),
    " n) END AS root,
       CASE w.relkind WHEN 'r' THEN ",
    is_identified!("w"),
    " WHEN 'p' THEN u.root IS NULL ELSE false END AS identified,
       u.leaf AS unready_leaf
  FROM wanted w
  LEFT JOIN unready u ON u.root = w.oid
 ORDER BY w.schema COLLATE \"C\", w.name COLLATE \"C\""
);

/// A table or a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: QualifiedTable,
    pub(crate) kind: Kind,
    pub(crate) persistence: Persistence,
    pub(crate) owner: String,
    /// Without TOAST and indexes, when VACUUM or ANALYZE last saw it; `None`: it has no content of its own.
    pub(crate) bytes: Option<i64>,
    /// The columns of the primary key, in its order.
    pub(crate) primary_key: Vec<String>,
    /// `pg_class.relreplident`.
    pub(crate) replica_identity: String,
    /// The partitioned table at the top, as `schema.table`; `None`: it is no partition.
    pub(crate) partition_root: Option<String>,
    /// Whether updates and deletes of it can be published without generated columns.
    pub(crate) is_identified: bool,
    /// Of a partitioned table: a leaf of which they cannot.
    pub(crate) unready_leaf: Option<String>,
}

/// What is in these schemas, or in all of them if there are none, sorted by name.
pub(crate) async fn relations(reader: &Reader, schemas: Vec<&str>) -> Result<Vec<Listed>, Error> {
    let listed = |row: &Row| {
        Ok(Listed {
            name: table(row)?,
            kind: Kind::decode(&row.text("kind")?),
            persistence: Persistence::decode(&row.text("persistence")?),
            owner: row.text("owner")?,
            bytes: row.optional_i64("bytes")?,
            primary_key: row.texts("primary_key")?,
            replica_identity: row.text("identity")?,
            partition_root: row.optional_text("root")?,
            is_identified: row.bool("identified")?,
            unready_leaf: row.optional_text("unready_leaf")?,
        })
    };
    reader.query(RELATIONS, &[Parameter::Texts(schemas)]).await?.iter().map(listed).collect()
}
