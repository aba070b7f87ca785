//! The publications of a database, and what one publishes.

use std::collections::{BTreeMap, BTreeSet};

use super::key::Key;
use super::relation::{identifier, table};
use super::sql::{by_oid, dependent, dependents, publication_key};
use crate::postgres::version::{PUBLICATION_ROW_FILTERS, PUBLICATION_SCHEMAS};
use crate::postgres::{Error, Identifier, Parameter, QualifiedTable, Reader, Row, ServerVersion};

/// Sorted as bytes, so that no collation of a database makes a difference.
const NAMES: &str = "\
SELECT p.name
FROM (SELECT x.pubname::text AS name, pg_catalog.row_number() OVER (ORDER BY x.pubname::text COLLATE \"C\") AS place
      FROM pg_catalog.pg_publication x) p
WHERE p.place <= $1::int4
ORDER BY p.place";

/// `$1` and `$2` the publication. `to_jsonb` reads a column that older servers lack.
const PUBLICATION: &str = concat!(
    "WITH ",
    publication_key!(),
    "
SELECT p.oid, p.pubname::text AS name, pg_catalog.pg_get_userbyid(p.pubowner)::text AS owner, p.puballtables AS all_tables,
       p.pubinsert AS insert, p.pubupdate AS update, p.pubdelete AS delete, p.pubtruncate AS truncate,
       (pg_catalog.to_jsonb(p) ->> 'pubviaroot')::bool AS via_root,
       pg_catalog.to_jsonb(p) ->> 'pubgencols' = 's' AS generated,
       (SELECT s.xmin::text FROM pg_catalog.pg_shdepend s
         WHERE s.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
           AND s.classid = 'pg_catalog.pg_publication'::pg_catalog.regclass AND s.objid = p.oid AND s.deptype = 'o') AS since
  FROM key
  JOIN pg_catalog.pg_publication p ON p.oid = key.oid"
);

/// The tables that the publication `$1`, `$2` lists, each with these columns of its entry `r`.
macro_rules! tables {
    ($restriction:literal) => {
        concat!(
            "WITH ",
            publication_key!(),
            "
SELECT n.nspname::text AS schema, c.relname::text AS name, ",
            $restriction,
            "
  FROM key
 CROSS JOIN LATERAL ",
            dependents!("pg_publication", "key.oid"),
            " s
 CROSS JOIN LATERAL ",
            dependent!("pg_publication_rel"),
            " r
 CROSS JOIN LATERAL ",
            by_oid!("pg_class", "r.prrelid"),
            " c
 CROSS JOIN LATERAL ",
            by_oid!("pg_namespace", "c.relnamespace"),
            " n"
        )
    };
}

/// Before row filters and column lists.
const TABLES: &str = tables!("'{}'::text[] AS columns, NULL::text AS filter, '{}'::text[] AS used");

/// With them. A stored filter names its columns by number.
const RESTRICTED_TABLES: &str = tables!(
    "ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(r.prattrs) AS k(number)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = k.number) AS columns,
       CASE WHEN r.prqual IS NOT NULL THEN pg_catalog.pg_get_expr(r.prqual, r.prrelid) END AS filter,
       ARRAY(SELECT DISTINCT a.attname::text FROM pg_catalog.regexp_matches(r.prqual::text, ':varattno ([0-9]+)', 'g') AS m(numbers)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = m.numbers[1]::int4) AS used"
);

/// The schemas that the publication `$1`, `$2` lists.
const SCHEMAS: &str = concat!(
    "WITH ",
    publication_key!(),
    "
SELECT n.nspname::text AS name
  FROM key
 CROSS JOIN LATERAL ",
    dependents!("pg_publication", "key.oid"),
    " s
 CROSS JOIN LATERAL ",
    dependent!("pg_publication_namespace"),
    " p
 CROSS JOIN LATERAL ",
    by_oid!("pg_namespace", "p.pnnspid"),
    " n"
);

/// A publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) oid: u32,
    pub(crate) name: Identifier,
    pub(crate) owner: Identifier,
    pub(crate) all_tables: bool,
    pub(crate) insert: bool,
    pub(crate) update: bool,
    pub(crate) delete: bool,
    pub(crate) truncate: bool,
    /// `None` before PostgreSQL 13.
    pub(crate) via_root: Option<bool>,
    /// Whether it publishes generated columns that are stored; `None` before PostgreSQL 18.
    pub(crate) generated: Option<bool>,
    /// The transaction that gave it its owner, as a number; `None` if that is the server's own superuser.
    pub(crate) since: Option<String>,
}

/// The names of the first publications, sorted.
pub(crate) async fn publication_names(reader: &Reader, limit: usize) -> Result<Vec<Identifier>, Error> {
    let limit = Parameter::Int(i32::try_from(limit).unwrap_or(i32::MAX));
    let rows = reader.query(NAMES, &[limit]).await?;
    rows.iter().map(|row| identifier(row.text("name")?)).collect()
}

/// The publication with this key.
pub(crate) async fn find_publication(reader: &Reader, key: Key<'_>) -> Result<Option<Published>, Error> {
    let rows = reader.query(PUBLICATION, &key.values()).await?;
    let published = |row: &Row| {
        Ok(Published {
            oid: row.oid("oid")?,
            name: identifier(row.text("name")?)?,
            owner: identifier(row.text("owner")?)?,
            all_tables: row.bool("all_tables")?,
            insert: row.bool("insert")?,
            update: row.bool("update")?,
            delete: row.bool("delete")?,
            truncate: row.bool("truncate")?,
            via_root: row.optional_bool("via_root")?,
            generated: row.optional_bool("generated")?,
            since: row.optional_text("since")?,
        })
    };
    rows.first().map(published).transpose()
}

/// What a publication publishes of a table that it lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// These columns only; empty: all.
    pub(crate) columns: BTreeSet<Identifier>,
    /// These rows only: an expression, as the server writes it.
    pub(crate) filter: Option<String>,
    /// The columns that the filter uses.
    pub(crate) used: Vec<String>,
}

/// The tables that a publication lists.
pub(crate) async fn published_tables(
    reader: &Reader,
    version: ServerVersion,
    key: Key<'_>,
) -> Result<BTreeMap<QualifiedTable, Entry>, Error> {
    let sql = if version.has(PUBLICATION_ROW_FILTERS) { RESTRICTED_TABLES } else { TABLES };
    let entry = |row: &Row| {
        let columns = row.texts("columns")?.into_iter().map(identifier).collect::<Result<_, _>>()?;
        Ok((table(row)?, Entry { columns, filter: row.optional_text("filter")?, used: row.texts("used")? }))
    };
    reader.query(sql, &key.values()).await?.iter().map(entry).collect()
}

/// The schemas that a publication lists.
pub(crate) async fn published_schemas(
    reader: &Reader,
    version: ServerVersion,
    key: Key<'_>,
) -> Result<BTreeSet<Identifier>, Error> {
    if !version.has(PUBLICATION_SCHEMAS) {
        return Ok(BTreeSet::new());
    }
    let rows = reader.query(SCHEMAS, &key.values()).await?;
    rows.iter().map(|row| identifier(row.text("name")?)).collect()
}
