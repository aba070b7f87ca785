//! The operations of mode dedicated: a group of our own that carries over what the cluster's group sets, its attachment, and the
//! way back. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::super::desired::{Desired, RebootPolicy};
use super::super::message;
use super::super::operation::Operation;
use super::parameters::{method, modifications, owned, resets};
use super::reboots::reboots;
use crate::cluster::{self, Group, OWNER_TAG, PREVIOUS_TAG, is_later_family};
use crate::rds::ApplyMethod;
use crate::rds::parameter_group::Tags;
use crate::terraform::Diagnostics;

/// Operations that bring our group to the wanted values, and the cluster to our group. Parameters that `before` set and `desired` no
/// longer mentions return to their previous values.
///
/// # Errors
/// A group of the wanted name that is not ours.
pub(super) fn set_up(
    observed: &cluster::Observed,
    desired: &Desired,
    before: Option<&Desired>,
) -> Result<Vec<Operation>, Diagnostics> {
    let attached = &observed.attached;
    let attached_is_ours = observed.attached_is_ours();
    let target = observed.target_name(desired.group_name.as_deref());
    let is_met = desired.wanted.iter().all(|(name, value)| attached.holds(name, value));
    let mut operations = if attached_is_ours && attached.name == target {
        let mut operations = modify_attached(observed, desired, before);
        operations.extend(retag(observed, attached, &tags(observed, desired, attached.recorded_previous().cloned()), before));
        operations
    } else if !attached_is_ours && is_met {
        // Nothing of ours is needed.
        operations_of_no_group(observed, &target)
    } else if !attached_is_ours && attached.name == target {
        return Err(message::name_is_taken(observed, attached).into());
    } else {
        build_group(observed, desired, before, &target)?
    };
    let next = desired.next_group(observed);
    let kept: Vec<&str> = [Some(&target), next.as_ref()].into_iter().flatten().map(String::as_str).collect();
    operations.extend(observed.left_over(&kept).map(deletion));
    Ok(operations)
}

/// The cluster's own group has every value: a group of ours with the wanted name is in excess, too.
fn operations_of_no_group(observed: &cluster::Observed, target: &str) -> Vec<Operation> {
    let excess = observed.detached(target).filter(|group| group.is_ours(observed.id()) && !observed.target_in_use);
    excess.map(deletion).into_iter().collect()
}

/// The parameters that a state says were set, or that a change which stopped half-way may have set, and that are no longer wanted.
fn given_back<'a>(observed: &'a cluster::Observed, desired: &Desired, before: Option<&'a Desired>) -> BTreeSet<&'a String> {
    let before = before.into_iter().flat_map(|before| before.wanted.keys());
    before.chain(&observed.unfinished.parameters).filter(|name| !desired.mentions(name)).collect()
}

/// Our group is attached: set what differs, and restore what is no longer configured.
fn modify_attached(observed: &cluster::Observed, desired: &Desired, before: Option<&Desired>) -> Vec<Operation> {
    let attached = &observed.attached;
    let mut set: BTreeMap<String, String> =
        desired.wanted.iter().filter(|(name, value)| !attached.holds(name, value)).map(owned).collect();
    let mut reset = Vec::new();
    for name in given_back(observed, desired, before) {
        match previous_value(observed, name) {
            Some(value) if attached.holds(name, value) => {}
            Some(value) => drop(set.insert(name.clone(), value.to_owned())),
            None if attached.user_value(name).is_some() => reset.push((name.clone(), method(attached, name))),
            None => {}
        }
    }
    if before.is_none() {
        let (carried, excess) = brought_along(observed, desired);
        set.extend(carried);
        reset = excess;
    }
    let mut operations = modifications(attached, &attached.name, set);
    operations.extend(resets(&attached.name, &reset));
    operations
}

/// What users set for the parameter in the group that was attached before ours.
fn previous_value<'a>(observed: &'a cluster::Observed, name: &str) -> Option<&'a str> {
    observed.previous.as_ref()?.user_value(name)
}

/// A create that finds our group attached takes it up as a whole: the values of the previous group that it lacks, and what it sets
/// besides those and the wanted ones, which others have set.
fn brought_along(observed: &cluster::Observed, desired: &Desired) -> (BTreeMap<String, String>, Vec<(String, ApplyMethod)>) {
    let attached = &observed.attached;
    let is_recorded = |group: &&Group| attached.recorded_previous() == Some(&group.name);
    // If it is gone, nobody knows what was carried over.
    let Some(previous) = observed.previous.as_ref().filter(is_recorded) else { return Default::default() };
    let carried = previous.user_set().filter(|(name, value)| !desired.mentions(name) && !attached.holds(name, value));
    let is_excess = |name: &str| !desired.mentions(name) && previous.user_value(name).is_none();
    (carried.map(owned).collect(), excess(attached, attached, is_excess))
}

/// The parameters that users set in a group and that are in excess.
pub(super) fn excess(catalogue: &Group, group: &Group, is_excess: impl Fn(&str) -> bool) -> Vec<(String, ApplyMethod)> {
    let names = group.user_set().map(|(name, _)| name).filter(|name| is_excess(name));
    names.map(|name| (name.clone(), method(catalogue, name))).collect()
}

