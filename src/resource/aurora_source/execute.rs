//! A source set up, changed or undone: look, decide, run, look again.

use std::time::Duration;

use super::desired::{Desired, Mode};
use super::diff::undo_remains;
use super::observe::{Remains, gone, observe, observe_anew, observe_result, remains, runs_with, slots, taken_up, verify};
use super::observed::Observed;
use super::operation::Operation;
use super::run::{Outcome, run};
use super::schema::Source;
use super::unfinished::{unfinished, unseen};
use super::{check, message};
use crate::cluster::Reboots;
use crate::failure::{Attempt, Failure};
use crate::provider::Context;
use crate::rds::{Patience, Reader};
use crate::resource::change::{Decision, Done, Look, Purpose, Stopped, Work, not_destroyed, until_free};
use crate::terraform::Diagnostics;

/// How long the look may take from which the state of a failed or stopped run is made.
const LAST_LOOK_LIMIT: Duration = Duration::from_secs(30);

/// Changes or destroys the source.
pub(super) async fn execute(context: &Context, work: &Work<'_, Source>) -> Result<Done<Source>, Stopped<Source>> {
    let readings = context.readings().await?;
    let reader = readings.anew();
    let id = work.arguments.cluster_identifier.as_str();
    let _turn = context.turn(&taken_up(id)).await?;
    // Only the look and the decision are repeated: nothing is changed until no obstacle is left.
    let decided = until_free(id, work.patience, context.cancel(), || decide(context, &reader, work, id)).await;
    let Some(Decided { decision, resource_id, attached, statics_changed }) = decided? else {
        return Ok(Done::left(not_destroyed::<Source>(work.arguments)));
    };
    let Decision { run: operations, warnings: mut diagnostics } = decision;
    let patience = Patience::new(work.limit, context.cancel().clone());
    let reboots =
        Reboots { client: readings.client(), cluster: id, resource_id: &resource_id, patience: &patience, statics_changed };
    let Outcome { done, under_way, result } = run(readings, reboots, &attached, &operations, context.cancel()).await;
    if let Err(failure) = result {
        if work.creates() {
            return Err(Stopped { failure, left: None, diagnostics: message::half_made(id, &done, under_way.as_ref()) });
        }
        let (left, unread) = what_is_left(&reader, work, id, &operations).await;
        // The last of them may have had its effect, too.
        let ran = &operations[..operations.len().min(done.len() + 1)];
        let left = left.or_else(|| unseen(work, ran)).map(|left| unfinished(left, work, ran));
        let diagnostics = under_way.as_ref().map(message::unanswered).into_iter().chain(unread).collect();
        return Err(Stopped { failure, left, diagnostics });
    }
    let Some(desired) = work.desired else { return Ok(Done { observed: None, ran: operations, diagnostics }) };
    match look_at_result(context, &reader, work, id, &operations, &patience).await {
        Ok(observed) => {
            if let Err(failure) = Box::pin(verify(context, &observed.found, desired)).await {
                return Err(match work.creates() {
                    true => Stopped { failure, left: None, diagnostics: message::half_made(id, &done, None) },
                    false => Stopped { failure, left: Some(unfinished(observed, work, &done)), diagnostics: Diagnostics::new() },
                });
            }
            diagnostics.extend(check::waiting(&observed.found, desired.reboot));
            Ok(Done { observed: Some(observed), ran: operations, diagnostics })
        }
        Err(failure) if work.creates() => Err(Stopped { failure, left: None, diagnostics: message::half_made(id, &done, None) }),
        Err(failure) => {
            let diagnostics = message::unread(id, &done, Diagnostics::new()).into();
            let left = unseen(work, &operations).map(|left| unfinished(left, work, &operations));
            Err(Stopped { failure, left, diagnostics })
        }
    }
}

/// What runs, and for which cluster.
struct Decided {
    decision: Decision<Source>,
    /// Its resource id; empty if it no longer exists.
    resource_id: String,
    /// The group that is attached to it; empty as above.
    attached: String,
    /// Whether something else may have changed what members apply only at a reboot: they report it with a delay.
    statics_changed: bool,
}

