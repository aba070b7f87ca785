//! Takes back what a role was given, in every database, then drops it.

use crate::failure::{Attempt, Failure};
use crate::postgres::retry::until_done;
use crate::postgres::{Facts, Identifier, Reader, Server, Transaction};
use crate::provider::Context;
use crate::resource::replication_user::apply::{TIMEOUT, execute, failure};
use crate::resource::replication_user::observe::{self, Key, holdings};
use crate::resource::replication_user::observed::Role;
use crate::resource::replication_user::removal::{Held, Removal, removals};
use crate::resource::replication_user::{ReplicationUser, message, statement};
use crate::resource::{Existing, Timeouts};
use crate::terraform::{AttributePath, Diagnostic, Diagnostics};

/// What a destroy does in one database.
struct Clearing {
    database: String,
    held: Vec<Held>,
    in_the_way: Vec<String>,
}

/// What a destroy will do.
pub(crate) async fn plan(context: &Context, prior: &Existing<ReplicationUser>) -> Result<Diagnostics, Failure> {
    let server = context.postgres().await?;
    let (database, _) = names(prior)?;
    let facts = server.facts(&database, context.cancel()).await?;
    let survey = async {
        let transaction = server.read(&database, context.cancel()).await?;
        let Some(role) = find(&transaction, &facts, prior).await? else { return Ok(None) };
        let here = look(&transaction, &facts, &role, &database, true).await?;
        let elsewhere = holdings::databases(&transaction, role.oid).await?;
        drop(transaction);
        let mut clearings = Vec::new();
        for database in elsewhere {
            let transaction = server.read(&database, context.cancel()).await?;
            clearings.push(look(&transaction, &facts, &role, &database, false).await?);
        }
        clearings.push(here);
        Ok::<_, Attempt>(Some((role, clearings)))
    };
    let Some((role, clearings)) = survey.await.map_err(|stopped| failure(stopped, &facts))? else {
        return Ok(Diagnostics::new());
    };
    let name = Identifier::new(&role.name).map_err(|fault| Diagnostic::from_error("Invalid name", &fault))?;
    let mut lines = Vec::new();
    for clearing in &clearings {
        let place = if clearing.database == database { String::new() } else { format!(" (database {:?})", clearing.database) };
        lines.extend(clearing.held.iter().map(|held| format!("{}{place}", statement::removal(&held.removal, &name))));
    }
    lines.push(statement::removal(&Removal::DropRole, &name).to_string());
    let mut diagnostics = Diagnostics::new();
    diagnostics.push(Diagnostic::warning(
        "Statements of this destroy",
        format!("Destroying the role {name} runs:\n\n{}", lines.join("\n")),
    ));
    let in_the_way: Vec<String> = clearings.into_iter().flat_map(|clearing| clearing.in_the_way).collect();
    if !in_the_way.is_empty() {
        diagnostics.push(message::in_the_way(&name, &in_the_way, false));
    }
    Ok(diagnostics)
}

/// Destroys a role. Looks into every database before anything is changed in one of them.
pub(crate) async fn destroy(context: &Context, prior: &Existing<ReplicationUser>) -> Result<Diagnostics, Failure> {
    let server = context.postgres().await?;
    let (database, _) = names(prior)?;
    let facts = server.facts(&database, context.cancel()).await?;
    let cancel = context.cancel();
    let done = until_done(cancel, || clear(context, server, &facts, &database, prior)).await;
    done.map_err(|stopped| failure(stopped, &facts))?;
    Ok(Diagnostics::new())
}

async fn clear(
    context: &Context,
    server: &Server,
    facts: &Facts,
    database: &str,
    prior: &Existing<ReplicationUser>,
) -> Result<(), Attempt> {
    let timeout = Timeouts::delete(&prior.model.timeouts, TIMEOUT);
    let transaction = server.read(database, context.cancel()).await?;
    let Some(role) = find(&transaction, facts, prior).await? else { return Ok(()) };
    let mut in_the_way = look(&transaction, facts, &role, database, true).await?.in_the_way;
    let elsewhere = holdings::databases(&transaction, role.oid).await?;
    // The look into the next database may need its connection.
    drop(transaction);
    for other in &elsewhere {
        let transaction = server.read(other, context.cancel()).await?;
        in_the_way.extend(look(&transaction, facts, &role, other, false).await?.in_the_way);
    }
    let name = Identifier::new(&role.name).map_err(|fault| Diagnostics::from(Diagnostic::from_error("Invalid name", &fault)))?;
    if !in_the_way.is_empty() {
        return Err(Diagnostics::from(message::in_the_way(&name, &in_the_way, true)).into());
    }
    for other in &elsewhere {
        let transaction = server.write(other, timeout, context.cancel()).await?;
        let clearing = look(transaction.reader(), facts, &role, other, false).await?;
        take_back(&transaction, &clearing.held, &name).await?;
        transaction.commit().await?;
    }
    let transaction = server.write(database, timeout, context.cancel()).await?;
    let clearing = look(transaction.reader(), facts, &role, database, true).await?;
    if !clearing.in_the_way.is_empty() {
        return Err(Diagnostics::from(message::in_the_way(&name, &clearing.in_the_way, true)).into());
    }
    take_back(&transaction, &clearing.held, &name).await?;
    transaction.execute(&statement::removal(&Removal::DropRole, &name)).await?;
    transaction.commit().await?;
    Ok(())
}

async fn take_back(transaction: &Transaction, held: &[Held], role: &Identifier) -> Result<(), Attempt> {
    for held in held {
        execute(transaction, held.as_owner.as_ref(), &statement::removal(&held.removal, role)).await?;
    }
    Ok(())
}

/// What one database holds. Shared objects, and replication connections, are looked at once: `with_shared`.
async fn look(transaction: &Reader, facts: &Facts, role: &Role, database: &str, with_shared: bool) -> Result<Clearing, Attempt> {
    let found = holdings::holdings(transaction, facts, role.oid, database, with_shared).await?;
    let mut in_the_way = if with_shared { holdings::walsenders(transaction, role.oid).await? } else { Vec::new() };
    in_the_way.extend(found.in_the_way.iter().cloned());
    Ok(Clearing { database: database.to_owned(), held: removals(&found), in_the_way })
}

async fn find(transaction: &Reader, facts: &Facts, prior: &Existing<ReplicationUser>) -> Result<Option<Role>, Attempt> {
    let (_, name) = names(prior)?;
    let key = match prior.model.oid.known() {
        Some(oid) => Key::Oid(u32::try_from(*oid).unwrap_or_default()),
        None => Key::Name(&name),
    };
    Ok(observe::find_role(transaction, facts, key).await?)
}

fn names(prior: &Existing<ReplicationUser>) -> Result<(String, String), Diagnostics> {
    match (prior.model.database.known(), prior.model.name.known()) {
        (Some(database), Some(name)) => Ok((database.clone(), name.clone())),
        _ => Err(Diagnostic::error("State without a name", "The state names no role.").at(AttributePath::of("name")).into()),
    }
}
