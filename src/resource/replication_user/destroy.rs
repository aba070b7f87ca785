//! Takes back what a role was given, in every database, then drops it. Looks into every database before anything is changed in one.

use super::observe::{clearing, seen, survey};
use super::observed::{Clearing, Observed};
use super::operation::Operation;
use super::run::run;
use super::schema::ReplicationUser;
use crate::catalogue::role::{Key, find_role};
use crate::failure::Attempt;
use crate::postgres::retry::until_done;
use crate::postgres::{Facts, Identifier, Server};
use crate::provider::Context;
use crate::resource::change::{Done, InDatabase, Purpose, Stopped, Work};

pub(super) async fn destroy(
    context: &Context,
    work: &Work<'_, ReplicationUser>,
) -> Result<Done<ReplicationUser>, Stopped<ReplicationUser>> {
    let arguments = work.arguments;
    let server = context.postgres(ReplicationUser::cluster(arguments)).await?;
    let database = &arguments.database;
    let facts = server.facts(database.as_str(), context.cancel()).await?;
    let done = until_done(context.cancel(), || clear(context, &server, &facts, database, work)).await;
    done.map_err(|stopped| ReplicationUser::failure(stopped, &facts))?;
    Ok(Done::nothing())
}

async fn clear(
    context: &Context,
    server: &Server,
    facts: &Facts,
    own: &Identifier,
    work: &Work<'_, ReplicationUser>,
) -> Result<(), Attempt> {
    let Some(everywhere) = survey(context, server, facts, &work.look(Purpose::Destroy)).await? else { return Ok(()) };
    work.decide(&everywhere, &work.operations(&everywhere)?)?;
    for elsewhere in everywhere.clearings.iter().map(|clearing| &clearing.database).filter(|database| *database != own) {
        clear_database(context, server, facts, elsewhere, own, &everywhere, work).await?;
    }
    clear_database(context, server, facts, own, own, &everywhere, work).await
}

/// One database in one transaction, as it is by now.
async fn clear_database(
    context: &Context,
    server: &Server,
    facts: &Facts,
    database: &Identifier,
    own: &Identifier,
    everywhere: &Observed,
    work: &Work<'_, ReplicationUser>,
) -> Result<(), Attempt> {
    let transaction = server.write(database.as_str(), work.limit, context.cancel()).await?;
    let reader = transaction.reader();
    let Some(oid) = everywhere.role.as_ref().map(|role| role.oid) else { return Ok(()) };
    let Some(role) = find_role(reader, facts, Key::Oid(oid)).await? else { return Ok(()) };
    let is_own = database == own;
    let held: Clearing = clearing(reader, facts, &role, database, is_own).await?;
    let now = seen(facts, Some(role), vec![held]);
    let operations = work.operations(&now)?;
    let decision = work.decide(&now, &operations)?;
    for operation in decision.run.iter().filter(|operation| is_own || !matches!(operation, Operation::DropRole { .. })) {
        run(&transaction, None, operation, &now).await?;
    }
    transaction.commit().await?;
    Ok(())
}
