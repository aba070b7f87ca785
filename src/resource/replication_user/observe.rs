//! Reads a role, what it may read, and what affects a destroy of it.

use tokio::try_join;

use super::desired::Desired;
use super::observed::{Clearing, Closer, Observed, Scope};
use super::operation::Operation;
use super::schema::ReplicationUser;
use crate::catalogue::holdings::{self, Obstacle};
use crate::catalogue::key::Key;
use crate::catalogue::role::{self, Role, find_role};
use crate::catalogue::schema_privilege::{find_owners, find_schemas};
use crate::catalogue::table_privilege::{closed_schemas, find_tables, readable_tables, unreadable_tables};
use crate::postgres::{Error, Facts, Identifier, QualifiedTable, Reader, Server};
use crate::provider::Context;
use crate::resource::change::{Look, Purpose, key_by_oid};

/// Looks at a role as far as the purpose needs it.
pub(super) async fn observe(reader: &Reader, facts: &Facts, look: &Look<'_, ReplicationUser>) -> Result<Observed, Error> {
    let by_name = Key::Name(look.arguments.name.as_str());
    let role = match (look.purpose, look.desired) {
        (Purpose::Plan { .. }, Some(desired)) => return plan(reader, facts, by_name, look, desired).await,
        (Purpose::Result, Some(desired)) => find_role(reader, facts, Key::Name(desired.name.as_str())).await?,
        _ => find_ours(reader, facts, look).await?,
    };
    match look.purpose {
        Purpose::Read { importing } => read(reader, facts, look, role, importing).await,
        Purpose::Result => whole(reader, facts, look, role).await,
        _ => observe_role(reader, facts, role, &whole_scope(look)).await,
    }
}

/// The role with the oid of the state, else the one with its name.
async fn find_ours(reader: &Reader, facts: &Facts, look: &Look<'_, ReplicationUser>) -> Result<Option<Role>, Error> {
    let before = look.recalled.and_then(|recalled| recalled.site.as_ref());
    let oid = look.prior.and_then(|prior| prior.model.catalogue_oid());
    if let Some(key) = key_by_oid(before, reader.site().as_ref(), oid)
        && let Some(role) = find_role(reader, facts, key).await?
    {
        return Ok(Some(role));
    }
    find_role(reader, facts, Key::Name(look.arguments.name.as_str())).await
}

/// A role that was found under another name counts only if it is still what was last seen.
async fn read(
    reader: &Reader,
    facts: &Facts,
    look: &Look<'_, ReplicationUser>,
    role: Option<Role>,
    importing: bool,
) -> Result<Observed, Error> {
    if importing && let Some(role) = role {
        return import(reader, facts, role).await;
    }
    let name = look.arguments.name.as_str();
    let is_renamed = role.as_ref().is_some_and(|role| role.name != name);
    let found = whole(reader, facts, look, role).await?;
    if is_renamed && !look.recalled.is_some_and(|before| found.is_still(before)) {
        let role = find_role(reader, facts, Key::Name(name)).await?;
        return whole(reader, facts, look, role).await;
    }
    Ok(found)
}

/// A role with all that the state says of it: what a destroy would do is part of it.
async fn whole(reader: &Reader, facts: &Facts, look: &Look<'_, ReplicationUser>, role: Option<Role>) -> Result<Observed, Error> {
    let Some(oid) = role.as_ref().map(|role| role.oid) else { return Ok(seen(reader, facts, None, Vec::new())) };
    let scope = whole_scope(look);
    let seen = observe_role(reader, facts, role, &scope);
    let (seen, holds) = try_join!(seen, holdings::summary(reader, oid))?;
    Ok(Observed { holds: Some(holds), ..seen })
}

fn whole_scope<'a>(look: &'a Look<'_, ReplicationUser>) -> Scope<'a> {
    Scope::of(look.prior.map(|prior| &prior.arguments).into_iter().chain(look.desired))
}

/// The privileges of a role, or of one that does not exist yet, in the scope. The queries are awaited together, so they cost one
/// round trip.
async fn observe_role(reader: &Reader, facts: &Facts, role: Option<Role>, scope: &Scope<'_>) -> Result<Observed, Error> {
    let oid = role.as_ref().map_or(0, |role| role.oid);
    let names: Vec<&str> = scope.schemas.iter().copied().collect();
    let owners = scope.owners.iter().copied().collect();
    let (mut schemas, owners, tables) = try_join!(
        find_schemas(reader, facts, oid, &names, scope.include_views),
        find_owners(reader, facts, oid, &names, owners),
        find_tables(reader, facts, oid, &scope.tables),
    )?;
    for (schema, owner, found) in owners {
        if let Some(schema) = schemas.get_mut(&schema) {
            schema.owners.insert(owner, found);
        }
    }
    Ok(Observed { schemas, tables, ..seen(reader, facts, role, Vec::new()) })
}

/// What is new in a configuration: on create all of it, on update added schemas and tables. `None`: nothing.
pub(super) fn added(look: &Look<'_, ReplicationUser>, desired: &Desired) -> Option<Desired> {
    let mut new = desired.clone();
    if let Some(prior) = look.prior {
        new.schemas.retain(|schema| !prior.arguments.schemas.contains(schema));
        new.tables.retain(|table| !prior.arguments.tables.contains(table));
        if new.schemas.is_empty() && new.tables.is_empty() {
            return None;
        }
    }
    Some(new)
}

