//! The replica identity of one table, and what a change of it depends on.

use serde::{Deserialize, Serialize};

use super::reach::{Reach, set_role_privilege};
use super::relation::{Kind, Persistence, identifier};
use super::sql::{by_oid, relation, schema};
use crate::postgres::{Error, Facts, Identifier, Parameter, QualifiedTable, Reader, Row};

/// The table `$1`, `$2`; `$3` is what `pg_has_role` calls the privilege for SET ROLE. Nothing here opens the table, so its size is
/// what VACUUM or ANALYZE has last seen.
const TABLE: &str = concat!(
    "SELECT c.oid, c.relkind::text AS kind, c.relpersistence::text AS persistence, c.relreplident::text AS identity,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, current_user::text AS admin,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS inherits, pg_catalog.pg_has_role(c.relowner, $3::text) AS settable,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS usage,
       pg_catalog.has_schema_privilege(c.relowner, n.oid, 'USAGE') AS owner_usage,
       GREATEST(c.relpages, 0)::int8 * pg_catalog.current_setting('block_size')::int8 AS bytes,
       pg_catalog.pg_stat_get_tuples_updated(c.oid) AS updated, pg_catalog.pg_stat_get_tuples_deleted(c.oid) AS deleted,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_inherits x WHERE x.inhparent = c.oid) AS partitions,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = 's') AS stored,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = 'v') AS virtual
  FROM ",
    schema!("$1::text"),
    " n CROSS JOIN LATERAL ",
    relation!("n.oid", "$2::text"),
    " c"
);

/// The indexes of the table `$1`, `$2`, each with the columns of its key; an expression has none.
const INDEXES: &str = concat!(
    "SELECT ic.relname::text AS name, i.indisprimary AS primary_key, i.indisreplident AS chosen, i.indisunique AS unique_key,
       i.indimmediate AS immediate, i.indisvalid AS valid, i.indpred IS NOT NULL AS partial, i.indexprs IS NOT NULL AS expressions,
       ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(number, place)
              JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
             WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns,
       ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(number, place)
              JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
             WHERE k.place <= i.indnkeyatts AND NOT a.attnotnull ORDER BY k.place) AS nullable
  FROM ",
    schema!("$1::text"),
    " n CROSS JOIN LATERAL ",
    relation!("n.oid", "$2::text"),
    " c CROSS JOIN LATERAL (SELECT x.* FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid OFFSET 0) i CROSS JOIN LATERAL ",
    by_oid!("pg_class", "i.indexrelid"),
    " ic ORDER BY 1"
);

/// The first oid that an object of a user has.
const FIRST_OF_USERS: u32 = 16_384;

/// What identifies an old row in the WAL.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReplicaIdentity {
    /// The columns of the primary key, if there is one.
    Default,
    /// The whole row.
    Full,
    /// Nothing does.
    Nothing,
    /// The columns of this index; `None`: it was dropped, so nothing does.
    Index(Option<Identifier>),
}

impl ReplicaIdentity {
    /// From `pg_class.relreplident`, and the index that is chosen.
    fn decode(letter: &str, chosen: Option<&Index>) -> Self {
        match letter {
            "f" => Self::Full,
            "n" => Self::Nothing,
            "i" => Self::Index(chosen.map(|index| index.name.clone())),
            _ => Self::Default,
        }
    }
}

/// The columns that identify an old row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RowKey {
    /// None do.
    Nothing,
    /// All of them.
    Full,
    /// These.
    Columns(Vec<String>),
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: Identifier,
    /// Whether it is that of the primary key.
    pub(crate) primary: bool,
    /// Whether it is the table's replica identity, if that is an index.
    pub(crate) chosen: bool,
    pub(crate) unique: bool,
    /// Whether duplicates are refused at once, not at the end of the transaction.
    pub(crate) immediate: bool,
    pub(crate) valid: bool,
    pub(crate) partial: bool,
    pub(crate) expressions: bool,
    /// The columns of its key.
    pub(crate) columns: Vec<String>,
    /// Those of them that may be NULL.
    pub(crate) nullable: Vec<String>,
}

/// Why PostgreSQL does not accept an index as a replica identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    NotUnique,
    Partial,
    Expressions,
    Deferrable,
    Invalid,
    /// These columns of it may be NULL.
    Nullable(Vec<String>),
}

impl Index {
    /// Why it cannot be a replica identity; `None`: it can.
    pub(crate) fn unfit(&self) -> Option<Unfit> {
        let faults = [
            (!self.unique, Unfit::NotUnique),
            (self.partial, Unfit::Partial),
            (self.expressions, Unfit::Expressions),
            (!self.immediate, Unfit::Deferrable),
            (!self.valid, Unfit::Invalid),
        ];
        let fault = faults.into_iter().find_map(|(holds, fault)| holds.then_some(fault));
        fault.or_else(|| (!self.nullable.is_empty()).then(|| Unfit::Nullable(self.nullable.clone())))
    }

    fn identifies(&self) -> bool {
        self.valid && self.immediate
    }
}

