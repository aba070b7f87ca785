//! Replication slots.

use crate::postgres::{Error, Parameter, Reader, Row};

/// Logical slots of the whole server.
const LOGICAL_SLOTS: &str = "\
SELECT slot_name::text AS name, active, database = pg_catalog.current_database() AS here
FROM pg_catalog.pg_replication_slots
WHERE slot_type = 'logical'
ORDER BY slot_name";

/// A logical replication slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) name: String,
    /// Whether something reads from it now.
    pub(crate) active: bool,
    /// Whether it belongs to the queried database.
    pub(crate) here: bool,
}

/// The logical slots of the server, sorted by name.
pub(crate) async fn logical_slots(reader: &Reader) -> Result<Vec<Slot>, Error> {
    let rows = reader.query(LOGICAL_SLOTS, &[]).await?;
    let slot = |row: &Row| Ok(Slot { name: row.text("name")?, active: row.bool("active")?, here: row.bool("here")? });
    rows.iter().map(slot).collect()
}

/// Slots of the databases `$1`, or of the whole server if that is empty. `to_jsonb` reads columns that older servers lack. An
/// invalidated slot retains nothing.
const SLOTS: &str = "\
SELECT s.slot_name::text AS name, s.database::text AS database, s.plugin::text AS plugin, s.active,
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn)::int8 AS lag_bytes,
       pg_catalog.to_jsonb(s) ->> 'wal_status' AS wal_status,
       pg_catalog.to_jsonb(s) ->> 'invalidation_reason' AS invalidation_reason
  FROM pg_catalog.pg_replication_slots s
 WHERE pg_catalog.cardinality($1::text[]) = 0 OR s.database::text = ANY ($1::text[])
 ORDER BY s.slot_name::text COLLATE \"C\"";

/// A replication slot of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnySlot {
    pub(crate) name: String,
    /// `None`: it is physical, so it has no plugin either.
    pub(crate) database: Option<String>,
    pub(crate) plugin: Option<String>,
    pub(crate) active: bool,
    /// How far behind the end of the WAL it retains WAL; `None`: it retains none.
    pub(crate) lag_bytes: Option<i64>,
    /// `None` before PostgreSQL 13, and where it retains none.
    pub(crate) wal_status: Option<String>,
    /// `None` before PostgreSQL 17, and for a valid slot.
    pub(crate) invalidation_reason: Option<String>,
}

/// The slots of a database, or of the whole server, sorted by name.
pub(crate) async fn slots(reader: &Reader, database: Option<&str>) -> Result<Vec<AnySlot>, Error> {
    let slot = |row: &Row| {
        Ok(AnySlot {
            name: row.text("name")?,
            database: row.optional_text("database")?,
            plugin: row.optional_text("plugin")?,
            active: row.bool("active")?,
            lag_bytes: row.optional_i64("lag_bytes")?,
            wal_status: row.optional_text("wal_status")?,
            invalidation_reason: row.optional_text("invalidation_reason")?,
        })
    };
    reader.query(SLOTS, &[Parameter::Texts(database.into_iter().collect())]).await?.iter().map(slot).collect()
}

/// The names of slots of the database that are in use.
pub(crate) fn in_use_here(slots: &[Slot]) -> Vec<String> {
    slots.iter().filter(|slot| slot.active && slot.here).map(|slot| slot.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_active_slots_of_the_database_are_in_use_here() {
        let slot = |name: &str, active, here| Slot { name: name.to_owned(), active, here };
        let slots = [slot("a", true, true), slot("b", false, true), slot("c", true, false)];
        assert_eq!(in_use_here(&slots), ["a"]);
    }
}
