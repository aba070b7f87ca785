//! What a look at a role sees: on the server, and of what it has to read. The stored part stays small: it does not grow with the
//! number of tables. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::desired::Desired;
use super::operation::Operation;
use crate::catalogue::admin::{Admin, Database};
use crate::catalogue::holding::Holding;
use crate::catalogue::holdings::{Held, Obstacle};
use crate::catalogue::role::Role;
use crate::catalogue::schema_privilege::Schema;
use crate::catalogue::summary::Summary;
use crate::catalogue::table_privilege::{OwnedTable, Table};
use crate::catalogue::validity::Expiry;
use crate::postgres::{Facts, Identifier, QualifiedTable, Site};

/// The role, the schemas and the tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Observed {
    pub(crate) facts: Facts,
    /// Where it was seen; `None` in what an earlier build stored.
    #[serde(default)]
    pub(crate) site: Option<Site>,
    /// `None`: there is no such role.
    pub(crate) role: Option<Role>,
    /// Whether or not the role exists.
    #[serde(default)]
    pub(crate) database: Database,
    /// What the provider's role may do for it.
    #[serde(default)]
    pub(crate) admin: Admin,
    /// The schemas asked for, by name.
    pub(crate) schemas: BTreeMap<String, Schema>,
    /// The tables asked for, by `schema.table`.
    pub(crate) tables: BTreeMap<String, Table>,
    /// What it holds, summarised; `None`: not looked up.
    #[serde(default)]
    pub(crate) holds: Option<Summary>,
    /// What only a look for a change or an import sees.
    #[serde(skip)]
    pub(crate) closer: Closer,
    /// What only a look for a destroy sees: database by database, its own last.
    #[serde(skip)]
    pub(crate) clearings: Vec<Clearing>,
}

impl Observed {
    /// Whether a role that was found under another name is still the one that was seen `before`: it logs in and replicates the
    /// same, and has its privileges since the same transaction, or else holds all that it held. On a copy of the server, another
    /// role may have its oid. (An update of ours that lost its answer changes what a role holds, and not since when.)
    pub(crate) fn is_still(&self, before: &Self) -> bool {
        let (Some(now), Some(was)) = (&self.role, &before.role) else { return false };
        let is_same = match (&now.since, &was.since) {
            (Some(now), Some(was)) => now == was,
            _ => {
                let holdings = self.holds.as_ref().zip(before.holds.as_ref());
                holdings.is_some_and(|(holds, held)| !held.is_empty() && held.is_within(holds))
            }
        };
        is_same && now.oid == was.oid && now.login == was.login && now.replication == was.replication
    }
}

/// What operations on whole schemas, an adoption and an import need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Closer {
    /// Tables on which it was not granted SELECT itself.
    pub(crate) ungranted: Vec<OwnedTable>,
    /// Tables on which it was granted SELECT itself.
    pub(crate) readable: Vec<OwnedTable>,
    /// Schemas in which GRANT and REVOKE ON ALL TABLES would fail as a whole.
    pub(crate) closed: BTreeSet<String>,
    /// Other databases in which a role to be adopted holds something.
    pub(crate) elsewhere: Vec<String>,
    /// Roles that log in with a password and are members of one that is to log in with tokens.
    pub(crate) members: Vec<String>,
    /// Whether the admin is a member of the role, or becomes one by creating it.
    pub(crate) joins: bool,
    /// How far away the configured end of the password is.
    pub(crate) expiry: Expiry,
    /// Schemas that an imported role reads as a whole.
    pub(crate) granted_schemas: Vec<String>,
}

/// What a destroy does in one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clearing {
    pub(crate) database: Identifier,
    /// Whether it is the database of the resource.
    pub(crate) is_own: bool,
    pub(crate) held: Vec<Held>,
    pub(crate) obstacles: Vec<Obstacle>,
}

impl Clearing {
    /// What takes back something that is held here.
    pub(crate) fn take_back(&self, holding: &Holding, role: &Identifier) -> Operation {
        let database = (!self.is_own).then(|| self.database.clone());
        Operation::TakeBack { holding: holding.clone(), role: role.clone(), database }
    }
}

/// What is to be looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope<'a> {
    pub(crate) schemas: BTreeSet<&'a str>,
    pub(crate) tables: BTreeSet<&'a QualifiedTable>,
    pub(crate) owners: BTreeSet<&'a str>,
    pub(crate) include_views: bool,
}

impl<'a> Scope<'a> {
    /// The objects that these are about.
    pub(crate) fn of(all: impl IntoIterator<Item = &'a Desired>) -> Self {
        let mut scope = Self::default();
        for desired in all {
            let schemas = desired.schemas.iter().chain(desired.single_table_schemas());
            scope.schemas.extend(schemas.map(Identifier::as_str));
            scope.tables.extend(&desired.tables);
            scope.owners.extend(desired.table_owners.iter().flatten().map(Identifier::as_str));
            scope.include_views |= desired.include_views;
        }
        scope
    }
}
