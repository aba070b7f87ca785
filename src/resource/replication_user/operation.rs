//! What can be done to a role and its privileges. Pure.

use serde::{Deserialize, Serialize};

use super::schema::ReplicationUser;
use crate::catalogue::holding::Holding;
use crate::catalogue::validity::ValidUntil;
use crate::postgres::{Identifier, QualifiedTable};
use crate::resource::change::{Change, Effect};

/// One change. Each is one statement, except for those that expand to one for each owner or holding found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    /// Creates the role, able to log in.
    CreateRole {
        role: Identifier,
        replication: bool,
        connection_limit: Option<i64>,
        valid_until: Option<ValidUntil>,
        password: bool,
    },
    /// Takes over a role that exists: it can log in, with our password.
    AdoptRole {
        role: Identifier,
        replication: bool,
        connection_limit: Option<i64>,
        valid_until: Option<ValidUntil>,
        password: bool,
    },
    /// Renames it.
    RenameRole { from: Identifier, to: Identifier },
    /// Sets the password.
    SetPassword { role: Identifier },
    /// Lets it log in again.
    AllowLogin { role: Identifier },
    /// Lets it replicate, on plain PostgreSQL.
    AllowReplication { role: Identifier },
    /// Lets it replicate, on Aurora and RDS.
    GrantReplication { role: Identifier },
    /// Lets it log in with IAM tokens, and with nothing else.
    GrantIam { role: Identifier },
    /// Takes back [`Operation::GrantIam`]; `granted_by`: if not the admin granted it.
    RevokeIam { role: Identifier, granted_by: Option<Identifier> },
    /// Deletes its password.
    ClearPassword { role: Identifier },
    /// Limits its connections.
    LimitConnections { role: Identifier, limit: i64 },
    /// Says until when its password is accepted.
    SetValidUntil { role: Identifier, valid_until: ValidUntil },
    /// Lets it connect.
    GrantConnect { database: Identifier, role: Identifier },
    /// Lets it use a schema.
    GrantUsage { schema: Identifier, role: Identifier },
    /// Lets it read the tables that a schema has.
    GrantSelectOnAll { schema: Identifier, role: Identifier },
    /// Lets it read one table.
    GrantSelect { table: QualifiedTable, role: Identifier },
    /// Lets it read the tables that a schema will have.
    GrantDefaults { owners: Owners, schema: Identifier, role: Identifier },
    /// Takes back [`Operation::GrantDefaults`].
    RevokeDefaults { owner: Identifier, schema: Identifier, role: Identifier },
    /// Takes back [`Operation::GrantSelectOnAll`].
    RevokeSelectOnAll { schema: Identifier, role: Identifier },
    /// Takes back [`Operation::GrantSelect`].
    RevokeSelect { table: QualifiedTable, role: Identifier },
    /// Takes back [`Operation::GrantUsage`].
    RevokeUsage { schema: Identifier, role: Identifier },
    /// Takes back all privileges on the tables, views and sequences of a schema: one [`Operation::TakeBack`] for each that is
    /// found.
    ClearSchema { schema: Identifier, role: Identifier },
    /// Takes back all privileges in another database: one [`Operation::TakeBack`] for each that is found.
    ClearDatabase { database: Identifier, role: Identifier },
    /// Takes back everything else that was found, before the role is dropped; `database`: if it is not the resource's.
    TakeBack { holding: Holding, role: Identifier, database: Option<Identifier> },
    /// Drops it, with its memberships.
    DropRole { role: Identifier },
}

/// Whose later tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Owners {
    /// Every owner of a table that the schema has when the statement runs.
    Each,
    /// This one.
    Named(Identifier),
}

impl Operation {
    /// The schema in which it revokes SELECT.
    pub(super) fn revokes_select_in(&self) -> Option<&Identifier> {
        match self {
            Self::RevokeSelectOnAll { schema, .. } => Some(schema),
            Self::RevokeSelect { table, .. } => Some(&table.schema),
            _ => None,
        }
    }

    /// Whether it lets the role replicate.
    pub(super) fn allows_replication(&self) -> bool {
        match self {
            Self::CreateRole { replication, .. } | Self::AdoptRole { replication, .. } => *replication,
            Self::AllowReplication { .. } | Self::GrantReplication { .. } => true,
            _ => false,
        }
    }

    /// A grant, to another role.
    pub(super) fn to(&self, role: Identifier) -> Self {
        match self.clone() {
            Self::GrantConnect { database, .. } => Self::GrantConnect { database, role },
            Self::GrantUsage { schema, .. } => Self::GrantUsage { schema, role },
            Self::GrantSelect { table, .. } => Self::GrantSelect { table, role },
            other => other,
        }
    }

    /// Whether it sets the configured password.
    pub(super) fn sets_password(&self) -> bool {
        match self {
            Self::CreateRole { password, .. } | Self::AdoptRole { password, .. } => *password,
            Self::SetPassword { .. } => true,
            _ => false,
        }
    }
}

/// What an operation means to the users of the database. GRANT and REVOKE lock no table beyond ACCESS SHARE. Who logs in the other way than
/// before does not get in again.
pub(super) fn effect(operation: &Operation, change: &Change<'_, ReplicationUser>) -> Effect {
    let switches = match (change.before, change.after) {
        (Some(before), Some(after)) => before.authentication != after.authentication,
        (None, Some(after)) => after.adopt == Some(true),
        (_, None) => false,
    };
    match operation {
        Operation::GrantIam { .. } | Operation::ClearPassword { .. } => Effect { pipe_stops: switches, ..Effect::default() },
        Operation::RenameRole { .. } | Operation::RevokeIam { .. } => Effect { pipe_stops: true, ..Effect::default() },
        Operation::DropRole { .. } => Effect { pipe_stops: true, destructive: true, ..Effect::default() },
        Operation::CreateRole { .. }
        | Operation::AdoptRole { .. }
        | Operation::SetPassword { .. }
        | Operation::AllowLogin { .. }
        | Operation::AllowReplication { .. }
        | Operation::GrantReplication { .. }
        | Operation::LimitConnections { .. }
        | Operation::SetValidUntil { .. }
        | Operation::GrantConnect { .. }
        | Operation::GrantUsage { .. }
        | Operation::GrantSelectOnAll { .. }
        | Operation::GrantSelect { .. }
        | Operation::GrantDefaults { .. }
        | Operation::RevokeDefaults { .. }
        | Operation::RevokeSelectOnAll { .. }
        | Operation::RevokeSelect { .. }
        | Operation::RevokeUsage { .. }
        | Operation::ClearSchema { .. }
        | Operation::ClearDatabase { .. }
        | Operation::TakeBack { .. } => Effect::default(),
    }
}
