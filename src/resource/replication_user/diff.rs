//! The operations from what exists to what is wanted, in order. Pure.

use std::collections::BTreeSet;

use super::desired::{Authentication, Desired};
use super::observed::Observed;
use super::operation::{Operation, Owners};
use super::schema::ReplicationUser;
use crate::catalogue::holding::Holding;
use crate::catalogue::reach::Reach;
use crate::catalogue::role::Role;
use crate::catalogue::schema_privilege::{NAMED_AT_MOST, Schema};
use crate::postgres::{Flavour, Identifier, QualifiedTable};
use crate::resource::change::Change;

/// The operations of a create, an update, a drift or a destroy. `None`: too little is known.
pub(super) fn diff(change: &Change<'_, ReplicationUser>) -> Option<Vec<Operation>> {
    let basis = change.basis();
    match (change.before, change.after) {
        (Some(before), Some(desired)) => Some(update(before, desired, basis)),
        (None, Some(desired)) => {
            let adopted = basis?.role.as_ref().filter(|_| desired.adopt == Some(true));
            desired.adopt.map(|_| ()).and(Some(create(desired, basis?.facts.flavour, adopted)))
        }
        (_, None) => destroy(change.before?, basis?),
    }
}

/// Takes back what every database holds, then drops the role.
fn destroy(before: &Desired, observed: &Observed) -> Option<Vec<Operation>> {
    let Some(role) = observed.role.as_ref().and_then(|role| Identifier::new(role.name.clone()).ok()) else {
        return Some(Vec::new());
    };
    let holds = observed.holds.as_ref()?;
    let role = || role.clone();
    let take_back = |holding: &Holding| Operation::TakeBack { holding: holding.clone(), role: role(), database: None };
    let (defaults, others): (Vec<_>, Vec<_>) =
        holds.others.iter().partition(|holding| matches!(holding, Holding::Defaults { .. }));
    let elsewhere = holds.databases.iter().filter(|database| **database != before.database);
    let mut operations: Vec<Operation> =
        elsewhere.map(|database| Operation::ClearDatabase { database: database.clone(), role: role() }).collect();
    operations.extend(defaults.into_iter().map(take_back));
    // The configured schemas too, whether or not they have tables, or exist, now.
    let schemas: BTreeSet<&Identifier> = holds.schemas_of_tables.iter().chain(&before.schemas).collect();
    let schemas = schemas.into_iter();
    operations.extend(schemas.map(|schema| Operation::ClearSchema { schema: schema.clone(), role: role() }));
    operations.extend(others.into_iter().map(take_back));
    operations.push(Operation::DropRole { role: role() });
    Some(operations)
}

/// What will be observed once these operations have run; `None` if they grant or revoke, because the objects to grant on may
/// change.
pub(super) fn foresee(change: &Change<'_, ReplicationUser>, operations: &[Operation]) -> Option<Observed> {
    let mut observed = change.basis()?.clone();
    for operation in operations {
        match operation {
            Operation::RenameRole { to, .. } => to.as_str().clone_into(&mut observed.role.as_mut()?.name),
            Operation::SetPassword { .. }
            | Operation::AllowLogin { .. }
            | Operation::AllowReplication { .. }
            | Operation::GrantReplication { .. }
            | Operation::GrantIam { .. }
            | Operation::RevokeIam { .. }
            | Operation::ClearPassword { .. }
            | Operation::LimitConnections { .. }
            | Operation::SetValidUntil { .. } => {}
            Operation::CreateRole { .. }
            | Operation::AdoptRole { .. }
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
            | Operation::TakeBack { .. }
            | Operation::DropRole { .. } => return None,
        }
    }
    // Nothing is known of a role that does not exist.
    observed.role.is_some().then_some(observed)
}

