//! Looks at a role in its database and alters it. A destroy, which has to go through every database, is in `destroy`.

use std::borrow::Cow;

use super::authentication;
use super::desired::{Authentication, Desired};
use super::destroy;
use super::message;
use super::observe;
use super::observed::Observed;
use super::operation::Operation;
use super::schema::{ReplicationUser, ReplicationUserModel};
use super::statement;
use crate::failure::{Attempt, Failure};
use crate::postgres::{Cause, Error, Facts, Identifier, Notice, Reader, Statement};
use crate::provider::Context;
use crate::resource::change::{self, Done, InDatabase, Look, Purpose, Refused, Sighting, Stopped, Trial, Work};
use crate::terraform::{Attr, Diagnostic, Diagnostics};

/// Looks at a role: in a plan only at what is new, before a destroy in every database.
pub(super) async fn look(context: &Context, look: &Look<'_, ReplicationUser>) -> Result<Option<Observed>, Failure> {
    match (look.purpose, look.desired) {
        (Purpose::Plan { .. }, Some(desired)) if observe::needs_no_look(look, desired) => Ok(None),
        (Purpose::PlanDestroy, _) => {
            let server = change::server::<ReplicationUser>(context, look.arguments, look.recalled).await?;
            let facts = server.facts(look.arguments.database.as_str(), context.cancel()).await?;
            let seen = observe::survey(context, &server, &facts, look).await;
            seen.map(Some).map_err(|error| ReplicationUser::failure(error.into(), &facts))
        }
        (Purpose::Plan { .. }, Some(desired)) if look.prior.is_none() && desired.adopt == Some(true) => {
            // Even if the destroy of another address runs before this create.
            let server = change::server::<ReplicationUser>(context, desired, None).await?;
            context.take_up(change::turn_of::<ReplicationUser>(&server, desired));
            change::look(context, look).await
        }
        (Purpose::Read { importing: true }, _) => {
            let seen = change::look(context, look).await?;
            let is_own = |seen: &Observed| seen.role.as_ref().is_some_and(|role| seen.facts.is_own_role(&role.name));
            if seen.as_ref().is_some_and(is_own) { Err(message::own_login(&look.arguments.name).into()) } else { Ok(seen) }
        }
        _ => change::look(context, look).await,
    }
}

/// Changes a role in one transaction, or destroys it.
pub(super) async fn execute(
    context: &Context,
    work: &Work<'_, ReplicationUser>,
) -> Result<Done<ReplicationUser>, Stopped<ReplicationUser>> {
    if work.destroys() {
        return destroy::destroy(context, work).await;
    }
    // At validate it was not known yet.
    let is_given = work.desired.is_some_and(|desired| desired.authentication == Authentication::Iam) && work.secret.is_some();
    if is_given {
        return Err(authentication::password_given().into());
    }
    let mut done = change::execute(context, work).await?;
    // The plan of an update knows the cluster from the refresh: if that did not name it, the next one does.
    let is_new = |before: &Observed| before.site.as_ref().is_some_and(|site| site.cluster.is_none());
    if work.recalled.as_ref().is_some_and(is_new)
        && work.prior.is_some_and(|prior| Some(&prior.arguments.cluster) == work.desired.map(|desired| &desired.cluster))
        && let Some(site) = done.observed.as_mut().and_then(|observed| observed.site.as_mut())
    {
        site.cluster = None;
    }
    Ok(done)
}

impl InDatabase for ReplicationUser {
    const GOES_WITH_ITS_DATABASE: bool = false;

    fn sighting(observed: &Observed) -> Sighting<'_> {
        let object = observed.role.as_ref().map(|role| (role.oid, role.name.as_str()));
        Sighting { site: observed.site.as_ref(), object }
    }

    fn oid(state: &ReplicationUserModel) -> Option<u32> {
        state.catalogue_oid()
    }

    fn name(arguments: &Desired) -> Cow<'_, str> {
        arguments.name.as_str().into()
    }

    fn database(arguments: &Desired) -> &Identifier {
        &arguments.database
    }

    fn cluster(arguments: &Desired) -> Option<&str> {
        arguments.cluster.as_deref()
    }

    fn cluster_identifier(model: &ReplicationUserModel) -> &Attr<String> {
        &model.cluster_identifier
    }

    async fn observe(reader: &Reader, facts: &Facts, look: &Look<'_, Self>) -> Result<Observed, Error> {
        observe::observe(reader, facts, look).await
    }

    fn looks_closer(operations: &[Operation]) -> bool {
        observe::looks_closer(operations)
    }

    fn statements(work: &Work<'_, Self>, operation: &Operation, now: &Observed) -> Vec<Statement> {
        statement::statements(operation, work.secret.as_ref(), now)
    }

    fn verify(work: &Work<'_, Self>, ran: &[Operation], found: &Observed) -> Result<Diagnostics, Diagnostics> {
        let Some(desired) = work.desired else { return Ok(Diagnostics::new()) };
        let before = work.prior.map(|prior| &prior.arguments);
        let mut faults = message::verdict(before, desired, ran, found, &found.closer.ungranted);
        faults.extend(authentication::verdict(desired, ran, found));
        faults.into_result()?;
        Ok(message::still_readable(desired, ran, &found.closer.readable))
    }

    fn trial(_: &Work<'_, Self>, now: &Observed, run: &[Operation]) -> Option<Trial<Operation>> {
        authentication::trial(now, run)
    }

    fn refused(work: &Work<'_, Self>, refused: &Refused<'_>) -> Diagnostics {
        authentication::refused(&work.arguments.name, refused).into()
    }

    fn leaves_a_trace(operation: &Operation) -> bool {
        !matches!(operation, Operation::SetPassword { .. } | Operation::ClearPassword { .. } | Operation::AdoptRole { .. })
    }

    fn notice(work: &Work<'_, Self>, ran: &[Operation], notice: Notice) -> Option<Diagnostic> {
        match (notice.password_cleared, work.desired) {
            (true, Some(desired)) => {
                let keeps_login = desired.authentication == Authentication::Iam || ran.iter().any(Operation::sets_password);
                (!keeps_login).then(|| message::password_cleared(&desired.name))
            }
            _ => change::notice(notice),
        }
    }

    fn failure(attempt: Attempt, facts: &Facts) -> Failure {
        match attempt {
            Attempt::Postgres(error) if error.cause() == Some(Cause::InsufficientPrivilege) => {
                message::insufficient_privilege(&error, &facts.current_user).into()
            }
            other => other.into(),
        }
    }
}
