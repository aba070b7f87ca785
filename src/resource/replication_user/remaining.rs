//! Which planned operations are still needed when they are about to run. Pure.

use super::observed::{Clearing, Observed};
use super::operation::{Operation, Owners};
use super::schema::ReplicationUser;
use crate::catalogue::holding::Holding;
use crate::catalogue::reach::Reach;
use crate::catalogue::schema_privilege::{Owner, Schema};
use crate::postgres::Identifier;
use crate::resource::change::{Remaining, Seen};

/// What remains of a planned operation: the owners' line is expanded, what already exists is left out.
pub(super) fn remaining(operation: &Operation, seen: &Seen<'_, ReplicationUser>) -> Remaining<Operation> {
    // What a planned revocation takes away counts as missing, even if it exists now.
    let revoked = |schema: &Identifier| {
        seen.planned
            .iter()
            .any(|operation| matches!(operation, Operation::RevokeSelectOnAll { schema: revoked, .. } if revoked == schema))
    };
    match operation {
        Operation::GrantSelect { table, .. } if revoked(&table.schema) => Remaining::All,
        Operation::GrantDefaults { owners: Owners::Each, schema, role } => Remaining::Each(each_owner(schema, role, seen.now)),
        Operation::ClearSchema { schema, role } => {
            Remaining::Each(held(role, seen.now, |clearing, holding| clearing.is_own && holding.is_on_tables_of(schema)))
        }
        Operation::ClearDatabase { database, role } => {
            Remaining::Each(held(role, seen.now, |clearing, _| clearing.database == *database))
        }
        _ if is_needed(operation, seen.now) => Remaining::All,
        _ => Remaining::Nothing,
    }
}

/// One operation for each thing that is held.
fn held(role: &Identifier, observed: &Observed, counts: impl Fn(&Clearing, &Holding) -> bool) -> Vec<Operation> {
    let held = observed.clearings.iter().flat_map(|clearing| {
        let counted = clearing.held.iter().filter(|held| counts(clearing, &held.holding));
        counted.map(|held| clearing.take_back(&held.holding, role))
    });
    held.collect()
}

/// One operation for each owner whose default privileges do not name the role yet.
fn each_owner(schema: &Identifier, role: &Identifier, observed: &Observed) -> Vec<Operation> {
    let found = observed.schemas.get(schema.as_str());
    let owners = found.into_iter().flat_map(|schema| &schema.owners);
    let ungranted = owners.filter(|(name, owner)| owner.owns_tables && name.as_str() != role.as_str() && is_ungranted(owner));
    let named = ungranted.filter_map(|(name, _)| Identifier::new(name.clone()).ok()).map(|owner| Operation::GrantDefaults {
        owners: Owners::Named(owner),
        schema: schema.clone(),
        role: role.clone(),
    });
    named.collect()
}

/// Whether default privileges have to be granted: what the role has through others counts only if the admin may not grant them.
fn is_ungranted(owner: &Owner) -> bool {
    !(owner.granted || owner.covered && owner.reach == Reach::None)
}

/// What the role itself needs, whoever else has it. Where the admin may not grant it, what it has through others has to do.
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
        Operation::GrantIam { .. } => role.is_none_or(|role| !role.iam.is_direct()),
        Operation::RevokeIam { granted_by: None, .. } => role.is_none_or(|role| role.iam.own),
        Operation::RevokeIam { granted_by: Some(grantor), .. } => {
            role.is_none_or(|role| role.iam.granted_by.iter().any(|found| found == grantor.as_str()))
        }
        Operation::LimitConnections { limit, .. } => role.is_none_or(|role| role.connection_limit != *limit),
        Operation::SetValidUntil { valid_until, .. } => role.is_none_or(|role| role.valid_until != Some(*valid_until)),
        Operation::GrantConnect { .. } => {
            let anyway = observed.database.reach == Reach::None && role.map_or(observed.database.is_open, |role| role.connect);
            !anyway && role.is_none_or(|role| !role.connect_granted)
        }
        Operation::GrantUsage { schema: name, .. } => {
            schema(name).is_none_or(|schema| !(schema.usage_granted || schema.usage && schema.reach == Reach::None))
        }
        Operation::GrantDefaults { owners: Owners::Named(named), schema, .. } => owner(schema, named).is_none_or(is_ungranted),
        Operation::RevokeDefaults { owner: named, schema, .. } => owner(schema, named).is_some_and(|owner| owner.granted),
        Operation::GrantSelect { table, .. } => match observed.tables.get(&table.name()) {
            Some(found) => !found.exists || !(found.granted || found.select && found.reach == Reach::None),
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
        | Operation::ClearPassword { .. }
        | Operation::TakeBack { .. }
        | Operation::ClearSchema { .. }
        | Operation::ClearDatabase { .. }
        | Operation::DropRole { .. }
        | Operation::GrantSelectOnAll { .. }
        | Operation::GrantDefaults { owners: Owners::Each, .. } => true,
    }
}

#[cfg(test)]
mod tests;