/// The operations of a create. They depend on nothing that may change before the apply.
fn create(desired: &Desired, flavour: Flavour, adopted: Option<&Role>) -> Vec<Operation> {
    let role = desired.name.clone();
    let (replication, password) = (flavour == Flavour::Plain, desired.has_password);
    let mut operations = match adopted {
        None => vec![Operation::CreateRole {
            role,
            replication,
            connection_limit: desired.connection_limit,
            valid_until: desired.valid_until,
            password,
        }],
        Some(existing) => vec![Operation::AdoptRole {
            role,
            replication: replication && !existing.replication,
            connection_limit: desired.connection_limit.filter(|limit| *limit != existing.connection_limit),
            valid_until: desired.valid_until.filter(|wanted| Some(*wanted) != existing.valid_until),
            password,
        }],
    };
    operations.extend(match (desired.authentication, adopted) {
        (Authentication::Iam, None) => vec![Operation::GrantIam { role: desired.name.clone() }],
        (Authentication::Iam, Some(existing)) => {
            let grant = (!existing.iam.is_direct()).then(|| Operation::GrantIam { role: desired.name.clone() });
            let clear = (!existing.iam.is_effective()).then(|| Operation::ClearPassword { role: desired.name.clone() });
            grant.into_iter().chain(clear).collect()
        }
        (Authentication::Password, existing) => revoke_iam(existing, desired),
    });
    if flavour == Flavour::Rds && adopted.is_none_or(|existing| !existing.replication) {
        operations.push(Operation::GrantReplication { role: desired.name.clone() });
    }
    if adopted.is_none_or(|existing| !existing.connect_granted) {
        operations.push(Operation::GrantConnect { database: desired.database.clone(), role: desired.name.clone() });
    }
    for schema in &desired.schemas {
        operations.extend(grant_schema(schema, desired));
    }
    for schema in desired.single_table_schemas() {
        operations.push(Operation::GrantUsage { schema: schema.clone(), role: desired.name.clone() });
    }
    operations.extend(desired.single_tables().map(|table| grant_table(table, desired)));
    operations
}

/// The operations from the prior state to the desired one. Without an observation, everything is assumed to be as in the prior
/// state.
fn update(prior: &Desired, desired: &Desired, observed: Option<&Observed>) -> Vec<Operation> {
    let mut operations = role(prior, desired, observed);
    operations.extend(revocations(prior, desired, observed));
    operations.extend(schemas(prior, desired, observed));
    operations.extend(tables(prior, desired, observed));
    operations
}

fn role(prior: &Desired, desired: &Desired, observed: Option<&Observed>) -> Vec<Operation> {
    let name = || desired.name.clone();
    let found = observed.and_then(|observed| observed.role.as_ref());
    let switches = prior.authentication != desired.authentication;
    // First, because a login is tried after it, and before everything else.
    let mut operations = grant_iam(prior, desired, observed);
    if prior.name != desired.name {
        operations.push(Operation::RenameRole { from: prior.name.clone(), to: name() });
    }
    // A rename clears a password that is stored as md5, which uses the name.
    let is_set_again = (prior.name != desired.name || switches) && desired.has_password;
    if is_set_again || desired.password_version.is_some() && prior.password_version != desired.password_version {
        operations.push(Operation::SetPassword { role: name() });
    }
    match desired.authentication {
        Authentication::Iam if switches => operations.push(Operation::ClearPassword { role: name() }),
        Authentication::Password if switches && found.is_none() => {
            operations.push(Operation::RevokeIam { role: name(), granted_by: None });
        }
        Authentication::Password => operations.extend(revoke_iam(found, desired)),
        Authentication::Iam => {}
    }
    if let Some(limit) = desired.connection_limit.filter(|limit| Some(*limit) != prior.connection_limit) {
        operations.push(Operation::LimitConnections { role: name(), limit });
    }
    if let Some(valid_until) = desired.valid_until.filter(|wanted| Some(*wanted) != prior.valid_until) {
        operations.push(Operation::SetValidUntil { role: name(), valid_until });
    }
    let Some((observed, role)) = observed.and_then(|observed| Some((observed, observed.role.as_ref()?))) else {
        return operations;
    };
    if !role.login {
        operations.push(Operation::AllowLogin { role: name() });
    }
    // What the admin cannot restore blocks nothing else: it is a warning at every plan.
    if !role.replication && observed.admin.replication != Reach::None {
        operations.push(match observed.facts.flavour {
            Flavour::Rds => Operation::GrantReplication { role: name() },
            Flavour::Plain => Operation::AllowReplication { role: name() },
        });
    }
    if !role.connect && observed.database.reach != Reach::None {
        operations.push(Operation::GrantConnect { database: desired.database.clone(), role: name() });
    }
    operations
}

/// Makes it a member of `rds_iam`, under its name so far. What it is through others is enough to keep it, but not to come to it.
fn grant_iam(prior: &Desired, desired: &Desired, observed: Option<&Observed>) -> Vec<Operation> {
    if desired.authentication != Authentication::Iam {
        return Vec::new();
    }
    let seen = observed.and_then(|observed| Some((observed, observed.role.as_ref()?)));
    let is_needed = match (prior.authentication, seen) {
        (Authentication::Password, seen) => seen.is_none_or(|(_, role)| !role.iam.is_direct()),
        // What the admin cannot restore blocks nothing else: it is a warning at every plan.
        (Authentication::Iam, Some((observed, role))) => {
            !role.iam.is_effective() && observed.admin.iam.is_some_and(|reach| reach != Reach::None)
        }
        (Authentication::Iam, None) => false,
    };
    is_needed.then(|| Operation::GrantIam { role: prior.name.clone() }).into_iter().collect()
}

