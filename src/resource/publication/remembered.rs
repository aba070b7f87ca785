//! What is stored next to the state of a publication. The tables are in the state, and there may be very many. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::left_out::LeftOut;
use crate::postgres::identifier::{InvalidIdentifier, InvalidQualifiedTable};
use crate::postgres::{Identifier, QualifiedTable, ServerVersion, Site};
use crate::printable::{is_printable_line, printable_line};

/// What the state cannot express.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// The server's version.
    pub(super) version: Option<ServerVersion>,
    /// Where the publication was seen; `None` in what an earlier build stored.
    #[serde(default)]
    pub(super) site: Option<Site>,
    /// The provider's role; `None` in what an earlier build stored.
    #[serde(default)]
    pub(super) admin: Option<Identifier>,
    /// What the scope leaves out.
    #[serde(default)]
    pub(super) left_out: LeftOut,
    /// Its oid, to recognise a state that belongs to something else.
    #[serde(default)]
    pub(super) oid: Option<u32>,
    /// The transaction that gave it its owner.
    #[serde(default)]
    pub(super) since: Option<String>,
    /// Published tables whose names contain a dot, so that `schema.table` is ambiguous, or characters that the state shows escaped.
    #[serde(alias = "dotted")]
    pub(super) odd: Vec<QualifiedTable>,
    /// Row filters as the server writes them: the state has them as they were applied.
    #[serde(default)]
    pub(super) filters: Vec<(QualifiedTable, String)>,
    /// Published schemas of the latter kind.
    #[serde(default)]
    pub(super) odd_schemas: Vec<Identifier>,
}

impl Remembered {
    /// With what these published tables and schemas need.
    pub(super) fn of(self, tables: &BTreeSet<QualifiedTable>, schemas: &BTreeSet<Identifier>) -> Self {
        let is_odd = |name: &Identifier| !is_printable_line(name.as_str());
        let has_dot = |table: &QualifiedTable| table.schema.as_str().contains('.') || table.table.as_str().contains('.');
        let is_odd_table = |table: &&QualifiedTable| has_dot(table) || is_odd(&table.schema) || is_odd(&table.table);
        let odd = tables.iter().filter(is_odd_table).cloned().collect();
        let odd_schemas = schemas.iter().filter(|schema| is_odd(schema)).cloned().collect();
        Self { odd, odd_schemas, ..self }
    }

    /// The table with this name in the state. If a name with several dots is not remembered, for example after an earlier
    /// release, it is split at the first dot until the next look.
    pub(super) fn table(&self, name: &str) -> Result<QualifiedTable, InvalidQualifiedTable> {
        if let Some(table) = self.odd.iter().find(|table| is_shown_as(&table.name(), name)) {
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

    /// The schema with this name in the state.
    pub(super) fn schema(&self, name: &str) -> Result<Identifier, InvalidIdentifier> {
        let odd = self.odd_schemas.iter().find(|schema| is_shown_as(schema.as_str(), name));
        odd.map_or_else(|| Identifier::new(name), |schema| Ok(schema.clone()))
    }
}

/// Whether a name stands for `shown` in a state.
fn is_shown_as(name: &str, shown: &str) -> bool {
    name == shown || printable_line(name) == shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_several_dots_is_cut_where_it_was_seen() {
        let name = |text: &str| Identifier::new(text).unwrap();
        let (plain, dotted): (QualifiedTable, _) =
            ("a.b".parse().unwrap(), QualifiedTable { schema: name("x.y"), table: name("z") });
        let tables = [plain.clone(), dotted.clone()].into();
        let remembered = Remembered::default().of(&tables, &[name("a\nb")].into());
        assert_eq!(remembered.schema("a\\nb").unwrap(), name("a\nb"));
        assert_eq!(remembered.table("a.b").unwrap(), plain);
        assert_eq!(remembered.table("x.y.z").unwrap(), dotted);
        assert_eq!(Remembered::default().table("x.y.z").unwrap(), QualifiedTable { schema: name("x"), table: name("y.z") });
        assert!(remembered.table("orders").is_err());
    }
}
