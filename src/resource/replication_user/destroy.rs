//! Takes back what a role was granted, in every database, then drops it. Looks into every database before it changes anything in
//! one.

use std::sync::{Mutex, PoisonError};

use tokio::try_join;

use super::message;
use super::observe::{clearing, seen, survey};
use super::observed::{Clearing, Observed};
use super::operation::Operation;
use super::schema::ReplicationUser;
use super::statement::statements;
use crate::catalogue::key::Key;
use crate::catalogue::relation::identifier;
use crate::catalogue::role::find_role;
use crate::failure::{Attempt, Failure};
use crate::postgres::retry::until_done;
use crate::postgres::{Error, Facts, Server};
use crate::provider::Context;
use crate::resource::change::{
    Done, InDatabase, Managed, Purpose, Stopped, Work, is_taken_up, not_destroyed, server, turn_of, until_free,
};

pub(super) async fn destroy(
    context: &Context,
    work: &Work<'_, ReplicationUser>,
) -> Result<Done<ReplicationUser>, Stopped<ReplicationUser>> {
    let arguments = work.arguments;
    let server = match server::<ReplicationUser>(context, arguments, work.recalled.as_ref()).await {
        // It was deleted with its cluster.
        Err(Failure::Missing(_)) => return Ok(Done::nothing()),
        server => server?,
    };
    let by_name = turn_of::<ReplicationUser>(&server, arguments);
    let _turn = context.turn(&by_name).await?;
    if context.is_taken_up(&by_name) {
        return Ok(Done::left(not_destroyed::<ReplicationUser>(arguments)));
    }
    let facts = server.facts(arguments.database.as_str(), context.cancel()).await?;
    let cleared = Mutex::default();
    let attempt = || until_done(context.cancel(), || clear(context, &server, &facts, work, &cleared));
    let object = ReplicationUser::object(arguments);
    let done = until_free(&object, work.patience, context.cancel(), attempt).await;
    done.map_err(|stopped| {
        let failure = ReplicationUser::failure(stopped, &facts);
        let cleared = cleared.into_inner().unwrap_or_else(PoisonError::into_inner);
        if cleared.is_empty() { failure.into() } else { message::partly_done(failure.into_diagnostics(), &cleared).into() }
    })
}

async fn clear(
    context: &Context,
    server: &Server,
    facts: &Facts,
    work: &Work<'_, ReplicationUser>,
    cleared: &Mutex<Vec<Operation>>,
) -> Result<Done<ReplicationUser>, Attempt> {
    let everywhere = survey(context, server, facts, &work.look(Purpose::Destroy, &[])).await?;
    if let Some(gone) = work.recognise(&everywhere)? {
        return Ok(Done::left(gone));
    }
    if !ReplicationUser::exists(&everywhere) {
        return Ok(Done::nothing());
    }
    let by_name = turn_of::<ReplicationUser>(server, work.arguments);
    if context.is_taken_up(&by_name) || is_taken_up::<ReplicationUser>(context, server, &everywhere) {
        return Ok(Done::left(not_destroyed::<ReplicationUser>(work.arguments)));
    }
    let decision = work.decide(&everywhere, &work.operations(&everywhere)?)?;
    // The own database is the last.
    for clearing in &everywhere.clearings {
        let done = clear_database(context, server, facts, clearing, &everywhere, work).await?;
        cleared.lock().unwrap_or_else(PoisonError::into_inner).extend(done);
    }
    Ok(Done { ran: decision.run, diagnostics: decision.warnings, ..Done::nothing() })
}

/// One database in one transaction, in its state at that time. Returns what was done.
async fn clear_database(
    context: &Context,
    server: &Server,
    facts: &Facts,
    before: &Clearing,
    everywhere: &Observed,
    work: &Work<'_, ReplicationUser>,
) -> Result<Vec<Operation>, Attempt> {
    let Some(oid) = everywhere.role.as_ref().map(|role| role.oid) else { return Ok(Vec::new()) };
    let key = Key::oid(oid);
    let transaction = server.write(before.database.as_str(), work.limit, context.cancel()).await?;
    let reader = transaction.reader();
    let look = async { try_join!(find_role(reader, facts, key), clearing(reader, facts, key, &before.database, before.is_own)) };
    let (found, now) = transaction.begin(look).await?;
    let Some(role) = &found.role else { return Ok(Vec::new()) };
    let name = identifier(role.name.clone())?;
    let mut operations: Vec<Operation> = now.held.iter().map(|held| now.take_back(&held.holding, &name)).collect();
    if before.is_own {
        operations.push(Operation::DropRole { role: name });
    }
    let now = seen(reader, facts, found, vec![now]);
    work.admit(&now, &operations)?;
    let sql: Vec<_> = operations.iter().flat_map(|operation| statements(operation, None, &now)).collect();
    transaction.execute(&sql, std::future::ready(Ok::<_, Error>(()))).await?;
    transaction.commit().await?;
    Ok(operations)
}
