//! The operations from what is observed to what is wanted, in order, or a refusal: what every way to manage a cluster shares. Pure.

mod dedicated;
mod iam;
mod in_place;
mod next_family;
mod parameters;
mod reboots;

use super::desired::{Desired, Mode, RebootPolicy};
use super::message;
use super::observed::{Observed, basis};
use super::operation::Operation;
use super::schema::Source;
use super::takeover::{begun_mode, gives_up};
use crate::cluster::{self, Group, LOGICAL_REPLICATION, TAG_PREFIX, switch, unfit};
use crate::resource::change::{Change, Moment};
use crate::terraform::{Diagnostic, Diagnostics};
pub(super) use next_family::{is_uncertain as next_family_is_uncertain, successor};
use reboots::reboots;

/// The operations of a create, an update, a drift or a destroy. `None`: there is no observation to start from.
///
/// # Errors
/// Refusals.
pub(super) fn diff(change: &Change<'_, Source>) -> Result<Option<Vec<Operation>>, Diagnostics> {
    let Some(found) = basis(change) else { return Ok(None) };
    if found.gone {
        return Ok(change.before.map(|before| undo_remains(&found, before)));
    }
    match (change.before, change.after) {
        (Some(_), Some(desired)) if is_uncertain(change, &found, desired) => Ok(None),
        (_, Some(desired)) if next_family_is_uncertain(&found, desired) => Ok(None),
        (before, Some(desired)) => set_up(&found, desired, before).map(Some),
        (Some(before), None) => undo(&found, before).map(Some),
        (None, None) => Ok(None),
    }
}

/// Whether the plan of an update knows too little of a parameter: what the last Read stored has only those that were wanted then, and
/// the family's others could not be read.
fn is_uncertain(change: &Change<'_, Source>, found: &cluster::Observed, desired: &Desired) -> bool {
    let is_asked = change.now.is_some_and(|now| now.allowed.is_some());
    let is_read = !found.attached.settings.is_empty();
    change.moment == Moment::Plan && is_read && !is_asked && !lacking(found, desired).is_empty()
}

/// Wanted parameters that the stored observation does not have.
pub(super) fn lacking<'a>(found: &cluster::Observed, desired: &'a Desired) -> Vec<&'a String> {
    desired.wanted.keys().filter(|name| !found.attached.settings.contains_key(*name)).collect()
}

/// Whether a change turns logical replication off, at once or at the next reboot.
pub(super) fn turns_logical_replication_off(change: &Change<'_, Source>) -> bool {
    let Some(Observed { found, .. }) = change.basis() else { return false };
    let Some(desired) = change.after else { return change.before.is_some_and(|before| undo_turns_it_off(before, found)) };
    if gives_up(change.before, desired, found) {
        return undo_turns_it_off(desired, found);
    }
    // A member that waits for a reboot may still run with a value that the group no longer has.
    let may_be_on = found.replicates() || found.waiting().next().is_some();
    let stays_on = match desired.wanted.get(LOGICAL_REPLICATION) {
        // Something else decides. If it is wanted and missing, nothing runs.
        Some(value) if desired.mode == Mode::External => switch(value) == Some(true) || found.replicates(),
        Some(value) => switch(value) == Some(true),
        None => found.replicates(),
    };
    may_be_on && !stays_on
}

/// The same for a destroy: the group that it attaches, or one that an earlier attempt has attached, may not have it.
fn undo_turns_it_off(before: &Desired, found: &cluster::Observed) -> bool {
    let may_be_on = found.replicates() || found.waiting().next().is_some();
    match begun_mode(before, found) {
        Mode::Dedicated if found.attached_is_ours() => {
            may_be_on && !found.previous.as_ref().is_some_and(|group| group.holds(LOGICAL_REPLICATION, "1"))
        }
        // Deleting a group that is not attached changes no member.
        Mode::Dedicated => {
            dedicated::undo(found, before.group_name.as_deref(), before.reboot).iter().any(Operation::is_reboot)
                && !found.replicates()
        }
        Mode::InPlace => {
            let previous = found.remembered.values.get(LOGICAL_REPLICATION);
            may_be_on && previous.is_some_and(|value| value.as_deref().and_then(switch) != Some(true))
        }
        Mode::External => false,
    }
}

/// Whether another resource of the same run may change what this one looks at: where others manage the group, on create, and
/// whenever the triggers change.
pub(super) fn looks_again(before: Option<&Desired>, desired: &Desired) -> bool {
    match before {
        None => desired.mode == Mode::External,
        Some(before) => before.reboot_triggers != desired.reboot_triggers,
    }
}

/// Whether a change lets go of what the source did so far.
pub(super) fn lets_go(before: Option<&Desired>, desired: &Desired) -> bool {
    desired.mode == Mode::External && before.is_some_and(|before| before.mode != Mode::External)
}

