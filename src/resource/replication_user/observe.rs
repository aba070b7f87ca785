//! Reads a role, what it may read, and what affects a destroy of it.

use std::collections::BTreeSet;

use tokio::try_join;

use super::desired::{Authentication, Desired};
use super::observed::{Clearing, Closer, Observed, Scope};
use super::operation::Operation;
use super::schema::ReplicationUser;
use crate::catalogue::holdings::{self, Obstacle};
use crate::catalogue::iam;
use crate::catalogue::key::Key;
use crate::catalogue::role::{self, Found, find_role};
use crate::catalogue::schema_privilege::find_schemas;
use crate::catalogue::summary::{behind, databases, summary};
use crate::catalogue::table_privilege::{closed_schemas, find_tables, readable_tables, ungranted_tables};
use crate::catalogue::validity::{Expiry, ValidUntil, expiry_of};
use crate::postgres::{Error, Facts, Identifier, QualifiedTable, Reader, Server};
use crate::provider::Context;
use crate::resource::change::{Look, Purpose, oid_here};

/// Looks at a role as far as the purpose needs it, in one round trip.
pub(super) async fn observe(reader: &Reader, facts: &Facts, look: &Look<'_, ReplicationUser>) -> Result<Observed, Error> {
    match (look.purpose, look.desired) {
        (Purpose::Plan { .. }, Some(desired)) => plan(reader, facts, look, desired).await,
        (Purpose::Result, Some(desired)) => result(reader, facts, look, desired).await,
        (Purpose::Read { importing: true }, _) => import(reader, facts, look).await,
        (Purpose::Read { importing: false }, _) => read(reader, facts, look).await,
        _ => {
            let key = ours(reader, look);
            let include_views = look.desired.is_some_and(|desired| desired.include_views);
            let closer = look_closer(reader, facts, key, include_views, look.operations);
            let scope = whole_scope(look);
            let (seen, closer) = try_join!(observe_role(reader, facts, key, &scope), closer)?;
            Ok(Observed { closer, ..seen })
        }
    }
}

/// The role with the oid of the state, else the one with its name.
fn ours<'a>(reader: &Reader, look: &'a Look<'_, ReplicationUser>) -> Key<'a> {
    let before = look.recalled.and_then(|recalled| recalled.site.as_ref());
    let oid = look.prior.and_then(|prior| prior.model.catalogue_oid());
    Key::either(oid_here(before, reader.site().as_ref(), oid), look.arguments.name.as_str())
}

/// A role that was found under another name counts only if it is still what was last seen.
async fn read(reader: &Reader, facts: &Facts, look: &Look<'_, ReplicationUser>) -> Result<Observed, Error> {
    let name = look.arguments.name.as_str();
    let found = whole(reader, facts, look, ours(reader, look)).await?;
    let is_renamed = found.role.as_ref().is_some_and(|role| role.name != name);
    if is_renamed && !look.recalled.is_some_and(|before| found.is_still(before)) {
        return whole(reader, facts, look, Key::named(name)).await;
    }
    Ok(found)
}

/// A role with all that the state says of it: what a destroy would do is part of it.
async fn whole(reader: &Reader, facts: &Facts, look: &Look<'_, ReplicationUser>, key: Key<'_>) -> Result<Observed, Error> {
    let scope = whole_scope(look);
    let (seen, holds) = try_join!(observe_role(reader, facts, key, &scope), summary(reader, key))?;
    Ok(Observed { holds: seen.role.is_some().then_some(holds), ..seen })
}

/// A role after a change: which tables it was still not granted, or can still read, counts too.
async fn result(reader: &Reader, facts: &Facts, look: &Look<'_, ReplicationUser>, desired: &Desired) -> Result<Observed, Error> {
    let key = Key::named(desired.name.as_str());
    let (granted, revoked) = (whole_schemas(look.operations), revoked_in(look.operations));
    let (seen, ungranted, readable) = try_join!(
        whole(reader, facts, look, key),
        ungranted_tables(reader, facts, key, &granted, desired.include_views),
        readable_tables(reader, facts, key, &revoked, false),
    )?;
    Ok(Observed { closer: Closer { ungranted, readable, ..Closer::default() }, ..seen })
}

fn whole_scope<'a>(look: &'a Look<'_, ReplicationUser>) -> Scope<'a> {
    Scope::of(look.prior.map(|prior| &prior.arguments).into_iter().chain(look.desired))
}