async fn plan(
    reader: &Reader,
    facts: &Facts,
    key: Key<'_>,
    look: &Look<'_, ReplicationUser>,
    desired: &Desired,
) -> Result<Observed, Error> {
    let new = added(look, desired);
    let role = find_role(reader, facts, key).await?;
    let mut observed = observe_role(reader, facts, role, &Scope::of(&new)).await?;
    let schemas: Vec<&Identifier> = new.iter().flat_map(|new| &new.schemas).collect();
    let oid = observed.role.as_ref().map_or(0, |role| role.oid);
    observed.closer.unreadable = unreadable_tables(reader, facts, oid, &schemas, desired.include_views).await?;
    Ok(observed)
}

/// An imported role: its grants say what to look at.
async fn import(reader: &Reader, facts: &Facts, role: Role) -> Result<Observed, Error> {
    let (schemas, tables) = role::granted(reader, role.oid).await?;
    let tables: Vec<QualifiedTable> = tables.iter().filter_map(|table| table.parse().ok()).collect();
    let single = tables.iter().map(|table| table.schema.as_str());
    let scope = Scope {
        schemas: schemas.iter().map(String::as_str).chain(single).collect(),
        tables: tables.iter().collect(),
        ..Scope::default()
    };
    let oid = role.oid;
    let (observed, holds) = try_join!(observe_role(reader, facts, Some(role), &scope), holdings::summary(reader, oid))?;
    Ok(Observed { holds: Some(holds), closer: Closer { granted_schemas: schemas, ..Closer::default() }, ..observed })
}

/// What must be known of tables before operations on whole schemas run, and of a role before it is adopted.
pub(super) async fn look_closer(
    reader: &Reader,
    include_views: bool,
    operations: &[Operation],
    now: &mut Observed,
) -> Result<(), Error> {
    let role = now.role.as_ref().map_or(0, |role| role.oid);
    if matches!(operations.first(), Some(Operation::AdoptRole { .. })) {
        now.closer.elsewhere = holdings::databases(reader, role).await?;
    }
    let granted = whole_schemas(operations);
    let revoked = operations.iter().filter_map(|operation| match operation {
        Operation::RevokeSelectOnAll { schema, .. } => Some(schema),
        _ => None,
    });
    let both: Vec<&Identifier> = granted.iter().copied().chain(revoked).collect();
    if both.is_empty() {
        return Ok(());
    }
    let closed = closed_schemas(reader, &both).await?;
    // Tables are handled one by one only if a statement for the whole schema would fail.
    let one_by_one: Vec<&Identifier> = both.into_iter().filter(|schema| closed.contains(schema.as_str())).collect();
    now.closer.unreadable = unreadable_tables(reader, &now.facts, role, &granted, include_views).await?;
    now.closer.readable = readable_tables(reader, &now.facts, role, &one_by_one).await?;
    now.closer.closed = closed;
    Ok(())
}

/// The schemas with a grant on every table.
pub(super) fn whole_schemas(operations: &[Operation]) -> Vec<&Identifier> {
    let whole = operations.iter().filter_map(|operation| match operation {
        Operation::GrantSelectOnAll { schema, .. } => Some(schema),
        _ => None,
    });
    whole.collect()
}

/// What affects a destroy, in every database.
pub(super) async fn survey(
    context: &Context,
    server: &Server,
    facts: &Facts,
    look: &Look<'_, ReplicationUser>,
) -> Result<Observed, Error> {
    let arguments = look.arguments;
    let reader = server.read(arguments.database.as_str(), context.cancel()).await?;
    let Some(role) = find_ours(&reader, facts, look).await? else { return Ok(seen(&reader, facts, None, Vec::new())) };
    let own = clearing(&reader, facts, &role, &arguments.database, true).await?;
    let holds = holdings::summary(&reader, role.oid).await?;
    let mut found = seen(&reader, facts, Some(role.clone()), Vec::new());
    // The look into the next database may need its connection.
    drop(reader);
    for database in &holds.databases {
        let reader = server.read(database.as_str(), context.cancel()).await?;
        found.clearings.push(clearing(&reader, facts, &role, database, false).await?);
    }
    found.clearings.push(own);
    Ok(Observed { holds: Some(holds), ..found })
}

/// What one database holds. Shared objects, and replication connections, are looked at once: in the role's own.
pub(super) async fn clearing(
    reader: &Reader,
    facts: &Facts,
    role: &Role,
    database: &Identifier,
    is_own: bool,
) -> Result<Clearing, Error> {
    let found = holdings::holdings(reader, facts, role.oid, database.as_str(), is_own).await?;
    let mut obstacles = Vec::new();
    if is_own {
        obstacles.extend(holdings::walsenders(reader, role.oid).await?);
        obstacles.extend(holdings::missing_right(reader, facts, role.oid).await?.map(Obstacle::MayNotDrop));
    }
    let held = found.by_schema();
    obstacles.extend(found.obstacles);
    Ok(Clearing { database: database.clone(), is_own, held, obstacles })
}

/// A role, or none, with only what a destroy takes from it.
pub(super) fn seen(reader: &Reader, facts: &Facts, role: Option<Role>, clearings: Vec<Clearing>) -> Observed {
    let (schemas, tables) = Default::default();
    let (facts, site) = (facts.clone(), reader.site());
    Observed { facts, site, role, schemas, tables, holds: None, closer: Closer::default(), clearings }
}
