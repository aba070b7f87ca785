//! What a destroy takes back before it drops the role, and what it refuses. Pure.

use std::collections::BTreeMap;

use crate::postgres::{Identifier, QualifiedTable};

/// One step of a destroy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Removal {
    /// Default privileges of an owner, in one schema or everywhere.
    Defaults { owner: Identifier, schema: Option<Identifier>, objects: DefaultsOf },
    /// Privileges on an object.
    Privileges(Object),
    /// The role itself, with its memberships.
    DropRole,
}

/// The kinds of objects that default privileges are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DefaultsOf {
    Tables,
    Sequences,
    Routines,
    Types,
    Schemas,
    LargeObjects,
}

impl DefaultsOf {
    /// From `pg_default_acl.defaclobjtype`.
    pub(crate) fn decode(letter: &str) -> Option<Self> {
        Some(match letter {
            "r" => Self::Tables,
            "S" => Self::Sequences,
            "f" => Self::Routines,
            "T" => Self::Types,
            "n" => Self::Schemas,
            // Since PostgreSQL 18.
            "L" => Self::LargeObjects,
            _ => return None,
        })
    }

    /// The word for them.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Tables => "TABLES",
            Self::Sequences => "SEQUENCES",
            Self::Routines => "ROUTINES",
            Self::Types => "TYPES",
            Self::Schemas => "SCHEMAS",
            Self::LargeObjects => "LARGE OBJECTS",
        }
    }
}

/// Something with privileges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Object {
    AllTables(Identifier),
    Table(QualifiedTable),
    Sequence(QualifiedTable),
    Schema(Identifier),
    Database(Identifier),
    /// Its identity, quoted by the server.
    Routine(String),
}

/// A privilege as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) removal: Removal,
    /// Owner of the object, if the admin must act as him by SET ROLE.
    pub(crate) as_owner: Option<Identifier>,
}

/// What one database holds of a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Holdings {
    pub(crate) held: Vec<Held>,
    /// How many tables and views each schema has in which privileges are held.
    pub(crate) tables_of_schema: BTreeMap<Identifier, i64>,
    /// Descriptions of what must go first: what the role owns, and what we do not take back.
    pub(crate) in_the_way: Vec<String>,
}

/// The steps for one database. Privileges on every table of a schema are one statement.
pub(crate) fn removals(holdings: &Holdings) -> Vec<Held> {
    let mut whole: BTreeMap<&Identifier, i64> = BTreeMap::new();
    for held in holdings.held.iter().filter(|held| held.as_owner.is_none()) {
        if let Removal::Privileges(Object::Table(table)) = &held.removal {
            *whole.entry(&table.schema).or_default() += 1;
        }
    }
    whole.retain(|schema, count| *count > 1 && holdings.tables_of_schema.get(schema).is_some_and(|all| all == count));
    let mut removals: Vec<Held> = Vec::new();
    for held in &holdings.held {
        let held = match &held.removal {
            Removal::Privileges(Object::Table(table)) if whole.contains_key(&table.schema) => {
                Held { removal: Removal::Privileges(Object::AllTables(table.schema.clone())), as_owner: None }
            }
            _ => held.clone(),
        };
        if !removals.contains(&held) {
            removals.push(held);
        }
    }
    removals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Held {
        Held { removal: Removal::Privileges(Object::Table(text.parse().unwrap())), as_owner: None }
    }

    #[test]
    fn a_schema_of_which_every_table_is_readable_is_one_statement() {
        let schema = Identifier::new("s").unwrap();
        let held = vec![table("s.a"), table("s.b"), table("t.c")];
        let all = Holdings { held, tables_of_schema: [(schema.clone(), 2)].into(), in_the_way: Vec::new() };
        let whole = Held { removal: Removal::Privileges(Object::AllTables(schema.clone())), as_owner: None };
        assert_eq!(removals(&all), [whole, table("t.c")]);
        let some = Holdings { tables_of_schema: [(schema, 3)].into(), ..all };
        assert_eq!(removals(&some), some.held);
    }

    #[test]
    fn default_privileges_on_every_kind_of_object_are_known() {
        // What pg_default_acl.defaclobjtype may be up to PostgreSQL 18.
        for letter in ["r", "S", "f", "T", "n", "L"] {
            assert!(DefaultsOf::decode(letter).is_some(), "{letter}");
        }
        assert_eq!(DefaultsOf::decode("L").map(DefaultsOf::sql), Some("LARGE OBJECTS"));
    }
}
