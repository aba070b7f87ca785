//! What private data keep of a change that stopped half-way: the state has only what was before it. Pure.

use super::desired::{Desired, Mode};
use super::observed::Observed;
use super::operation::Operation;
use super::remember::note;
use super::schema::Source;
use crate::cluster::{self, Remembered, Takeover};
use crate::rds::ApplyMethod;
use crate::resource::change::Work;

/// What the last look saw, with what these operations have noted in tags since.
pub(super) fn unseen(work: &Work<'_, Source>, ran: &[Operation]) -> Option<Observed> {
    let mut left = work.recalled.clone()?;
    for operation in ran {
        if let Operation::TagGroup { name, tags } = operation
            && *name == left.found.attached.name
        {
            note(&mut left.found.remembered, tags);
        }
    }
    Some(left)
}

/// What is left of a change that stopped half-way after these operations, with what they may have set in the group: the state will not
/// mention that.
pub(super) fn unfinished(mut left: Observed, work: &Work<'_, Source>, ran: &[Operation]) -> Observed {
    let mut unfinished = work.recalled.as_ref().map(|recalled| recalled.found.unfinished.clone()).unwrap_or_default();
    if let Some(desired) = work.desired {
        let before = work.arguments;
        // The group for the next major version is compared as a whole.
        let next = desired.next_group(&left.found);
        let is_set = |name: &str| {
            let sets = |(set, ..): &(String, String, ApplyMethod)| set == name;
            ran.iter().any(|operation| match operation {
                Operation::ModifyGroup { name, parameters } => next.as_ref() != Some(name) && parameters.iter().any(sets),
                _ => false,
            })
        };
        let added = desired.wanted.keys().filter(|name| !before.wanted.contains_key(*name) && is_set(name));
        unfinished.parameters.extend(added.cloned());
        let is_tagged = |key: &str| {
            ran.iter().any(|operation| match operation {
                Operation::CreateGroup { tags, .. } | Operation::TagGroup { tags, .. } => tags.contains_key(key),
                _ => false,
            })
        };
        let added = desired.tags.keys().filter(|key| !before.tags.contains_key(*key) && is_tagged(key));
        unfinished.tags.extend(added.cloned());
        let takeover = match (before.mode, desired.mode) {
            (Mode::External, Mode::Dedicated) => Some(Takeover::OwnGroup),
            (Mode::External, Mode::InPlace) => Some(Takeover::InPlace),
            _ => None,
        };
        if takeover.is_some() && !ran.is_empty() {
            let known = work.recalled.as_ref().map(|recalled| &recalled.found).filter(|last| last.unfinished.takeover.is_some());
            restrict(&mut left.found.remembered, desired, known);
            unfinished.takeover = takeover;
        }
    }
    left.found.unfinished = unfinished;
    left
}

/// In mode external, tags are all that is known, and whoever may tag could name any parameter: what a takeover may have changed counts,
/// and what was `known` of it before.
fn restrict(remembered: &mut Remembered, desired: &Desired, known: Option<&cluster::Observed>) {
    let is_known = |name: &str| known.is_some_and(|known| known.remembered.values.contains_key(name));
    remembered.values.retain(|name, _| desired.mentions(name) || is_known(name));
    remembered.iam_enabled &= desired.iam_authentication == Some(true) || known.is_some_and(|known| known.remembered.iam_enabled);
}