/// A relation, as far as its replica identity is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) oid: u32,
    pub(crate) kind: Kind,
    pub(crate) persistence: Persistence,
    pub(crate) identity: ReplicaIdentity,
    pub(crate) indexes: Vec<Index>,
    pub(crate) owner: String,
    /// The provider's role.
    pub(crate) admin: String,
    /// How that role can alter the table.
    pub(crate) reach: Reach,
    /// Whether only the schema keeps it from the table.
    pub(crate) is_schema_closed: bool,
    /// Its size without TOAST and indexes, in bytes, when VACUUM or ANALYZE last saw it; 0: they never did, or it is partitioned.
    pub(crate) bytes: i64,
    /// Rows updated and deleted since the statistics of the database began.
    pub(crate) updated: i64,
    pub(crate) deleted: i64,
    /// Its direct partitions, or the tables that inherit from it.
    pub(crate) partitions: i64,
    pub(crate) generated: Generated,
}

/// The generated columns of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Generated {
    pub(crate) stored: Vec<String>,
    pub(crate) virtual_columns: Vec<String>,
}

impl Table {
    /// Whether it is a table of users, with a replica identity of its own.
    pub(crate) fn has_identity(&self) -> bool {
        matches!(self.kind, Kind::Table | Kind::PartitionedTable)
            && self.persistence != Persistence::Temporary
            && !self.is_built_in()
    }

    /// Whether it belongs to the server itself.
    pub(crate) fn is_built_in(&self) -> bool {
        self.oid < FIRST_OF_USERS
    }

    /// The index with this name.
    pub(crate) fn index(&self, name: &Identifier) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == *name)
    }

    /// What would identify a row; `None`: that depends on an index which does not exist.
    pub(crate) fn key(&self, identity: &ReplicaIdentity) -> Option<RowKey> {
        let of = |index: Option<&Index>| {
            let columns = index.filter(|index| index.identifies()).map(|index| index.columns.clone());
            columns.map_or(RowKey::Nothing, RowKey::Columns)
        };
        match identity {
            ReplicaIdentity::Full => Some(RowKey::Full),
            ReplicaIdentity::Nothing | ReplicaIdentity::Index(None) => Some(RowKey::Nothing),
            ReplicaIdentity::Default => Some(of(self.indexes.iter().find(|index| index.primary))),
            ReplicaIdentity::Index(Some(name)) => self.index(name).map(|index| of(Some(index))),
        }
    }

    /// Whether this replica identity can be set.
    pub(crate) fn can_have(&self, identity: &ReplicaIdentity) -> bool {
        match identity {
            ReplicaIdentity::Index(name) => {
                name.as_ref().and_then(|name| self.index(name)).is_some_and(|index| index.unfit().is_none())
            }
            ReplicaIdentity::Default | ReplicaIdentity::Full | ReplicaIdentity::Nothing => true,
        }
    }
}

/// The relation with this name.
pub(crate) async fn find_table(reader: &Reader, facts: &Facts, table: &QualifiedTable) -> Result<Option<Table>, Error> {
    let [schema, name] = [Parameter::from(&table.schema), Parameter::from(&table.table)];
    let with_privilege = [schema.clone(), name.clone(), Parameter::Text(set_role_privilege(facts))];
    let (rows, indexes) = tokio::try_join!(reader.query(TABLE, &with_privilege), find_indexes(reader, [schema, name]))?;
    rows.first().map(|row| decode(row, indexes)).transpose()
}

async fn find_indexes(reader: &Reader, table: [Parameter<'_>; 2]) -> Result<Vec<Index>, Error> {
    let index = |row: &Row| {
        Ok(Index {
            name: identifier(row.text("name")?)?,
            primary: row.bool("primary_key")?,
            chosen: row.bool("chosen")?,
            unique: row.bool("unique_key")?,
            immediate: row.bool("immediate")?,
            valid: row.bool("valid")?,
            partial: row.bool("partial")?,
            expressions: row.bool("expressions")?,
            columns: row.texts("columns")?,
            nullable: row.texts("nullable")?,
        })
    };
    reader.query(INDEXES, &table).await?.iter().map(index).collect()
}

fn decode(row: &Row, indexes: Vec<Index>) -> Result<Table, Error> {
    let (inherits, settable) = (row.bool("inherits")?, row.bool("settable")?);
    let reach = match (inherits && row.bool("usage")?, settable && row.bool("owner_usage")?) {
        (true, _) => Reach::Inherited,
        (false, true) => Reach::SetRole,
        (false, false) => Reach::None,
    };
    Ok(Table {
        oid: row.oid("oid")?,
        kind: Kind::decode(&row.text("kind")?),
        persistence: Persistence::decode(&row.text("persistence")?),
        identity: ReplicaIdentity::decode(&row.text("identity")?, indexes.iter().find(|index| index.chosen)),
        indexes,
        owner: row.text("owner")?,
        admin: row.text("admin")?,
        reach,
        is_schema_closed: reach == Reach::None && (inherits || settable),
        bytes: row.i64("bytes")?,
        updated: row.i64("updated")?,
        deleted: row.i64("deleted")?,
        partitions: row.i64("partitions")?,
        generated: Generated { stored: row.texts("stored")?, virtual_columns: row.texts("virtual")? },
    })
}