/// Ends each membership in `rds_iam` that was granted to the role itself.
fn revoke_iam(found: Option<&Role>, desired: &Desired) -> Vec<Operation> {
    let Some(iam) = found.map(|found| &found.iam) else { return Vec::new() };
    let others = iam.granted_by.iter().filter_map(|grantor| Identifier::new(grantor.clone()).ok()).map(Some);
    let each = iam.own.then_some(None).into_iter().chain(others);
    each.map(|granted_by| Operation::RevokeIam { role: desired.name.clone(), granted_by }).collect()
}

/// Schemas, tables and owners that are no longer listed. Revoked before anything is granted, so that a table listed on its own
/// keeps its grant if its schema is removed from the list.
fn revocations(prior: &Desired, desired: &Desired, observed: Option<&Observed>) -> Vec<Operation> {
    let role = || desired.name.clone();
    let still_used: BTreeSet<&Identifier> = desired.schemas.iter().chain(desired.single_table_schemas()).collect();
    let mut operations = Vec::new();
    let is_gone = |schema: &Identifier| find(observed, schema).is_some_and(|found| !found.exists);
    for schema in prior.schemas.iter().filter(|schema| !desired.schemas.contains(schema) && !is_gone(schema)) {
        let granted = match find(observed, schema) {
            Some(found) => found.owners.iter().filter(|(_, owner)| owner.granted).map(|(name, _)| name.clone()).collect(),
            None => prior.table_owners.iter().flatten().map(|owner| owner.as_str().to_owned()).collect(),
        };
        operations.extend(revoke_defaults(schema, granted, desired));
        operations.push(Operation::RevokeSelectOnAll { schema: schema.clone(), role: role() });
        if !still_used.contains(schema) {
            operations.push(Operation::RevokeUsage { schema: schema.clone(), role: role() });
        }
    }
    for schema in prior.schemas.iter().filter(|schema| desired.schemas.contains(schema)) {
        operations.extend(revoke_defaults(schema, unwanted_owners(prior, desired, find(observed, schema)), desired));
    }
    let no_longer = |table: &&QualifiedTable| !desired.tables.contains(table) && !desired.schemas.contains(&table.schema);
    for table in prior.single_tables().filter(no_longer).filter(|table| !is_gone_table(observed, table)) {
        operations.push(Operation::RevokeSelect { table: table.clone(), role: role() });
    }
    for schema in prior.single_table_schemas() {
        if !still_used.contains(schema) && !prior.schemas.contains(schema) && !is_gone(schema) {
            operations.push(Operation::RevokeUsage { schema: schema.clone(), role: role() });
        }
    }
    operations
}

fn revoke_defaults(schema: &Identifier, owners: BTreeSet<String>, desired: &Desired) -> Vec<Operation> {
    let owners = owners.into_iter().filter_map(|owner| Identifier::new(owner).ok());
    owners.map(|owner| Operation::RevokeDefaults { owner, schema: schema.clone(), role: desired.name.clone() }).collect()
}

/// The owners that are no longer wanted, if they still have default privileges for the role.
fn unwanted_owners(prior: &Desired, desired: &Desired, schema: Option<&Schema>) -> BTreeSet<String> {
    if prior.table_owners == desired.table_owners {
        return BTreeSet::new();
    }
    let Some(schema) = schema else { return BTreeSet::new() };
    let before = schema.effective_owners(prior.table_owners.as_deref());
    let wanted = schema.effective_owners(desired.table_owners.as_deref());
    let granted = |name: &&String| schema.owners.get(*name).is_some_and(|owner| owner.granted);
    before.difference(&wanted).filter(granted).cloned().collect()
}

fn schemas(prior: &Desired, desired: &Desired, observed: Option<&Observed>) -> Vec<Operation> {
    let mut operations = Vec::new();
    for schema in &desired.schemas {
        if !prior.schemas.contains(schema) {
            // One of its tables may have been listed before.
            let has_usage = find(observed, schema).is_some_and(|found| found.usage_granted);
            let grants = grant_schema(schema, desired).into_iter();
            operations.extend(grants.filter(|grant| !(has_usage && matches!(grant, Operation::GrantUsage { .. }))));
        } else if let Some(found) = find(observed, schema).filter(|found| found.exists) {
            operations.extend(restore_schema(schema, found, prior, desired));
        }
    }
    operations
}

