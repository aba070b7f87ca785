//! What can be done to a replica identity, and what remains of it if it was changed since the plan. Pure.

use serde::{Deserialize, Serialize};

use super::schema::ReplicaIdentityOfTable;
use crate::catalogue::table_identity::ReplicaIdentity;
use crate::postgres::QualifiedTable;
use crate::resource::change::{Effect, LockMode, Remaining, Seen};

/// One change, and one statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    Set {
        table: QualifiedTable,
        to: ReplicaIdentity,
        /// What it replaces, known only when it is about to run.
        from: Option<ReplicaIdentity>,
    },
}

/// What an operation means to the users of the database.
pub(super) fn effect(operation: &Operation) -> Effect {
    match operation {
        Operation::Set { table, .. } => Effect { locks: vec![(table.name(), LockMode::AccessExclusive)], ..Effect::default() },
    }
}

/// What remains of a planned operation.
pub(super) fn remaining(operation: &Operation, seen: &Seen<'_, ReplicaIdentityOfTable>) -> Remaining<Operation> {
    let Operation::Set { table, to, .. } = operation;
    match seen.now.table.as_ref().map(|found| &found.identity) {
        None => Remaining::All,
        Some(now) if now == to => Remaining::Nothing,
        Some(now) => Remaining::Each(vec![Operation::Set { table: table.clone(), to: to.clone(), from: Some(now.clone()) }]),
    }
}
