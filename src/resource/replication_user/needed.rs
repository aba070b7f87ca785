//! Which planned operations are still needed when they are about to run, and as whom each runs. Pure.

use std::collections::BTreeSet;

use crate::postgres::Identifier;
use crate::resource::replication_user::observed::{Observed, OwnedTable, Owner, Reach, Schema};
use crate::resource::replication_user::operation::{Operation, Owners};

/// What becomes of a planned operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// It runs.
    Run(Operation),
    /// Its effect is there already, or what it is about is gone.
    Skip(Operation),
}

/// Expands the owners' lines and strikes out what is there already.
pub(crate) fn steps(operations: &[Operation], observed: &Observed) -> Vec<Step> {
    // What a planned revocation takes away counts as missing, whatever is there now.
    let revoked = |schema: &Identifier| {
        operations
            .iter()
            .any(|operation| matches!(operation, Operation::RevokeSelectOnAll { schema: revoked, .. } if revoked == schema))
    };
    let one = |operation: &Operation| match operation {
        Operation::GrantSelect { table, .. } if revoked(&table.schema) => vec![Step::Run(operation.clone())],
        _ => step(operation, observed),
    };
    operations.iter().flat_map(one).collect()
}

fn step(operation: &Operation, observed: &Observed) -> Vec<Step> {
    if let Operation::GrantDefaults { owners: Owners::Each, schema, role } = operation {
        let found = observed.schemas.get(schema.as_str());
        let owners = found.into_iter().flat_map(|schema| &schema.owners);
        let uncovered = owners.filter(|(_, owner)| owner.owns_tables && !owner.covered);
        let named = uncovered.filter_map(|(name, _)| Identifier::new(name.clone()).ok()).map(|owner| {
            let owners = Owners::Named(owner);
            Step::Run(Operation::GrantDefaults { owners, schema: schema.clone(), role: role.clone() })
        });
        return named.collect();
    }
    vec![if is_needed(operation, observed) { Step::Run(operation.clone()) } else { Step::Skip(operation.clone()) }]
}

/// One statement to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) operation: Operation,
    /// The owner to act as, where the admin may but does not inherit his privileges.
    pub(crate) as_owner: Option<Identifier>,
}

/// What is known of tables that operations on whole schemas are about.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    /// Those that the role cannot read yet.
    pub(crate) unreadable: Vec<OwnedTable>,
    /// Those on which it was granted SELECT itself.
    pub(crate) readable: Vec<OwnedTable>,
    /// Schemas in which GRANT and REVOKE ON ALL TABLES would fail as a whole.
    pub(crate) closed: BTreeSet<String>,
}

/// As whom an operation runs. In a closed schema an operation on all tables becomes one statement for each table.
pub(crate) fn runs(operation: &Operation, observed: &Observed, tables: &Tables) -> Vec<Run> {
    let as_owner = |owner: &str, reach: Reach| Identifier::new(owner).ok().filter(|_| reach == Reach::SetRole);
    let one = |as_owner| vec![Run { operation: operation.clone(), as_owner }];
    let each = |found: &[OwnedTable], schema: &Identifier, single: &dyn Fn(&OwnedTable) -> Operation| {
        let found = found.iter().filter(|found| found.table.schema == *schema);
        found.map(|found| Run { operation: single(found), as_owner: as_owner(&found.owner, found.reach) }).collect()
    };
    match operation {
        Operation::GrantSelectOnAll { schema, role } if tables.closed.contains(schema.as_str()) => {
            let grant = |found: &OwnedTable| Operation::GrantSelect { table: found.table.clone(), role: role.clone() };
            each(&tables.unreadable, schema, &grant)
        }
        Operation::RevokeSelectOnAll { schema, role } if tables.closed.contains(schema.as_str()) => {
            let revoke = |found: &OwnedTable| Operation::RevokeSelect { table: found.table.clone(), role: role.clone() };
            each(&tables.readable, schema, &revoke)
        }
        Operation::GrantSelect { table, .. } | Operation::RevokeSelect { table, .. } => {
            let mut known = tables.unreadable.iter().chain(&tables.readable);
            if let Some(found) = known.find(|found| found.table == *table) {
                return one(as_owner(&found.owner, found.reach));
            }
            let found = observed.tables.get(&table.name());
            one(found.and_then(|found| as_owner(found.owner.as_deref()?, found.reach)))
        }
        Operation::GrantUsage { schema, .. } | Operation::RevokeUsage { schema, .. } => {
            let found = observed.schemas.get(schema.as_str());
            one(found.and_then(|found| as_owner(found.owner.as_deref()?, found.reach)))
        }
        Operation::GrantDefaults { owners: Owners::Named(owner), schema, .. }
        | Operation::RevokeDefaults { owner, schema, .. } => {
            let found = observed.schemas.get(schema.as_str()).and_then(|found| found.owners.get(owner.as_str()));
            one(found.and_then(|found| as_owner(owner.as_str(), found.reach)))
        }
        _ => one(None),
    }
}

fn is_needed(operation: &Operation, observed: &Observed) -> bool {
    let role = observed.role.as_ref();
    let schema = |name: &Identifier| observed.schemas.get(name.as_str());
    let gone = |name: &Identifier| schema(name).is_some_and(|schema| !schema.exists);
    let owner = |name: &Identifier, owner: &Identifier| -> Option<&Owner> { schema(name)?.owners.get(owner.as_str()) };
    let readable = |schema: &Schema, table: &str| {
        schema.unreadable == 0
            || !(schema.unreadable_names.iter().any(|name| name == table) || schema.unreadable_names.is_empty())
    };
    match operation {
        Operation::RenameRole { to, .. } => role.is_none_or(|role| role.name != to.as_str()),
        Operation::AllowLogin { .. } => role.is_none_or(|role| !role.login),
        Operation::AllowReplication { .. } | Operation::GrantReplication { .. } => role.is_none_or(|role| !role.replication),
        Operation::LimitConnections { limit, .. } => role.is_none_or(|role| role.connection_limit != *limit),
        Operation::GrantConnect { .. } => role.is_none_or(|role| !role.connect_granted),
        Operation::GrantUsage { schema: name, .. } => schema(name).is_none_or(|schema| !schema.usage_granted),
        Operation::GrantDefaults { owners: Owners::Named(named), schema, .. } => {
            owner(schema, named).is_none_or(|owner| !owner.granted)
        }
        Operation::RevokeDefaults { owner: named, schema, .. } => owner(schema, named).is_some_and(|owner| owner.granted),
        Operation::GrantSelect { table, .. } => match observed.tables.get(&table.name()) {
            Some(found) => !found.exists || !found.select,
            None => schema(&table.schema).is_none_or(|found| found.exists && !readable(found, table.table.as_str())),
        },
        Operation::RevokeSelect { table, .. } => {
            observed.tables.get(&table.name()).is_none_or(|found| found.exists && found.select)
        }
        Operation::RevokeSelectOnAll { schema: name, .. } => !gone(name),
        Operation::RevokeUsage { schema: name, .. } => schema(name).is_none_or(|schema| schema.usage_granted),
        Operation::CreateRole { .. }
        | Operation::AdoptRole { .. }
        | Operation::SetPassword { .. }
        | Operation::GrantSelectOnAll { .. }
        | Operation::GrantDefaults { owners: Owners::Each, .. } => true,
    }
}

#[cfg(test)]
mod tests;
