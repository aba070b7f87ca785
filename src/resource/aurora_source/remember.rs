//! What a look remembers of the time before this resource changed something in place. Private data beside the state decide; without
//! them, as on create and after an import, the tags of the group do. Pure.

use super::desired::{Desired, Mode};
use super::observed::Observed;
use super::operation::Operation;
use super::schema::Source;
use super::takeover::begun_mode;
use crate::cluster::{self, IAM_TAG, Remembered};
use crate::rds::parameter_group::Tags;
use crate::resource::change::{Look, Purpose};

/// What is remembered at this look, after these operations.
pub(super) fn remembered(look: &Look<'_, Source>, found: &cluster::Observed, ran: &[Operation]) -> Remembered {
    let tags = &found.attached.tags;
    let before = look.prior.map(|prior| &prior.arguments).filter(|_| look.purpose != Purpose::Read { importing: true });
    let mut remembered = match (before, look.recalled) {
        (Some(before), Some(Observed { found: last, .. })) => kept(last, found, before),
        _ => Remembered::of_tags(tags),
    };
    if let (Some(before), None) = (before, look.recalled) {
        remembered.values.retain(|parameter, _| before.mentions(parameter));
        // Something else manages it.
        remembered.iam_enabled &= before.mode != Mode::External || found.attached_is_ours();
    }
    adopt(&mut remembered, tags, before, look.desired);
    for operation in ran {
        match operation {
            // What ran can be seen.
            Operation::TagGroup { name, tags: set } if *name == found.attached.name => {
                let set = set.iter().filter(|(key, _)| tags.contains_key(*key));
                note(&mut remembered, &set.map(|(key, value)| (key.clone(), value.clone())).collect());
            }
            Operation::UntagGroup { name, keys } if *name == found.attached.name => {
                let gone: Vec<String> = keys.iter().filter(|key| !tags.contains_key(*key)).cloned().collect();
                forget(&mut remembered, &gone);
            }
            Operation::SetIamAuthentication { on, .. } if found.cluster.iam_authentication == *on => remembered.iam_enabled = *on,
            _ => {}
        }
    }
    remembered.iam_enabled &= found.cluster.iam_authentication;
    remembered
}

/// Whoever may tag a group could name any parameter. So what only tags say counts for what the configuration asks for, and did not
/// before: a create or a change that stopped half-way has left them.
pub(super) fn adopt(remembered: &mut Remembered, tags: &Tags, before: Option<&Desired>, desired: Option<&Desired>) {
    let Some(desired) = desired else { return };
    let before = before.filter(|before| before.mode == desired.mode);
    let tagged = Remembered::of_tags(tags);
    if desired.mode == Mode::InPlace {
        if before.is_none() {
            remembered.values.retain(|parameter, _| desired.mentions(parameter));
        }
        let is_new = |name: &str| desired.mentions(name) && before.is_none_or(|before| !before.mentions(name));
        for (name, value) in tagged.values.into_iter().filter(|(name, _)| is_new(name)) {
            remembered.values.entry(name).or_insert(value);
        }
    }
    let is_on = |desired: &Desired| desired.iam_authentication == Some(true);
    match (before.is_some_and(is_on), is_on(desired)) {
        (false, true) => remembered.iam_enabled |= tagged.iam_enabled,
        (false, false) if before.is_none() => remembered.iam_enabled = false,
        _ => {}
    }
}

/// What is stored, as far as it is about the group that is attached now.
fn kept(last: &cluster::Observed, found: &cluster::Observed, arguments: &Desired) -> Remembered {
    let (stored, tagged) = (&last.remembered, Remembered::of_tags(&found.attached.tags));
    match begun_mode(arguments, last) {
        Mode::External => tagged,
        Mode::InPlace if last.attached.name == found.attached.name => stored.clone(),
        Mode::InPlace => {
            let values = tagged.values.into_iter().filter(|(name, _)| arguments.mentions(name));
            Remembered { values: values.collect(), ..stored.clone() }
        }
        Mode::Dedicated => Remembered { values: tagged.values, ..stored.clone() },
    }
}

/// Adds what tags say.
pub(super) fn note(remembered: &mut Remembered, tags: &Tags) {
    let Remembered { values, iam_enabled } = Remembered::of_tags(tags);
    remembered.values.extend(values);
    remembered.iam_enabled |= iam_enabled;
}

