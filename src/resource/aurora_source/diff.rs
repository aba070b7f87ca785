//! The operations from what is observed to what is wanted, in order, or a refusal: what every way to manage a cluster shares. Pure.

mod dedicated;
mod reboots;

use super::desired::{Desired, RebootPolicy};
use super::message;
use super::observed::Observed;
use super::operation::Operation;
use super::schema::Source;
use crate::cluster::{self, Group, LOGICAL_REPLICATION, switch, unfit};
use crate::resource::change::Change;
use crate::terraform::{Diagnostic, Diagnostics};
use reboots::reboots;

/// The operations of a create, an update, a drift or a destroy. `None`: there is no observation to start from.
///
/// # Errors
/// Refusals.
pub(super) fn diff(change: &Change<'_, Source>) -> Result<Option<Vec<Operation>>, Diagnostics> {
    let Some(Observed { found, .. }) = change.basis() else { return Ok(None) };
    if found.gone {
        return Ok(Some(dedicated::undo(found, RebootPolicy::Never)));
    }
    match (change.before, change.after) {
        (before, Some(desired)) => set_up(found, desired, before).map(Some),
        (Some(before), None) => {
            refuse_disputes(found)?;
            Ok(Some(dedicated::undo(found, before.reboot)))
        }
        (None, None) => Ok(None),
    }
}

/// Whether a change turns logical replication off, at once or at the next reboot.
pub(super) fn turns_logical_replication_off(change: &Change<'_, Source>) -> bool {
    let Some(Observed { found, .. }) = change.basis() else { return false };
    let Some(desired) = change.after else { return undo_turns_it_off(change, found) };
    // A member that waits for a reboot may still run with a value that the group no longer has.
    let may_be_on = found.replicates() || found.waiting().next().is_some();
    let stays_on = desired.wanted.get(LOGICAL_REPLICATION).map_or(found.replicates(), |value| switch(value) == Some(true));
    may_be_on && !stays_on
}

/// The same for a destroy: the group that it attaches, or one that an earlier attempt has attached, may not have it.
fn undo_turns_it_off(change: &Change<'_, Source>, found: &cluster::Observed) -> bool {
    if found.attached_is_ours() {
        let may_be_on = found.replicates() || found.waiting().next().is_some();
        return may_be_on && !found.previous.as_ref().is_some_and(|group| group.holds(LOGICAL_REPLICATION, "1"));
    }
    // Deleting a group that is not attached changes no member.
    let reboots = change.before.is_some_and(|before| dedicated::undo(found, before.reboot).iter().any(Operation::is_reboot));
    reboots && !found.replicates()
}

/// Operations that bring the cluster to the wanted state. Parameters that `before` set and `desired` no longer mentions return to
/// their previous values.
fn set_up(observed: &cluster::Observed, desired: &Desired, before: Option<&Desired>) -> Result<Vec<Operation>, Diagnostics> {
    let unfit = unfit(observed);
    if !unfit.is_empty() && before.is_some_and(|before| before.is_same_work(desired)) {
        // It can no longer be a source, but a destroy must still be possible.
        return Ok(Vec::new());
    }
    refuse_disputes(observed)?;
    let mut refusals: Diagnostics = unfit.iter().map(|reason| message::unfit(observed.id(), reason)).collect();
    refusals.extend(unfit_parameters(&observed.attached, &observed.family, desired));
    refusals.into_result()?;
    let mut operations = dedicated::set_up(observed, desired, before)?;
    if operations.iter().any(|operation| matches!(operation, Operation::AttachGroup { .. })) {
        refuse_pending_values(observed)?;
    }
    let reboots = reboots(observed, desired.reboot, &operations);
    // The old group is deleted last: the members run with it until the reboot.
    let deleted = operations.iter().position(|operation| matches!(operation, Operation::DeleteGroup { .. }));
    let at = deleted.unwrap_or(operations.len());
    operations.splice(at..at, reboots);
    Ok(operations)
}

/// Wanted parameters that the family does not have or whose value it does not allow.
pub(super) fn unfit_parameters(group: &Group, family: &str, desired: &Desired) -> Diagnostics {
    let refusals = desired.wanted.iter().filter_map(|(name, value)| match group.settings.contains_key(name) {
        false => Some(message::not_modifiable(family, name)),
        true => group.excludes(name, value).map(|allowed| message::not_allowed(family, name, value, allowed)),
    });
    if group.settings.is_empty() { Diagnostics::new() } else { refusals.collect() }
}

/// ModifyDBCluster with ApplyImmediately would also apply changes that wait for the maintenance window.
fn refuse_pending_values(observed: &cluster::Observed) -> Result<(), Diagnostics> {
    pending_values(observed).map_or(Ok(()), |refusal| Err(refusal.into()))
}

/// The other changes that attaching a group would apply.
pub(super) fn pending_values(observed: &cluster::Observed) -> Option<Diagnostic> {
    let pending: Vec<String> = observed.cluster.pending_modified_values.iter().map(ToString::to_string).collect();
    (!pending.is_empty()).then(|| message::pending_values(observed.id(), &pending))
}

/// Nothing is changed while it is not clear whose a group is.
fn refuse_disputes(observed: &cluster::Observed) -> Result<(), Diagnostics> {
    let disputes = observed.disputes.iter().map(|dispute| message::disputed(observed.id(), dispute));
    disputes.collect::<Diagnostics>().into_result().map(drop)
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod half_done_tests;