/// Looks, and decides what runs. `None`: nothing, because this run has set up the same cluster under another address.
async fn decide(context: &Context, reader: &Reader, work: &Work<'_, Source>, id: &str) -> Result<Option<Decided>, Attempt> {
    let purpose = if work.destroys() { Purpose::Destroy } else { Purpose::Apply };
    let is_taken_up = || work.destroys() && context.is_taken_up(&taken_up(id));
    if is_taken_up() {
        return Ok(None);
    }
    // Once the state says that the cluster was deleted, one of its name is another one.
    let was_gone = work.destroys() && work.recalled.as_ref().is_some_and(|recalled| recalled.found.gone);
    let now = if was_gone { None } else { observe(context, reader, &work.look(purpose, &[])).await? };
    let Some(mut now) = now else {
        let look = work.look(purpose, &[]);
        Box::pin(gone(context, &look)).await?;
        if !work.destroys() {
            return Err(message::not_found(id).into());
        }
        let Remains { groups, changed } = Box::pin(remains(context, reader, &look)).await?;
        let mut operations: Vec<Operation> =
            groups.into_iter().map(|group| Operation::DeleteGroup { name: group.name }).collect();
        if let (Some(group), Some(recalled)) = (changed, &work.recalled) {
            operations.extend(undo_remains(&recalled.found.clone().remains(Vec::new(), Some(group)), work.arguments));
        }
        let decision = Decision { run: operations, warnings: Diagnostics::new() };
        return Ok(Some(Decided { decision, resource_id: String::new(), attached: String::new(), statics_changed: false }));
    };
    // A create may have been planned during the look.
    if is_taken_up() {
        return Ok(None);
    }
    let operations = work.operations(&now)?;
    now.slots = slots(context, &work.change(&now)).await?;
    let decision = work.decide(&now, &operations)?;
    if work.creates() {
        context.take_up(taken_up(id));
    }
    let statics_changed = match (&work.recalled, work.desired) {
        (Some(recalled), Some(_)) => recalled.found.attached.statics() != now.found.attached.statics(),
        (None, Some(desired)) if desired.mode == Mode::External => may_be_unnoticed(context, &now, desired, &decision.run).await,
        _ => false,
    };
    let (resource_id, attached) = (now.found.cluster.resource_id, now.found.attached.name);
    Ok(Some(Decided { decision, resource_id, attached, statics_changed }))
}

/// Whether another resource of this run may just have changed the group, and the writer not have reported it yet: nothing tells when
/// a group was changed. If the writer cannot be asked for its values, only a planned reboot is worth the wait.
async fn may_be_unnoticed(context: &Context, now: &Observed, desired: &Desired, run: &[Operation]) -> bool {
    let is_reported = now.found.waiting().any(|member| member.writer);
    let is_planned = || run.iter().any(Operation::reboots_writer);
    !is_reported && !Box::pin(runs_with(context, &now.found, desired)).await.unwrap_or_else(|| !is_planned())
}

/// Observes the result of a complete run. The state depends on it: at a stop, a call that hangs is abandoned and everything is
/// read once more.
async fn look_at_result(
    context: &Context,
    reader: &Reader,
    work: &Work<'_, Source>,
    id: &str,
    ran: &[Operation],
    patience: &Patience,
) -> Result<Observed, Failure> {
    let look = work.look(Purpose::Result, &[]);
    let looked = match observe_result(context, reader, &look, ran, patience).await {
        Err(_) if context.cancel().is_cancelled() => last_look(reader, &look, id, ran).await,
        looked => looked,
    };
    looked?.ok_or_else(|| message::not_found(id).into())
}

/// Observes the result of a run that stopped half-way, with the previous arguments, or says why it is unknown.
async fn what_is_left(reader: &Reader, work: &Work<'_, Source>, id: &str, ran: &[Operation]) -> (Option<Observed>, Diagnostics) {
    let look = Look { desired: None, ..work.look(Purpose::Result, &[]) };
    match last_look(reader, &look, id, ran).await {
        Ok(left) => (left, Diagnostics::new()),
        Err(failure) => (None, message::unread(id, &[], failure.into_diagnostics()).into()),
    }
}

/// Observes after a run that failed or was stopped. The state depends on it, so a stop does not end it; it has its own limit.
async fn last_look(reader: &Reader, look: &Look<'_, Source>, id: &str, ran: &[Operation]) -> Result<Option<Observed>, Failure> {
    let looked = tokio::time::timeout(LAST_LOOK_LIMIT, Box::pin(observe_anew(reader, look, ran))).await;
    looked.unwrap_or_else(|_| Err(message::last_look_timed_out(id, LAST_LOOK_LIMIT).into()))
}
