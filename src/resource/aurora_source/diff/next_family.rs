//! The operations of `parameter_group.next_family`: a second group of ours beside the attached one, for the major version to come. It
//! has what the attached one will have once the other operations have run, as far as the family has that. Pure.

use std::collections::BTreeMap;

use super::super::desired::{Desired, Mode};
use super::super::foresee;
use super::super::message::{self, LeftBehind};
use super::super::operation::Operation;
use super::dedicated::{excess, retag, tags};
use super::parameters::{modifications, owned, resets};
use crate::cluster::{self, Group, IAM_OFF, IAM_TAG, NextFamily, is_later_family};
use crate::rds::parameter_group::{Tags, default_group, is_default_group};
use crate::terraform::Diagnostics;

/// What the second group is to have, and what it cannot have.
#[derive(Debug)]
pub(in super::super) struct Successor {
    /// A group of its name and family, with nothing set.
    pub(in super::super) catalogue: Group,
    values: BTreeMap<String, String>,
    tags: Tags,
    pub(in super::super) left_behind: Vec<LeftBehind>,
}

/// Whether too little is stored of the family: then it is not known what the second group is to have.
pub(in super::super) fn is_uncertain(found: &cluster::Observed, desired: &Desired) -> bool {
    let Some(next) = later(found, desired) else { return false };
    let Some(known) = of_family(found, next) else { return true };
    let groups = std::iter::once(&found.attached).chain(&found.detached).chain(&found.previous);
    let set = groups.flat_map(|group| group.user_set().map(|(name, _)| name));
    !set.chain(desired.wanted.keys()).all(|name| known.decides(name))
}

/// Operations that make and keep the second group, beside the `others` of the same change.
///
/// # Errors
/// A family that is not a later one or does not exist, and a group of that name that is not ours.
pub(super) fn set_up(
    observed: &cluster::Observed,
    desired: &Desired,
    before: Option<&Desired>,
    others: &[Operation],
) -> Result<Vec<Operation>, Diagnostics> {
    let Some(next) = desired.next_family.as_ref().filter(|next| **next != observed.family && desired.mode == Mode::Dedicated)
    else {
        return Ok(Vec::new());
    };
    if !is_later_family(next, &observed.family) {
        return Err(message::not_a_later_family(observed, next).into());
    }
    if of_family(observed, next).is_some_and(|family| !family.exists()) {
        return Err(message::unknown_family(observed, next).into());
    }
    let Some(Successor { catalogue, mut values, tags, .. }) = successor(observed, desired, others) else {
        return Ok(Vec::new());
    };
    let name = catalogue.name.clone();
    let mut operations = Vec::new();
    let mut reset = Vec::new();
    match observed.detached(&name) {
        None => operations.push(Operation::CreateGroup { name: name.clone(), family: next.clone(), tags }),
        Some(group) if !group.is_ours(observed.id()) || group.family != *next => {
            return Err(message::next_name_is_taken(observed, group).into());
        }
        Some(group) => {
            // Nothing runs with it, so what others have set in it is nobody's yet.
            reset = excess(&catalogue, group, |parameter| !values.contains_key(parameter));
            values.retain(|parameter, value| !group.holds(parameter, value));
            operations.extend(retag(observed, group, &tags, before));
            let is_left = group.tags.contains_key(IAM_TAG) && !tags.contains_key(IAM_TAG);
            operations.extend(is_left.then(|| Operation::UntagGroup { name: name.clone(), keys: vec![IAM_TAG.to_owned()] }));
        }
    }
    operations.extend(modifications(&catalogue, &name, values));
    operations.extend(resets(&name, &reset));
    Ok(operations)
}

/// The second group, if one is wanted: what these operations leave in the attached group decides.
pub(in super::super) fn successor(found: &cluster::Observed, desired: &Desired, operations: &[Operation]) -> Option<Successor> {
    let next = later(found, desired)?;
    let catalogue = of_family(found, next).filter(|family| family.exists())?.group(&desired.next_group(found)?);
    let after = foresee::after(found.clone(), operations);
    let mut all: BTreeMap<String, String> = after.attached.user_set().map(owned).collect();
    all.extend(desired.wanted.iter().map(owned));
    let (mut values, mut left_behind) = (BTreeMap::new(), Vec::new());
    for (parameter, value) in all {
        let allowed = catalogue.excludes(&parameter, &value).map(str::to_owned);
        if allowed.is_some() || !catalogue.settings.contains_key(&parameter) {
            let configured = desired.wanted.contains_key(&parameter);
            left_behind.push(LeftBehind { parameter, value, allowed, configured });
        } else {
            values.insert(parameter, value);
        }
    }
    let previous = match after.attached_is_ours() {
        true => after.attached.recorded_previous(),
        false => Some(&after.attached.name),
    };
    let previous = previous.map(|previous| counterpart(previous, next));
    let mut tags = tags(found, desired, previous);
    if after.remembered.iam_enabled {
        tags.insert(IAM_TAG.to_owned(), IAM_OFF.to_owned());
    }
    Some(Successor { catalogue, values, tags, left_behind })
}

/// The group that a destroy attaches after the upgrade: AWS has its own one in every family. That another one cannot be attached any more
/// is said then.
fn counterpart(previous: &str, family: &str) -> String {
    if is_default_group(previous) { default_group(family) } else { previous.to_owned() }
}

/// The family of the second group, if it is a later one.
fn later<'a>(found: &cluster::Observed, desired: &'a Desired) -> Option<&'a String> {
    desired.next_family.as_ref().filter(|next| desired.mode == Mode::Dedicated && is_later_family(next, &found.family))
}

fn of_family<'a>(found: &'a cluster::Observed, family: &str) -> Option<&'a NextFamily> {
    found.next_family.as_ref().filter(|known| known.family == family)
}

#[cfg(test)]
mod tests;