/// Removes what tags said.
pub(super) fn forget(remembered: &mut Remembered, keys: &[String]) {
    remembered.values.retain(|parameter, _| !keys.contains(&cluster::value_tag(parameter)));
    remembered.iam_enabled &= !keys.iter().any(|key| key == IAM_TAG);
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{config, config_in};
    use super::super::schema::AuroraSource;
    use super::super::state;
    use super::*;
    use crate::cluster::fixture::{group, observed};
    use crate::cluster::{value_tag, value_text};
    use crate::resource::Prior;

    const PARAMETER: &str = "wal_sender_timeout";

    fn tagged(value: &str) -> cluster::Observed {
        let mut own = group("shop-custom", &[(PARAMETER, "0")]);
        own.tags.insert(value_tag(PARAMETER), value_text(Some(value)).unwrap());
        observed(own)
    }

    fn prior(config: &AuroraSource) -> Prior<AuroraSource, Desired> {
        let model = state::observed(config, &tagged("1").into(), false);
        let arguments = Desired::decode(&model).unwrap().unwrap();
        Prior { model, arguments }
    }

    fn look<'a>(prior: &'a Prior<AuroraSource, Desired>, recalled: &'a Observed) -> Look<'a, Source> {
        Look {
            purpose: Purpose::Read { importing: false },
            arguments: &prior.arguments,
            prior: Some(prior),
            recalled: Some(recalled),
            desired: None,
            operations: &[],
        }
    }

    /// What a look at a group with the value 2 in its tag remembers, if 1 is stored.
    fn value(config: &AuroraSource, found: &cluster::Observed, ran: &[Operation]) -> Option<String> {
        let prior = prior(config);
        let mut stored = tagged("1");
        stored.remembered = Remembered::of_tags(&stored.attached.tags);
        let remembered = remembered(&look(&prior, &stored.into()), found, ran);
        remembered.values.get(PARAMETER).cloned().flatten()
    }

    #[test]
    fn in_place_what_is_stored_counts_and_in_other_modes_the_tag() {
        assert_eq!(value(&config_in("in_place", "never", &[]), &tagged("2"), &[]).as_deref(), Some("1"));
        for other in [config("never", &[]), config_in("external", "never", &[])] {
            assert_eq!(value(&other, &tagged("2"), &[]).as_deref(), Some("2"));
        }
        let mut another = tagged("2");
        another.attached.name = "shop-other".to_owned();
        assert_eq!(value(&config_in("in_place", "never", &[]), &another, &[]).as_deref(), Some("2"), "another group");
    }

    #[test]
    fn a_tag_alone_decides_only_on_what_the_configuration_names() {
        let found = tagged("2");
        let desired =
            |parameters: &[(&str, &str)]| Desired::decode(&config_in("in_place", "never", parameters)).unwrap().unwrap();
        let count = |before: Option<&Desired>, desired: &Desired| {
            let mut remembered = Remembered::of_tags(&found.attached.tags);
            remembered.values.insert("work_mem".to_owned(), None);
            adopt(&mut remembered, &found.attached.tags, before, Some(desired));
            remembered.values.len()
        };
        let (guide, more) = (desired(&[]), desired(&[("work_mem", "64")]));
        assert_eq!([count(None, &guide), count(None, &more), count(Some(&guide), &guide)], [1, 2, 2]);
    }

    #[test]
    fn what_ran_counts_as_far_as_it_can_be_seen() {
        let in_place = config_in("in_place", "never", &[]);
        let untag = Operation::UntagGroup { name: "shop-custom".to_owned(), keys: vec![value_tag(PARAMETER)] };
        assert_eq!(value(&in_place, &tagged("2"), std::slice::from_ref(&untag)).as_deref(), Some("1"), "the tag is still there");
        let mut gone = tagged("2");
        gone.attached.tags.clear();
        assert_eq!(value(&in_place, &gone, &[untag]), None);
        let tags = Tags::from([(value_tag(PARAMETER), value_text(Some("3")).unwrap())]);
        let tag = Operation::TagGroup { name: "shop-custom".to_owned(), tags };
        assert_eq!(value(&in_place, &tagged("3"), &[tag]).as_deref(), Some("3"));
    }

    #[test]
    fn that_iam_authentication_was_off_is_remembered_once_it_is_on() {
        let prior = prior(&config("never", &[]));
        let stored = Observed::from(tagged("1"));
        let ran = [Operation::SetIamAuthentication { cluster: "shop".to_owned(), on: true }];
        let mut found = tagged("1");
        assert!(!remembered(&look(&prior, &stored), &found, &ran).iam_enabled, "it did not take effect");
        found.cluster.iam_authentication = true;
        assert!(remembered(&look(&prior, &stored), &found, &ran).iam_enabled);
        assert!(!remembered(&look(&prior, &stored), &found, &[]).iam_enabled, "it was on before");
    }
}