fn restore_schema(schema: &Identifier, found: &Schema, prior: &Desired, desired: &Desired) -> Vec<Operation> {
    let role = || desired.name.clone();
    let mut operations = Vec::new();
    if !found.usage && found.reach != Reach::None {
        operations.push(Operation::GrantUsage { schema: schema.clone(), role: role() });
    }
    let many = found.unreadable > NAMED_AT_MOST as i64;
    if many || (desired.include_views && !prior.include_views) {
        operations.push(Operation::GrantSelectOnAll { schema: schema.clone(), role: role() });
    } else {
        let names = found.unreadable_names.iter().filter_map(|name| Identifier::new(name.clone()).ok());
        operations.extend(
            names.map(|table| Operation::GrantSelect { table: QualifiedTable { schema: schema.clone(), table }, role: role() }),
        );
    }
    // What the admin cannot restore blocks nothing else: it is a warning at every plan. An owner that was just added is asked for.
    let is_added = |owner: &Identifier| adds_owner(prior, desired, owner);
    let is_covered = |name: &str| found.owners.get(name).is_some_and(|owner| owner.covered);
    // An owner that is not found does not exist.
    let is_lost = |name: &str| found.owners.get(name).is_none_or(|owner| owner.reach == Reach::None);
    for owner in found.effective_owners(desired.table_owners.as_deref()) {
        if let Ok(owner) = Identifier::new(owner)
            && !is_covered(owner.as_str())
            && (is_added(&owner) || !is_lost(owner.as_str()))
        {
            operations.push(Operation::GrantDefaults { owners: Owners::Named(owner), schema: schema.clone(), role: role() });
        }
    }
    operations
}

fn tables(prior: &Desired, desired: &Desired, observed: Option<&Observed>) -> Vec<Operation> {
    let mut operations = Vec::new();
    let used_before = prior.single_table_schemas();
    for schema in desired.single_table_schemas() {
        let lost = find(observed, schema).is_some_and(|found| found.exists && !found.usage && found.reach != Reach::None);
        let kept = prior.schemas.contains(schema) || used_before.contains(&schema);
        if lost || !kept {
            operations.push(Operation::GrantUsage { schema: schema.clone(), role: desired.name.clone() });
        }
    }
    for table in desired.single_tables() {
        let added = !prior.single_tables().any(|before| before == table);
        let found = observed.and_then(|observed| observed.tables.get(&table.name()));
        if added || found.is_some_and(|found| found.exists && !found.select && found.reach != Reach::None) {
            operations.push(grant_table(table, desired));
        }
    }
    operations
}

/// Whether a configuration adds an owner to `table_owners`.
pub(super) fn adds_owner(prior: &Desired, desired: &Desired, owner: &Identifier) -> bool {
    let names = |owners: &Option<Vec<Identifier>>| owners.as_ref().is_some_and(|owners| owners.contains(owner));
    names(&desired.table_owners) && !names(&prior.table_owners)
}

fn grant_schema(schema: &Identifier, desired: &Desired) -> Vec<Operation> {
    let role = || desired.name.clone();
    let mut operations = vec![
        Operation::GrantUsage { schema: schema.clone(), role: role() },
        Operation::GrantSelectOnAll { schema: schema.clone(), role: role() },
    ];
    let defaults = |owners| Operation::GrantDefaults { owners, schema: schema.clone(), role: role() };
    match &desired.table_owners {
        None => operations.push(defaults(Owners::Each)),
        Some(owners) => operations.extend(owners.iter().cloned().map(Owners::Named).map(defaults)),
    }
    operations
}

fn grant_table(table: &QualifiedTable, desired: &Desired) -> Operation {
    Operation::GrantSelect { table: table.clone(), role: desired.name.clone() }
}

fn find<'a>(observed: Option<&'a Observed>, schema: &Identifier) -> Option<&'a Schema> {
    observed.and_then(|observed| observed.schemas.get(schema.as_str()))
}

fn is_gone_table(observed: Option<&Observed>, table: &QualifiedTable) -> bool {
    observed.and_then(|observed| observed.tables.get(&table.name())).is_some_and(|found| !found.exists)
}

#[cfg(test)]
mod tests;
