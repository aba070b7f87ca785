//! What is stored next to the state of a publication. The tables are in the state, and there may be very many. Pure.

use serde::{Deserialize, Serialize};

use crate::postgres::identifier::InvalidQualifiedTable;
use crate::postgres::{Identifier, QualifiedTable, ServerVersion, Site};

/// What the state cannot express.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// The server's version.
    pub(super) version: Option<ServerVersion>,
    /// Where the publication was seen; `None` in what a release before 0.2 stored.
    #[serde(default)]
    pub(super) site: Option<Site>,
    /// Its oid, to recognise a state that belongs to something else.
    #[serde(default)]
    pub(super) oid: Option<u32>,
    /// Published tables whose names contain a dot, so that `schema.table` is ambiguous.
    dotted: Vec<QualifiedTable>,
}

impl Remembered {
    /// Of a publication of these tables.
    pub(super) fn new(
        version: Option<ServerVersion>,
        site: Option<Site>,
        oid: Option<u32>,
        tables: Vec<&QualifiedTable>,
    ) -> Self {
        let has_dot = |table: &&&QualifiedTable| table.schema.as_str().contains('.') || table.table.as_str().contains('.');
        Self { version, site, oid, dotted: tables.iter().filter(has_dot).map(|table| (*table).clone()).collect() }
    }

    /// The table with this name in the state. If a name with several dots is not remembered, for example after an earlier
    /// release, it is split at the first dot until the next look.
    pub(super) fn table(&self, name: &str) -> Result<QualifiedTable, InvalidQualifiedTable> {
        if let Some(table) = self.dotted.iter().find(|table| table.name() == name) {
            return Ok(table.clone());
        }
        match (name.parse(), name.split_once('.')) {
            (Err(InvalidQualifiedTable::Dotted { text }), Some((schema, table))) => {
                let part = |half: &str| {
                    Identifier::new(half).map_err(|source| InvalidQualifiedTable::Part { text: text.clone(), source })
                };
                Ok(QualifiedTable { schema: part(schema)?, table: part(table)? })
            }
            (parsed, _) => parsed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_several_dots_is_cut_where_it_was_seen() {
        let name = |text: &str| Identifier::new(text).unwrap();
        let (plain, dotted) = ("a.b".parse().unwrap(), QualifiedTable { schema: name("x.y"), table: name("z") });
        let remembered = Remembered::new(None, None, None, vec![&plain, &dotted]);
        assert_eq!(remembered.table("a.b").unwrap(), plain);
        assert_eq!(remembered.table("x.y.z").unwrap(), dotted);
        assert_eq!(Remembered::default().table("x.y.z").unwrap(), QualifiedTable { schema: name("x"), table: name("y.z") });
        assert!(remembered.table("orders").is_err());
    }
}
