//! Replication slots.

use crate::postgres::{Error, Reader};

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
    let slot =
        |row: &crate::postgres::Row| Ok(Slot { name: row.text("name")?, active: row.bool("active")?, here: row.bool("here")? });
    rows.iter().map(slot).collect()
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
