//! What was found on the server about a role and what it is to read. Travels in the private data, so it stays small: it does not
//! grow with the number of tables.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::postgres::{Facts, QualifiedTable};

/// So many tables that are not readable are named; above, only their number is kept.
pub(crate) const NAMED_AT_MOST: usize = 20;

/// The role, the schemas and the tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Observed {
    pub(crate) facts: Facts,
    /// `None`: there is no such role.
    pub(crate) role: Option<Role>,
    /// The schemas asked for, by name.
    pub(crate) schemas: BTreeMap<String, Schema>,
    /// The tables asked for, by `schema.table`.
    pub(crate) tables: BTreeMap<String, Table>,
}

/// The role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) oid: u32,
    pub(crate) name: String,
    pub(crate) login: bool,
    /// Whether it may replicate, by what counts on this flavour of PostgreSQL.
    pub(crate) replication: bool,
    pub(crate) connection_limit: i64,
    /// Whether it may connect, through whatever grant.
    pub(crate) connect: bool,
    /// Whether CONNECT is granted to the role itself.
    pub(crate) connect_granted: bool,
}

/// A schema asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Schema {
    pub(crate) exists: bool,
    pub(crate) owner: Option<String>,
    /// How the admin can grant USAGE on it.
    pub(crate) reach: Reach,
    /// Whether the role may use it, through whatever grant.
    pub(crate) usage: bool,
    /// Whether USAGE is granted to the role itself.
    pub(crate) usage_granted: bool,
    /// How many tables the role may not read.
    pub(crate) unreadable: i64,
    /// Their names, if they are few.
    pub(crate) unreadable_names: Vec<String>,
    /// Owners of its tables, wanted owners, and those with default privileges for the role.
    pub(crate) owners: BTreeMap<String, Owner>,
}

/// A role that owns tables of a schema or may do so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) owns_tables: bool,
    /// Whether its later tables become readable for the role, through whatever default privileges.
    pub(crate) covered: bool,
    /// Whether default privileges in this schema name the role itself.
    pub(crate) granted: bool,
    pub(crate) reach: Reach,
}

/// How the admin can act for an owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reach {
    /// Is it, or has its privileges.
    #[default]
    Inherited,
    /// Only by SET ROLE.
    SetRole,
    /// Not at all.
    None,
}

/// A table asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) exists: bool,
    /// Whether the role may read it, through whatever grant.
    pub(crate) select: bool,
    pub(crate) owner: Option<String>,
    pub(crate) reach: Reach,
}

/// A table, and how the admin can act for its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnedTable {
    pub(crate) table: QualifiedTable,
    pub(crate) owner: String,
    pub(crate) reach: Reach,
}

impl Schema {
    /// The owners whose default privileges count: those wanted, or those found.
    pub(crate) fn effective_owners(&self, wanted: Option<&[crate::postgres::Identifier]>) -> BTreeSet<String> {
        match wanted {
            Some(wanted) => wanted.iter().map(|owner| owner.as_str().to_owned()).collect(),
            None => self.owners.iter().filter(|(_, owner)| owner.owns_tables).map(|(name, _)| name.clone()).collect(),
        }
    }
}