/// Another group is attached: create ours with everything that it sets, and attach it.
fn build_group(
    observed: &cluster::Observed,
    desired: &Desired,
    before: Option<&Desired>,
    target: &str,
) -> Result<Vec<Operation>, Diagnostics> {
    let attached = &observed.attached;
    let attached_is_ours = observed.attached_is_ours();
    let given_back = if attached_is_ours { given_back(observed, desired, before) } else { BTreeSet::new() };
    let carried = attached.user_set().filter(|(name, _)| attached.family == observed.family && !given_back.contains(name));
    let mut values: BTreeMap<String, String> = carried.map(owned).collect();
    values.extend(given_back.iter().filter_map(|name| Some(((*name).clone(), previous_value(observed, name)?.to_owned()))));
    values.extend(desired.wanted.iter().map(owned));

    let previous = if attached_is_ours { attached.recorded_previous() } else { Some(&attached.name) };
    let tags = tags(observed, desired, previous.cloned());
    let mut operations = Vec::new();
    let mut reset = Vec::new();
    match observed.detached(target) {
        None => {
            operations.push(Operation::CreateGroup { name: target.to_owned(), family: observed.family.clone(), tags });
        }
        Some(group) => {
            refuse_foreign(observed, group)?;
            // One that is not yet the group of this source is taken up as a whole: others, or a change that stopped half-way, may
            // have set more in it.
            let is_known = before.is_some_and(|before| observed.target_name(before.group_name.as_deref()) == target);
            if !is_known || group.is_left_behind() {
                reset = excess(attached, group, |name| !values.contains_key(name) && !desired.mentions(name));
            }
            values.retain(|name, value| !group.holds(name, value));
            operations.extend(retag(observed, group, &tags, before));
        }
    }
    operations.extend(modifications(attached, target, values));
    operations.extend(resets(target, &reset));
    operations.push(Operation::AttachGroup { cluster: observed.id().to_owned(), group: target.to_owned() });
    operations.extend(attached_is_ours.then(|| deletion(attached)));
    Ok(operations)
}

fn deletion(group: &Group) -> Operation {
    Operation::DeleteGroup { name: group.name.clone() }
}

/// The tags of our group.
pub(super) fn tags(observed: &cluster::Observed, desired: &Desired, previous: Option<String>) -> Tags {
    let mut tags = desired.tags.clone();
    tags.insert(OWNER_TAG.to_owned(), observed.id().to_owned());
    tags.extend(previous.map(|previous| (PREVIOUS_TAG.to_owned(), previous)));
    tags
}

pub(super) fn retag(observed: &cluster::Observed, group: &Group, wanted: &Tags, before: Option<&Desired>) -> Vec<Operation> {
    let missing: Tags = wanted.iter().filter(|(key, value)| group.tags.get(*key) != Some(value)).map(owned).collect();
    let before = before.into_iter().flat_map(|before| before.tags.keys());
    let dropped: BTreeSet<&String> = before
        .chain(&observed.unfinished.tags)
        .filter(|key| group.tags.contains_key(*key) && !wanted.contains_key(*key))
        .collect();
    let dropped: Vec<String> = dropped.into_iter().cloned().collect();
    let mut operations = Vec::new();
    if !missing.is_empty() {
        operations.push(Operation::TagGroup { name: group.name.clone(), tags: missing });
    }
    if !dropped.is_empty() {
        operations.push(Operation::UntagGroup { name: group.name.clone(), keys: dropped });
    }
    operations
}

/// Operations that undo what the resource did: attach the previous group again, delete ours.
pub(super) fn undo(observed: &cluster::Observed, configured: Option<&str>, policy: RebootPolicy) -> Vec<Operation> {
    let mut operations = Vec::new();
    if observed.attached_is_ours() {
        operations.push(Operation::AttachGroup { cluster: observed.id().to_owned(), group: observed.previous_name() });
        operations.extend(reboots(observed, policy, &operations, false));
        operations.push(deletion(&observed.attached));
    } else if is_half_undone(observed) {
        operations.extend(reboots(observed, policy, &[], false));
    }
    let target = observed.target_name(configured);
    let is_in_use = |group: &Group| observed.target_in_use && group.name == target;
    let detached = observed.detached.iter().filter(|group| group.is_ours(observed.id()) && !is_in_use(group));
    operations.extend(detached.map(deletion));
    operations
}

/// Whether the group that was attached before ours is attached again: members that wait for a reboot still run with ours.
fn is_half_undone(observed: &cluster::Observed) -> bool {
    // A group for the next major version was never attached.
    let was_attached = observed.ours().any(|group| !is_later_family(&group.family, &observed.family));
    was_attached && observed.attached.name == observed.previous_name()
}

fn refuse_foreign(observed: &cluster::Observed, group: &Group) -> Result<(), Diagnostics> {
    if !group.is_ours(observed.id()) {
        return Err(message::name_is_taken(observed, group).into());
    }
    if group.family != observed.family {
        return Err(message::another_family(observed, group).into());
    }
    Ok(())
}
