//! The operations of mode dedicated: a group of our own that carries over what the cluster's group sets, its attachment, and the
//! way back. Pure.

use std::collections::BTreeMap;

use super::super::desired::{Desired, RebootPolicy};
use super::super::message;
use super::super::operation::Operation;
use super::reboots::reboots;
use crate::cluster::{self, Group, OWNER_TAG, PREVIOUS_TAG};
use crate::rds::parameter_group::{PARAMETERS_PER_CALL, Tags};
use crate::rds::{ApplyMethod, ApplyType};
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
    let unmet = desired.wanted.iter().any(|(name, value)| !attached.holds(name, value));
    if attached_is_ours && attached.name == target {
        let mut operations = modify_in_place(observed, desired, before);
        operations.extend(retag(attached, &tags(observed, desired, attached.recorded_previous().cloned()), before));
        operations.extend(observed.left_over.as_ref().map(deletion));
        return Ok(operations);
    }
    if !attached_is_ours && !unmet {
        return Ok(Vec::new());
    }
    if !attached_is_ours && attached.name == target {
        return Err(message::name_is_taken(observed, attached).into());
    }
    build_group(observed, desired, before, &target)
}

/// Our group is attached: set what differs, and restore what is no longer configured.
fn modify_in_place(observed: &cluster::Observed, desired: &Desired, before: Option<&Desired>) -> Vec<Operation> {
    let attached = &observed.attached;
    let mut set: BTreeMap<String, String> =
        desired.wanted.iter().filter(|(name, value)| !attached.holds(name, value)).map(owned).collect();
    let mut reset = Vec::new();
    for name in before.into_iter().flat_map(|before| before.wanted.keys()).filter(|name| !desired.mentions(name)) {
        match observed.previous.as_ref().and_then(|group| group.user_value(name)) {
            Some(value) if attached.holds(name, value) => {}
            Some(value) => drop(set.insert(name.clone(), value.to_owned())),
            None if attached.user_value(name).is_some() => reset.push((name.clone(), method(observed, name))),
            None => {}
        }
    }
    if before.is_none() {
        let (carried, excess) = brought_along(observed, desired);
        set.extend(carried);
        reset = excess;
    }
    let mut operations = modifications(observed, &attached.name, set);
    operations.extend(resets(&attached.name, &reset));
    operations
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
    (carried.map(owned).collect(), excess(observed, attached, is_excess))
}

/// The parameters that users set in a group and that are in excess.
fn excess(observed: &cluster::Observed, group: &Group, is_excess: impl Fn(&str) -> bool) -> Vec<(String, ApplyMethod)> {
    let names = group.user_set().map(|(name, _)| name).filter(|name| is_excess(name));
    names.map(|name| (name.clone(), method(observed, name))).collect()
}

fn resets(group: &str, parameters: &[(String, ApplyMethod)]) -> Vec<Operation> {
    let chunks = parameters.chunks(PARAMETERS_PER_CALL);
    chunks.map(|chunk| Operation::ResetGroup { name: group.to_owned(), parameters: chunk.to_vec() }).collect()
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
    let given_back = |name: &str| before.is_some_and(|before| before.wanted.contains_key(name)) && !desired.mentions(name);
    let carried = attached
        .user_set()
        .filter(|(name, _)| attached.family == observed.family && !(attached_is_ours && given_back(name)))
        .map(owned);
    let mut values: BTreeMap<String, String> = carried.collect();
    values.extend(desired.wanted.iter().map(owned));

    let previous = if attached_is_ours { attached.recorded_previous() } else { Some(&attached.name) };
    let tags = tags(observed, desired, previous.cloned());
    let mut operations = Vec::new();
    let mut reset = Vec::new();
    match &observed.named {
        None => {
            operations.push(Operation::CreateGroup { name: target.to_owned(), family: observed.family.clone(), tags });
        }
        Some(group) => {
            refuse_foreign(observed, group)?;
            // It is taken up as a whole: others may have set more in it since.
            if before.is_none() || group.is_left_behind() {
                reset = excess(observed, group, |name| !values.contains_key(name) && !desired.mentions(name));
            }
            values.retain(|name, value| !group.holds(name, value));
            operations.extend(retag(group, &tags, before));
        }
    }
    operations.extend(modifications(observed, target, values));
    operations.extend(resets(target, &reset));
    operations.push(Operation::AttachGroup { cluster: observed.id().to_owned(), group: target.to_owned() });
    operations.extend(attached_is_ours.then(|| deletion(attached)));
    operations.extend(observed.left_over.as_ref().map(deletion));
    Ok(operations)
}

fn deletion(group: &Group) -> Operation {
    Operation::DeleteGroup { name: group.name.clone() }
}

fn modifications(observed: &cluster::Observed, group: &str, values: BTreeMap<String, String>) -> Vec<Operation> {
    let notation = |name: &str, value: &str| observed.attached.notation(name, value);
    let parameters: Vec<(String, String, ApplyMethod)> =
        values.into_iter().map(|(name, value)| (name.clone(), notation(&name, &value), method(observed, &name))).collect();
    let chunks = parameters.chunks(PARAMETERS_PER_CALL);
    chunks.map(|chunk| Operation::ModifyGroup { name: group.to_owned(), parameters: chunk.to_vec() }).collect()
}

fn method(observed: &cluster::Observed, parameter: &str) -> ApplyMethod {
    observed.attached.settings.get(parameter).map_or(ApplyType::Static, |setting| setting.apply_type).into()
}

/// The tags of our group.
fn tags(observed: &cluster::Observed, desired: &Desired, previous: Option<String>) -> Tags {
    let mut tags = desired.tags.clone();
    tags.insert(OWNER_TAG.to_owned(), observed.id().to_owned());
    tags.extend(previous.map(|previous| (PREVIOUS_TAG.to_owned(), previous)));
    tags
}

fn retag(group: &Group, wanted: &Tags, before: Option<&Desired>) -> Vec<Operation> {
    let missing: Tags = wanted.iter().filter(|(key, value)| group.tags.get(*key) != Some(value)).map(owned).collect();
    let dropped: Vec<String> = before
        .into_iter()
        .flat_map(|before| before.tags.keys())
        .filter(|key| group.tags.contains_key(*key) && !wanted.contains_key(*key))
        .cloned()
        .collect();
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
pub(super) fn undo(observed: &cluster::Observed, policy: RebootPolicy) -> Vec<Operation> {
    let mut operations = Vec::new();
    if observed.attached_is_ours() {
        operations.push(Operation::AttachGroup { cluster: observed.id().to_owned(), group: observed.previous_name() });
        operations.extend(reboots(observed, policy, &operations));
        operations.push(deletion(&observed.attached));
    }
    let detached = [&observed.named, &observed.left_over].into_iter().flatten();
    operations.extend(detached.filter(|group| group.is_ours(observed.id())).map(deletion));
    operations
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

fn owned<K: Clone, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (key.clone(), value.clone())
}