/// The privileges of a role, or of one that does not exist yet, in the scope.
async fn observe_role(reader: &Reader, facts: &Facts, key: Key<'_>, scope: &Scope<'_>) -> Result<Observed, Error> {
    let names: Vec<&str> = scope.schemas.iter().copied().collect();
    let owners = scope.owners.iter().copied().collect();
    let (found, schemas, tables) = try_join!(
        find_role(reader, facts, key),
        find_schemas(reader, facts, key, &names, scope.include_views, owners),
        find_tables(reader, facts, key, &scope.tables),
    )?;
    Ok(Observed { schemas, tables, ..seen(reader, facts, found, Vec::new()) })
}

/// What is new in a configuration: on create all of it, on update added schemas and tables. `None`: nothing.
fn added(look: &Look<'_, ReplicationUser>, desired: &Desired) -> Option<Desired> {
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

/// The end of the password that a configuration sets anew.
fn added_expiry(look: &Look<'_, ReplicationUser>, desired: &Desired) -> Option<ValidUntil> {
    let before = look.prior.and_then(|prior| prior.arguments.valid_until);
    desired.valid_until.filter(|wanted| *wanted != ValidUntil::Infinity && Some(*wanted) != before)
}

/// Whether the plan of an update has nothing to look at: what it does not change, the refresh has seen.
pub(super) fn needs_no_look(look: &Look<'_, ReplicationUser>, desired: &Desired) -> bool {
    added(look, desired).is_none() && added_expiry(look, desired).is_none() && !comes_to_tokens(look, desired)
}

/// Whether a role that exists is to log in with tokens from now on.
fn comes_to_tokens(look: &Look<'_, ReplicationUser>, desired: &Desired) -> bool {
    let before = look.prior.map(|prior| prior.arguments.authentication);
    desired.authentication == Authentication::Iam && before != Some(Authentication::Iam)
}

async fn plan(reader: &Reader, facts: &Facts, look: &Look<'_, ReplicationUser>, desired: &Desired) -> Result<Observed, Error> {
    let key = Key::named(look.arguments.name.as_str());
    let new = added(look, desired);
    let (scope, schemas) = (Scope::of(&new), new.iter().flat_map(|new| &new.schemas).collect::<Vec<_>>());
    let expiry = async {
        match added_expiry(look, desired) {
            Some(valid_until) => expiry_of(reader, valid_until).await,
            None => Ok(Expiry::Far),
        }
    };
    let members = async { if comes_to_tokens(look, desired) { iam::members(reader, key).await } else { Ok(Vec::new()) } };
    let (seen, ungranted, expiry, members) = try_join!(
        observe_role(reader, facts, key, &scope),
        ungranted_tables(reader, facts, key, &schemas, desired.include_views),
        expiry,
        members,
    )?;
    Ok(Observed { closer: Closer { ungranted, expiry, members, ..Closer::default() }, ..seen })
}

/// An imported role: its grants say what to look at.
async fn import(reader: &Reader, facts: &Facts, look: &Look<'_, ReplicationUser>) -> Result<Observed, Error> {
    let key = ours(reader, look);
    let (schemas, tables) = role::granted(reader, key).await?;
    let tables: Vec<QualifiedTable> = tables.iter().filter_map(|table| table.parse().ok()).collect();
    let single = tables.iter().map(|table| table.schema.as_str());
    let scope = Scope {
        schemas: schemas.iter().map(String::as_str).chain(single).collect(),
        tables: tables.iter().collect(),
        ..Scope::default()
    };
    let (seen, holds) = try_join!(observe_role(reader, facts, key, &scope), summary(reader, key))?;
    let closer = Closer { granted_schemas: schemas, ..Closer::default() };
    Ok(Observed { holds: seen.role.is_some().then_some(holds), closer, ..seen })
}

/// What must be known of tables before operations on whole schemas run, and of a role before it is adopted.
async fn look_closer(
    reader: &Reader,
    facts: &Facts,
    key: Key<'_>,
    include_views: bool,
    operations: &[Operation],
) -> Result<Closer, Error> {
    let (granted, revoked) = (whole_schemas(operations), wholly_revoked(operations));
    let both: Vec<&Identifier> = granted.iter().chain(&revoked).copied().collect();
    let elsewhere = async {
        match operations.first() {
            Some(Operation::AdoptRole { .. }) => databases(reader, key).await,
            _ => Ok(Vec::new()),
        }
    };
    let joins = async {
        match operations.iter().any(|operation| matches!(operation, Operation::GrantIam { .. })) {
            true => iam::joins(reader, facts, key).await,
            false => Ok(false),
        }
    };
    // Tables are handled one by one only if a statement for the whole schema would fail.
    let (closed, ungranted, readable, elsewhere, joins) = try_join!(
        closed_schemas(reader, &both),
        ungranted_tables(reader, facts, key, &granted, include_views),
        readable_tables(reader, facts, key, &revoked, true),
        elsewhere,
        joins,
    )?;
    Ok(Closer { ungranted, readable, closed, elsewhere, joins, ..Closer::default() })
}

/// Whether a look for a change depends on the operations.
pub(super) fn looks_closer(operations: &[Operation]) -> bool {
    let adopts = matches!(operations.first(), Some(Operation::AdoptRole { .. }));
    let tries = operations.iter().any(|operation| matches!(operation, Operation::GrantIam { .. }));
    adopts || tries || !whole_schemas(operations).is_empty() || !wholly_revoked(operations).is_empty()
}

fn wholly_revoked(operations: &[Operation]) -> Vec<&Identifier> {
    let whole = operations.iter().filter_map(|operation| match operation {
        Operation::RevokeSelectOnAll { schema, .. } => Some(schema),
        _ => None,
    });
    whole.collect()
}

fn revoked_in(operations: &[Operation]) -> Vec<&Identifier> {
    let schemas: BTreeSet<&Identifier> = operations.iter().filter_map(Operation::revokes_select_in).collect();
    schemas.into_iter().collect()
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
    let key = ours(&reader, look);
    let (found, own, holds) = try_join!(
        find_role(&reader, facts, key),
        clearing(&reader, facts, key, &arguments.database, true),
        summary(&reader, key),
    )?;
    let mut found = seen(&reader, facts, found, Vec::new());
    let Some(key) = found.role.as_ref().map(|role| Key::oid(role.oid)) else { return Ok(found) };
    // The look into the next database may need its connection.
    drop(reader);
    for database in &holds.databases {
        let clearing = match server.read(database.as_str(), context.cancel()).await {
            Ok(reader) => clearing(&reader, facts, key, database, false).await?,
            Err(error) if error.refuses_the_database() => {
                let reader = server.read(arguments.database.as_str(), context.cancel()).await?;
                let refusal = error.server_error().map(|refusal| refusal.message.clone()).unwrap_or_default();
                let obstacles = behind(&reader, key, database, refusal).await?.into_iter().collect();
                Clearing { database: database.clone(), is_own: false, held: Vec::new(), obstacles }
            }
            Err(error) => return Err(error),
        };
        found.clearings.push(clearing);
    }
    found.clearings.push(own);
    Ok(Observed { holds: Some(holds), ..found })
}

/// What one database holds. Shared objects, and replication connections, are looked at once: in the role's own.
pub(super) async fn clearing(
    reader: &Reader,
    facts: &Facts,
    key: Key<'_>,
    database: &Identifier,
    is_own: bool,
) -> Result<Clearing, Error> {
    let once = async {
        if !is_own {
            return Ok(Vec::new());
        }
        let (mut live, missing) = try_join!(holdings::walsenders(reader, key), holdings::missing_right(reader, facts, key))?;
        live.extend(missing.map(Obstacle::MayNotDrop));
        Ok(live)
    };
    let (found, mut obstacles) = try_join!(holdings::holdings(reader, facts, key, database.as_str(), is_own), once)?;
    let held = found.by_schema();
    obstacles.extend(found.obstacles);
    Ok(Clearing { database: database.clone(), is_own, held, obstacles })
}

/// A role, or none, with only what a destroy takes from it.
pub(super) fn seen(reader: &Reader, facts: &Facts, found: Found, clearings: Vec<Clearing>) -> Observed {
    let (schemas, tables) = Default::default();
    let (facts, site) = (facts.clone(), reader.site());
    let Found { role, database, admin } = found;
    Observed { facts, site, role, database, admin, schemas, tables, holds: None, closer: Closer::default(), clearings }
}
