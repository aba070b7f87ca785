//! What private data keep of a change that stopped half-way: the state has only what was before it. Pure.

use std::collections::BTreeSet;

use super::desired::{Desired, Mode};
use super::observed::Observed;
use super::operation::Operation;
use super::remember::note;
use super::schema::{AuroraSource, Source};
use crate::cluster::{self, Group, Remembered, Takeover, Unfinished};
use crate::rds::ApplyMethod;
use crate::resource::Prior;
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

/// What a change may have left that was cut off together with the provider, such as by a kill: Terraform then keeps the state of before
/// it, and no private data.
pub(super) fn cut_off(prior: &Prior<AuroraSource, Desired>, found: &cluster::Observed) -> Unfinished {
    match prior.arguments.mode {
        Mode::Dedicated => Unfinished { parameters: excess(&prior.arguments, found), ..Unfinished::default() },
        // Tags alone are not enough to change a parameter.
        Mode::InPlace => Unfinished::default(),
        Mode::External => {
            let takeover = begins_own_group(prior, found).then_some(Takeover::OwnGroup);
            let is_tagged = !found.attached_is_ours() && !Remembered::of_tags(&found.attached.tags).values.is_empty();
            Unfinished { takeover, unrecorded: is_tagged, ..Unfinished::default() }
        }
    }
}

/// What is set in our group and neither in the state nor carried over. It is compared as a whole, as by a create that finds it.
fn excess(before: &Desired, found: &cluster::Observed) -> BTreeSet<String> {
    let attached = &found.attached;
    let is_recorded = |group: &&Group| found.attached_is_ours() && attached.recorded_previous() == Some(&group.name);
    // If it is gone, nobody knows what was carried over.
    let Some(previous) = found.previous.as_ref().filter(is_recorded) else { return BTreeSet::new() };
    let is_carried = |name: &str| previous.user_value(name).is_some_and(|value| attached.holds(name, value));
    let names = attached.user_set().map(|(name, _)| name).filter(|name| !before.mentions(name) && !is_carried(name));
    names.cloned().collect()
}

/// Whether a group of ours has come beside or in place of the one that the state says was attached. One that was let go was attached
/// already when the state was written.
fn begins_own_group(prior: &Prior<AuroraSource, Desired>, found: &cluster::Observed) -> bool {
    let Some(attached) = prior.model.parameter_group_name.known() else { return false };
    let follows = |group: &Group| group.name != *attached && group.recorded_previous() == Some(attached);
    let is_begun = found.attached_is_ours() || found.attached.name == *attached;
    is_begun && found.ours().any(follows)
}

/// In mode external, tags are all that is known, and whoever may tag could name any parameter: what a takeover may have changed counts,
/// and what was `known` of it before.
fn restrict(remembered: &mut Remembered, desired: &Desired, known: Option<&cluster::Observed>) {
    let is_known = |name: &str| known.is_some_and(|known| known.remembered.values.contains_key(name));
    remembered.values.retain(|name, _| desired.mentions(name) || is_known(name));
    remembered.iam_enabled &= desired.iam_authentication == Some(true) || known.is_some_and(|known| known.remembered.iam_enabled);
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{config, config_in};
    use super::super::state;
    use super::*;
    use crate::cluster::fixture::{DEFAULT, OURS, group, observed, our_group, settled};
    use crate::cluster::{Observed, value_tag, value_text};

    const CUSTOM: &str = "shop-custom";

    /// The state of a source, as it was written when `found` was there.
    fn prior(config: &AuroraSource, found: &Observed) -> Prior<AuroraSource, Desired> {
        let model = state::observed(config, &found.clone().into(), false);
        let arguments = Desired::decode(&model).unwrap().unwrap();
        Prior { model, arguments }
    }

    #[test]
    fn what_a_dedicated_group_sets_beyond_state_and_previous_group_was_cut_off() {
        let before = prior(&config("never", &[("log_statement", "all")]), &settled());
        let set = [("rds.logical_replication", "1"), ("wal_sender_timeout", "0"), ("max_wal_senders", "30"), ("work_mem", "128")];
        let ours = our_group(OURS, CUSTOM, &set);
        let previous = |value| Some(group(CUSTOM, &[("work_mem", value)]));
        let left = |previous| cut_off(&before, &Observed { previous, ..observed(ours.clone()) }).parameters;
        assert_eq!(left(previous("64")).into_iter().collect::<Vec<_>>(), ["max_wal_senders", "work_mem"]);
        assert_eq!(left(previous("128")).into_iter().collect::<Vec<_>>(), ["max_wal_senders"], "carried over");
        assert!(left(None).is_empty() && left(Some(group(DEFAULT, &[]))).is_empty(), "nobody knows what was carried over");
        let theirs = Observed { previous: previous("64"), ..observed(group(CUSTOM, &set)) };
        assert!(cut_off(&before, &theirs).parameters.is_empty());
    }

    #[test]
    fn a_group_of_ours_that_follows_the_one_in_a_state_of_mode_external_was_begun() {
        let external = config_in("external", "never", &[]);
        let theirs = observed(group(CUSTOM, &[]));
        let before = prior(&external, &theirs);
        let takeover = |prior: &Prior<AuroraSource, Desired>, found: &Observed| cut_off(prior, found).takeover;
        let attached = observed(our_group(OURS, CUSTOM, &[]));
        let created = Observed { detached: vec![our_group(OURS, CUSTOM, &[])], ..theirs.clone() };
        assert_eq!([takeover(&before, &attached), takeover(&before, &created)], [Some(Takeover::OwnGroup); 2]);
        // It was let go, or attached by hand, or follows another one.
        let let_go = prior(&external, &attached);
        let other = Observed { attached: group("shop-other", &[]), ..created.clone() };
        let follows_another = observed(our_group(OURS, DEFAULT, &[]));
        assert_eq!([takeover(&let_go, &attached), takeover(&before, &other), takeover(&before, &follows_another)], [None; 3]);
        assert_eq!(cut_off(&before, &theirs), Unfinished::default());
    }

    #[test]
    fn what_only_tags_say_is_named_and_nothing_more() {
        let mut tagged = observed(group(CUSTOM, &[]));
        let before = prior(&config_in("external", "never", &[]), &tagged);
        tagged.attached.tags.insert(value_tag("work_mem"), value_text(None).unwrap());
        assert_eq!(cut_off(&before, &tagged), Unfinished { unrecorded: true, ..Unfinished::default() });
        let in_place = prior(&config_in("in_place", "never", &[]), &tagged);
        assert_eq!(cut_off(&in_place, &tagged), Unfinished::default());
    }
}
