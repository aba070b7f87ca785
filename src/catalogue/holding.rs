//! What a role may hold: privileges on an object of any kind, and default privileges. Pure.

use serde::{Deserialize, Serialize};

use crate::postgres::{Identifier, QualifiedTable};

/// A privilege, or default privileges, that a role holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Holding {
    /// Default privileges of an owner, in one schema or everywhere.
    Defaults { owner: Identifier, schema: Option<Identifier>, objects: DefaultsOf },
    /// Privileges on an object.
    Privileges(Object),
}

impl Holding {
    /// Whether it is on a table, a view or a sequence of the schema.
    pub(crate) fn is_on_tables_of(&self, schema: &Identifier) -> bool {
        match self {
            Self::Privileges(Object::AllTables(of)) => of == schema,
            Self::Privileges(Object::Table(of) | Object::Sequence(of)) => of.schema == *schema,
            Self::Privileges(Object::Schema(_) | Object::Database(_) | Object::Routine(_) | Object::Other { .. })
            | Self::Defaults { .. } => false,
        }
    }
}

/// The kinds of objects that default privileges are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

    /// The SQL keyword for them.
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

/// An object with privileges.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Object {
    AllTables(Identifier),
    Table(QualifiedTable),
    Sequence(QualifiedTable),
    Schema(Identifier),
    Database(Identifier),
    /// Its identity, quoted by the server.
    Routine(String),
    /// Anything else, with its identity as the server gives it.
    Other {
        kind: ObjectKind,
        identity: String,
    },
}

/// The other kinds of objects that have privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ObjectKind {
    /// A type or a domain.
    Type,
    Language,
    LargeObject,
    ForeignDataWrapper,
    ForeignServer,
    Tablespace,
    /// A setting of the server, since PostgreSQL 15.
    Parameter,
}

impl ObjectKind {
    /// From the name of the catalogue that the object is in.
    pub(super) fn decode(catalogue: &str) -> Option<Self> {
        Some(match catalogue {
            "pg_type" => Self::Type,
            "pg_language" => Self::Language,
            "pg_largeobject" | "pg_largeobject_metadata" => Self::LargeObject,
            "pg_foreign_data_wrapper" => Self::ForeignDataWrapper,
            "pg_foreign_server" => Self::ForeignServer,
            "pg_tablespace" => Self::Tablespace,
            "pg_parameter_acl" => Self::Parameter,
            _ => return None,
        })
    }

    /// The SQL keyword for it.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Type => "TYPE",
            Self::Language => "LANGUAGE",
            Self::LargeObject => "LARGE OBJECT",
            Self::ForeignDataWrapper => "FOREIGN DATA WRAPPER",
            Self::ForeignServer => "FOREIGN SERVER",
            Self::Tablespace => "TABLESPACE",
            Self::Parameter => "PARAMETER",
        }
    }

    /// An identity of this kind in a statement: the server quotes all but the names of parameters, whose parts are joined by dots.
    pub(crate) fn quoted(self, identity: &str) -> String {
        let part = |part: &str| Identifier::new(part).map_or_else(|_| part.to_owned(), |part| part.to_string());
        match self {
            Self::Parameter => identity.split('.').map(part).collect::<Vec<_>>().join("."),
            _ => identity.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_privileges_on_every_kind_of_object_are_known() {
        // The values of pg_default_acl.defaclobjtype up to PostgreSQL 18.
        for letter in ["r", "S", "f", "T", "n", "L"] {
            assert!(DefaultsOf::decode(letter).is_some(), "{letter}");
        }
        assert_eq!(DefaultsOf::decode("L").map(DefaultsOf::sql), Some("LARGE OBJECTS"));
    }
    #[test]
    fn the_name_of_a_parameter_is_quoted_part_by_part() {
        assert_eq!(ObjectKind::Parameter.quoted("My.setting"), "\"My\".\"setting\"");
        assert_eq!(ObjectKind::Type.quoted("s.\"T\""), "s.\"T\"");
    }
}
