//! The operations of mode in_place: only the wanted parameters, in the cluster's own group, and the way back to what they were. Pure.

use std::collections::BTreeMap;

use super::super::desired::{Desired, RebootPolicy};
use super::super::message;
use super::super::operation::Operation;
use super::super::remember::adopt;
use super::parameters::{method, modifications, owned, resets};
use super::reboots::reboots;
use crate::cluster::{IAM_TAG, Observed, value_tag, value_text};
use crate::rds::parameter_group::{Tags, is_default_group};
use crate::terraform::Diagnostics;

/// Operations that set what differs, and restore what is no longer configured, if the source was in this mode `before`: tags alone are
/// not enough to change a parameter that nobody asks for. What a value was before goes into a tag first.
///
/// # Errors
/// AWS's own group, which nobody can modify, and a value that does not fit into a tag.
pub(super) fn set_up(observed: &Observed, desired: &Desired, before: Option<&Desired>) -> Result<Vec<Operation>, Diagnostics> {
    let attached = &observed.attached;
    if is_default_group(&attached.name) {
        return Err(message::default_in_place(observed).into());
    }
    let differing = desired.wanted.iter().filter(|(name, value)| !attached.holds(name, value));
    let differing: BTreeMap<String, String> = differing.map(owned).collect();
    let mut remembered = observed.remembered.clone();
    adopt(&mut remembered, &attached.tags, before, Some(desired));
    let known = &remembered.values;
    let kept = known.iter().filter(|(name, _)| desired.mentions(name)).map(|(name, value)| (name, value.as_deref()));
    let first = differing.keys().filter(|name| !known.contains_key(*name));
    let mut tags = Tags::new();
    for (name, value) in kept.chain(first.map(|name| (name, attached.user_value(name)))) {
        let text = value_text(value).ok_or_else(|| message::too_long_to_remember(observed, name))?;
        let key = value_tag(name);
        if attached.tags.get(&key) != Some(&text) {
            tags.insert(key, text);
        }
    }
    let (mut set, reset, forgotten) = restored(observed, |name| before.is_some() && !desired.mentions(name));
    set.extend(differing);
    let mut operations = Vec::new();
    if !tags.is_empty() {
        operations.push(Operation::TagGroup { name: attached.name.clone(), tags });
    }
    operations.extend(modifications(attached, &attached.name, set));
    operations.extend(resets(&attached.name, &reset));
    operations.extend(forget(observed, forgotten));
    Ok(operations)
}

/// Operations that restore everything. The tags go last: until then a destroy that stopped half-way can be continued.
pub(super) fn undo(observed: &Observed, policy: RebootPolicy) -> Vec<Operation> {
    let (set, reset, mut forgotten) = restored(observed, |_| true);
    let has_iam_tag = observed.attached.tags.contains_key(IAM_TAG);
    if forgotten.is_empty() && !has_iam_tag {
        return Vec::new();
    }
    forgotten.extend(has_iam_tag.then(|| IAM_TAG.to_owned()));
    let group = &observed.attached.name;
    let mut operations = modifications(&observed.attached, group, set);
    operations.extend(resets(group, &reset));
    if !observed.remembered.values.is_empty() {
        operations.extend(reboots(observed, policy, &operations, false));
    }
    operations.extend(forget(observed, forgotten));
    operations
}

type Resets = Vec<(String, crate::rds::ApplyMethod)>;

/// What restores the remembered values of these parameters: values to set, parameters to reset, and the tags that are then needless.
fn restored(observed: &Observed, is_given_back: impl Fn(&str) -> bool) -> (BTreeMap<String, String>, Resets, Vec<String>) {
    let attached = &observed.attached;
    let (mut set, mut reset, mut forgotten) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (name, value) in observed.remembered.values.iter().filter(|(name, _)| is_given_back(name)) {
        match value {
            Some(value) if attached.user_value(name).is_some() && attached.holds(name, value) => {}
            Some(value) => drop(set.insert(name.clone(), value.clone())),
            None if attached.user_value(name).is_some() => reset.push((name.clone(), method(attached, name))),
            None => {}
        }
        forgotten.push(value_tag(name));
    }
    (set, reset, forgotten)
}

fn forget(observed: &Observed, mut keys: Vec<String>) -> Option<Operation> {
    keys.retain(|key| observed.attached.tags.contains_key(key));
    (!keys.is_empty()).then(|| Operation::UntagGroup { name: observed.attached.name.clone(), keys })
}

#[cfg(test)]
mod tests;
