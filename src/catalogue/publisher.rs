//! The publications that publish updates or deletes of one table, and what each of them needs of its replica identity: without it,
//! PostgreSQL refuses the application's UPDATE and DELETE.

use super::relation::identifier;
use super::sql::{by_oid, relation, schema};
use super::table_identity::{Generated, RowKey};
use crate::postgres::version::{PUBLICATION_ROW_FILTERS, PUBLISHED_GENERATED_COLUMNS};
use crate::postgres::{Error, Identifier, Parameter, QualifiedTable, Reader, Row, ServerVersion};

/// The table `$1`, `$2` and the partitioned tables above it: a partition is published with any of them. A partitioned table itself is
/// left out, because its rows are those of its partitions. No index leads to publications of all tables, so `pg_publication` is read
/// as a whole.
macro_rules! up {
    () => {
        concat!(
            "WITH RECURSIVE up AS (
  SELECT c.oid, c.relnamespace, c.relispartition, 0 AS height
  FROM ",
            schema!("$1::text"),
            " n CROSS JOIN LATERAL ",
            relation!("n.oid", "$2::text"),
            " c
  WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.oid >= 16384
  UNION ALL
  SELECT c.oid, c.relnamespace, c.relispartition, u.height + 1
  FROM up u
  CROSS JOIN LATERAL (SELECT x.inhparent FROM pg_catalog.pg_inherits x WHERE x.inhrelid = u.oid OFFSET 0) h
  CROSS JOIN LATERAL ",
            by_oid!("pg_class", "h.inhparent"),
            " c
  WHERE u.relispartition
)"
        )
    };
}

/// Before row filters and column lists.
const PUBLISHERS: &str = concat!(
    up!(),
    "
SELECT p.pubname::text AS name, '{}'::text[] AS filter, false AS has_list, '{}'::text[] AS list, false AS generated
FROM pg_catalog.pg_publication p
WHERE (p.pubupdate OR p.pubdelete) AND EXISTS (SELECT FROM up)
  AND (p.puballtables OR EXISTS (
    SELECT FROM up CROSS JOIN LATERAL (SELECT x.prpubid FROM pg_catalog.pg_publication_rel x WHERE x.prrelid = up.oid OFFSET 0) r
    WHERE r.prpubid = p.oid))
ORDER BY 1"
);

/// With them. Those of the topmost published table count if the publication publishes via the root, otherwise the table's own. A
/// filter names its columns by number, in the expression that is stored.
const PUBLISHERS_WITH_FILTERS: &str = concat!(
    up!(),
    ", listed AS (
  SELECT r.prpubid AS publication, u.height, r.prrelid AS relation, r.prqual::text AS filter, r.prattrs AS list
  FROM up u CROSS JOIN LATERAL (SELECT x.* FROM pg_catalog.pg_publication_rel x WHERE x.prrelid = u.oid OFFSET 0) r
  UNION ALL
  SELECT n.pnpubid, u.height, NULL, NULL, NULL
  FROM up u CROSS JOIN LATERAL (SELECT x.pnpubid FROM pg_catalog.pg_publication_namespace x WHERE x.pnnspid = u.relnamespace OFFSET 0) n
)
SELECT p.pubname::text AS name,
       ARRAY(SELECT DISTINCT a.attname::text FROM pg_catalog.regexp_matches(l.filter, ':varattno ([0-9]+)', 'g') AS m(numbers)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = l.relation AND a.attnum = m.numbers[1]::int4 ORDER BY 1) AS filter,
       l.list IS NOT NULL AS has_list,
       ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(l.list) AS k(number)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = l.relation AND a.attnum = k.number) AS list,
       COALESCE(pg_catalog.to_jsonb(p) ->> 'pubgencols' = 's', false) AS generated
FROM pg_catalog.pg_publication p
LEFT JOIN listed l ON l.publication = p.oid AND l.relation IS NOT NULL AND NOT p.puballtables
  AND l.height = CASE WHEN p.pubviaroot THEN (SELECT pg_catalog.max(o.height) FROM listed o WHERE o.publication = p.oid) ELSE 0 END
WHERE (p.pubupdate OR p.pubdelete) AND EXISTS (SELECT FROM up)
  AND (p.puballtables OR EXISTS (SELECT FROM listed o WHERE o.publication = p.oid))
ORDER BY 1"
);

/// A publication that publishes updates or deletes of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Publisher {
    pub(crate) name: Identifier,
    pub(crate) share: Share,
}

/// What a publication publishes of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    /// The columns of its row filter for the table.
    pub(crate) filter: Vec<String>,
    /// The columns that it publishes; `None`: there is no list.
    pub(crate) list: Option<Vec<String>>,
    /// Whether it publishes generated columns that are stored.
    pub(crate) generated: bool,
}

/// Why PostgreSQL refuses UPDATE or DELETE on a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Objection {
    /// Nothing identifies a row.
    NoIdentity,
    /// The row filter uses these columns, which are not part of the replica identity.
    Filter(Vec<String>),
    /// A full identity does not go with a list of columns.
    FullBesideList,
    /// These columns of the replica identity are not in the list of columns.
    List(Vec<String>),
    /// These columns of the replica identity are generated and not published.
    Generated(Vec<String>),
}

impl Share {
    /// Why a publication of this share makes UPDATE or DELETE fail on a table whose rows are identified so; `None`: it does not.
    pub(crate) fn objection(&self, table: &Generated, key: &RowKey, version: ServerVersion) -> Option<Objection> {
        let missing = |of: &[String], from: &[String]| -> Vec<String> {
            of.iter().filter(|column| !from.contains(column)).cloned().collect()
        };
        let some =
            |columns: Vec<String>, objection: fn(Vec<String>) -> Objection| (!columns.is_empty()).then(|| objection(columns));
        let published: &[String] = if self.generated { &table.stored } else { &[] };
        let of_table = [&table.stored[..], &table.virtual_columns].concat();
        let is_checked = version.has(PUBLISHED_GENERATED_COLUMNS);
        match (key, &self.list) {
            (RowKey::Nothing, _) => Some(Objection::NoIdentity),
            (RowKey::Full, Some(_)) => Some(Objection::FullBesideList),
            (RowKey::Full, None) => some(missing(&of_table, published), Objection::Generated).filter(|_| is_checked),
            (RowKey::Columns(key), list) => some(missing(&self.filter, key), Objection::Filter).or_else(|| match list {
                Some(list) => some(missing(key, list), Objection::List),
                None => {
                    let generated: Vec<String> = key.iter().filter(|column| of_table.contains(column)).cloned().collect();
                    some(missing(&generated, published), Objection::Generated).filter(|_| is_checked)
                }
            }),
        }
    }
}

/// The publications that publish updates or deletes of this table. None do so for a partitioned table, but for its partitions.
pub(crate) async fn publishers(reader: &Reader, version: ServerVersion, table: &QualifiedTable) -> Result<Vec<Publisher>, Error> {
    let sql = if version.has(PUBLICATION_ROW_FILTERS) { PUBLISHERS_WITH_FILTERS } else { PUBLISHERS };
    let publisher = |row: &Row| {
        Ok(Publisher {
            name: identifier(row.text("name")?)?,
            share: Share {
                filter: row.texts("filter")?,
                list: if row.bool("has_list")? { Some(row.texts("list")?) } else { None },
                generated: row.bool("generated")?,
            },
        })
    };
    let rows = reader.query(sql, &[Parameter::from(&table.schema), Parameter::from(&table.table)]).await?;
    rows.iter().map(publisher).collect()
}