/// Operations that bring the cluster to the wanted state. Parameters that `before` set and `desired` no longer mentions return to
/// their previous values.
fn set_up(observed: &cluster::Observed, desired: &Desired, before: Option<&Desired>) -> Result<Vec<Operation>, Diagnostics> {
    if lets_go(before, desired) {
        return Ok(Vec::new());
    }
    if gives_up(before, desired, observed) {
        let operations = undo(observed, desired)?;
        if operations.iter().any(Operation::modifies_cluster) {
            refuse_pending_values(observed, Some(false))?;
        }
        if !operations.is_empty() {
            return Ok(operations);
        }
    }
    let unfit = unfit(observed);
    if !unfit.is_empty() && before.is_some_and(|before| before.is_same_work(desired)) {
        // It can no longer be a source, but a destroy must still be possible.
        return Ok(Vec::new());
    }
    if desired.mode == Mode::Dedicated {
        refuse_disputes(observed)?;
    }
    refuse_change_of_mode(observed, desired, before)?;
    let mut refusals: Diagnostics = unfit.iter().map(|reason| message::unfit(observed.id(), reason)).collect();
    refusals.extend(unfit_parameters(&observed.attached, &observed.family, desired));
    refusals.into_result()?;
    let attached = &observed.attached.name;
    // From another mode, it is like a create.
    let same = before.filter(|before| before.mode == desired.mode);
    let mut operations = match desired.mode {
        Mode::Dedicated => dedicated::set_up(observed, desired, same)?,
        Mode::InPlace => in_place::set_up(observed, desired, same)?,
        Mode::External => Vec::new(),
    };
    let group = operations.iter().find_map(Operation::attached_group).unwrap_or(attached);
    let iam = iam::set_up(observed, desired, group);
    insert(&mut operations, iam);
    if operations.iter().any(Operation::modifies_cluster) {
        refuse_pending_values(observed, desired.iam_authentication)?;
    }
    let reboots = reboots(observed, desired.reboot, &operations, looks_again(before, desired));
    insert(&mut operations, reboots);
    // First, so that whatever prevents it leaves the cluster as it is.
    let next = next_family::set_up(observed, desired, same, &operations)?;
    operations.splice(0..0, next);
    Ok(operations)
}

/// Operations that undo what the resource did.
fn undo(observed: &cluster::Observed, before: &Desired) -> Result<Vec<Operation>, Diagnostics> {
    let mut operations = match begun_mode(before, observed) {
        Mode::Dedicated => {
            refuse_disputes(observed)?;
            dedicated::undo(observed, before.group_name.as_deref(), before.reboot)
        }
        Mode::InPlace => in_place::undo(observed, before.reboot),
        Mode::External => return Ok(Vec::new()),
    };
    insert(&mut operations, iam::undo(observed));
    Ok(operations)
}

/// Operations that undo what the resource did for a cluster that was deleted first.
pub(super) fn undo_remains(observed: &cluster::Observed, before: &Desired) -> Vec<Operation> {
    match begun_mode(before, observed) {
        Mode::InPlace => in_place::undo(observed, RebootPolicy::Never),
        Mode::Dedicated | Mode::External => dedicated::undo(observed, before.group_name.as_deref(), RebootPolicy::Never),
    }
}

/// Inserts operations before what has to come last: reboots, and a deletion, because the members run with the old group until the
/// reboot; and the removal of our own tags, which a destroy that stopped half-way needs to be continued.
fn insert(operations: &mut Vec<Operation>, others: impl IntoIterator<Item = Operation>) {
    let is_late = |operation: &&Operation| match operation {
        Operation::UntagGroup { keys, .. } => keys.iter().any(|key| key.starts_with(TAG_PREFIX)),
        operation => operation.is_reboot() || matches!(operation, Operation::DeleteGroup { .. }),
    };
    let late = operations.iter().rev().take_while(is_late).count();
    let at = operations.len() - late;
    operations.splice(at..at, others);
}

/// What a source of one mode did, the other could not undo.
fn refuse_change_of_mode(observed: &cluster::Observed, desired: &Desired, before: Option<&Desired>) -> Result<(), Diagnostics> {
    let Some(before) = before else { return Ok(()) };
    let begun = begun_mode(before, observed);
    let is_refused = match (begun, desired.mode) {
        // An import has the default mode, and has created nothing.
        (Mode::Dedicated, Mode::InPlace) => observed.ours().next().is_some(),
        (Mode::InPlace, Mode::Dedicated) => true,
        _ => false,
    };
    if is_refused { Err(message::change_of_mode(observed.id(), begun, desired.mode).into()) } else { Ok(()) }
}

/// Wanted parameters that the family does not have or whose value it does not allow.
fn unfit_parameters(group: &Group, family: &str, desired: &Desired) -> Diagnostics {
    let refusals = desired.wanted.iter().filter_map(|(name, value)| match group.settings.contains_key(name) {
        false => Some(message::not_modifiable(family, name)),
        true => group.excludes(name, value).map(|allowed| message::not_allowed(family, name, value, allowed)),
    });
    if group.settings.is_empty() { Diagnostics::new() } else { refusals.collect() }
}

/// ModifyDBCluster with ApplyImmediately would also apply changes that wait for the maintenance window.
fn refuse_pending_values(observed: &cluster::Observed, iam_authentication: Option<bool>) -> Result<(), Diagnostics> {
    pending_values(observed, iam_authentication).map_or(Ok(()), |refusal| Err(refusal.into()))
}

/// The other changes that a change of the cluster would apply, without IAM database authentication where that is what is wanted.
pub(super) fn pending_values(observed: &cluster::Observed, iam_authentication: Option<bool>) -> Option<Diagnostic> {
    let pending: Vec<String> = observed.cluster.others_pending(iam_authentication).map(ToString::to_string).collect();
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
