//! The operations from what exists to what is wanted. Pure.

use super::observed::Before;
use super::operation::Operation;
use super::schema::ReplicaIdentityOfTable;
use crate::catalogue::table_identity::ReplicaIdentity;
use crate::postgres::QualifiedTable;
use crate::resource::change::Change;

/// The operations of a create, an update or a destroy. A create sets what is wanted whatever is there: something else in the same apply
/// may still change it.
pub(super) fn diff(change: &Change<'_, ReplicaIdentityOfTable>) -> Vec<Operation> {
    let basis = change.basis();
    let current = basis.and_then(|basis| basis.table.as_ref()).map(|found| &found.identity);
    match (change.before, change.after) {
        (Some(arguments), None) => match (current, basis.map(|basis| &basis.before)) {
            (Some(current), Some(Before::Known(before))) if before != current => vec![set(&arguments.table, before)],
            _ => Vec::new(),
        },
        (Some(prior), Some(desired)) if *current.unwrap_or(&prior.identity) == desired.identity => Vec::new(),
        (_, Some(desired)) => vec![set(&desired.table, &desired.identity)],
        (None, None) => Vec::new(),
    }
}

fn set(table: &QualifiedTable, to: &ReplicaIdentity) -> Operation {
    Operation::Set { table: table.clone(), to: to.clone(), from: None }
}
