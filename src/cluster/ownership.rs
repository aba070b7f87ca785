//! Whose a parameter group is: tags can be forged by whoever may tag, and states can be edited, so neither is believed alone. Pure.
//!
//! A group is ours if this provider created it, which its description says (AWS has no call that changes it), and if its tags and
//! the state agree. Missing tags are no contradiction: then the state decides. Without a state, it must have the wanted name.

use serde::{Deserialize, Serialize};

use super::group::{Group, OWNER_TAG, PREVIOUS_TAG};
use super::owner::{Owner, Record};
use crate::rds::parameter_group::is_default_group;

/// Description of the groups that this provider creates.
pub(crate) const DESCRIPTION: &str = "Logical replication for ClickPipes, made by terraform-provider-clickpipes";

/// What is known of our groups apart from their tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Whether a state says that nothing else is ours. A create and an import have none.
    pub(crate) from_state: bool,
    /// Whether the attached group may have any name: an import does not know which is wanted.
    pub(crate) any_name: bool,
    /// The groups recorded as ours.
    pub(crate) records: Vec<Record>,
}

/// A contradiction between the tags of a group and what else is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dispute {
    /// The group.
    pub(crate) group: String,
    /// What its tags say.
    pub(crate) tags: String,
    /// What contradicts them.
    pub(crate) against: String,
}

/// Decides whose a group is. `wanted` is the name that our group would have now.
pub(crate) fn judge(group: &Group, cluster: &str, wanted: &str, attached: bool, claims: &Claims) -> (Owner, Option<Dispute>) {
    if is_default_group(&group.name) {
        return (Owner::Others, None);
    }
    let records: Vec<&Record> = claims.records.iter().filter(|record| record.name == group.name).collect();
    match against(group, cluster, wanted, attached, claims, &records) {
        Err(against) => {
            let owner = Owner::Disputed { recorded: records.first().map(|record| (*record).clone()) };
            (owner, Some(Dispute { group: group.name.clone(), tags: said(group), against }))
        }
        Ok(false) => (Owner::Others, None),
        Ok(true) => {
            let previous = records.iter().find_map(|record| record.previous.clone());
            let previous = previous.or_else(|| group.tags.get(PREVIOUS_TAG).cloned());
            (Owner::Ours { previous, recorded: !records.is_empty() }, None)
        }
    }
}

/// Whether the group is ours, or what contradicts its tags.
fn against(
    group: &Group,
    cluster: &str,
    wanted: &str,
    attached: bool,
    claims: &Claims,
    records: &[&Record],
) -> Result<bool, String> {
    let tagged = group.belongs_to(cluster);
    if group.description != DESCRIPTION {
        // Whatever a state says of such a group, it is not acted upon.
        return if tagged {
            Err(format!("its description is {:?}, which no group created by this provider has", group.description))
        } else {
            Ok(false)
        };
    }
    if records.is_empty() {
        return if tagged { recognised(group, wanted, attached, claims) } else { Ok(false) };
    }
    if group.tags.contains_key(OWNER_TAG) && !tagged {
        return Err(format!("the state says that it was created for cluster {cluster}"));
    }
    let mut previous = records.iter().filter_map(|record| record.previous.as_ref());
    let Some(recorded) = previous.next().filter(|_| attached) else { return Ok(true) };
    if let Some(other) = previous.find(|other| *other != recorded) {
        return Err(format!("the state says that {recorded} was attached before it, and the data stored beside it say {other}"));
    }
    match group.tags.get(PREVIOUS_TAG) {
        Some(tag) if tag != recorded => Err(format!("the state says that {recorded} was attached before it")),
        _ => Ok(true),
    }
}

/// A group of this provider, with our tags, that no state records: a create or a change that stopped half-way has left it.
fn recognised(group: &Group, wanted: &str, attached: bool, claims: &Claims) -> Result<bool, String> {
    let previous = group.tags.get(PREVIOUS_TAG);
    let continues = claims.records.iter().any(|record| record.previous.is_some() && record.previous.as_ref() == previous);
    // A detached one is at most tidied away.
    if group.name == wanted || continues || !attached || claims.any_name {
        return Ok(true);
    }
    let recorded: Vec<&str> = claims.records.iter().map(|record| record.name.as_str()).collect();
    Err(match (claims.from_state, recorded.is_empty()) {
        (false, _) => format!("the parameter group of this source is to have the name {wanted}"),
        (true, true) => "the state says that no parameter group was created for this source".to_owned(),
        (true, false) => format!("the state says that the parameter group of this source is {}", recorded.join(", ")),
    })
}

/// What the tags of a group say.
fn said(group: &Group) -> String {
    let owner = group.tags.get(OWNER_TAG).map(|cluster| format!("it was created for cluster {cluster}"));
    let previous = group.tags.get(PREVIOUS_TAG).map(|previous| format!("{previous} was attached before it"));
    let said: Vec<String> = owner.into_iter().chain(previous).collect();
    if said.is_empty() { "nothing".to_owned() } else { said.join(" and ") }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{DEFAULT, OURS, group, our_group};
    use super::*;

    fn record(name: &str, previous: Option<&str>) -> Record {
        Record { name: name.to_owned(), previous: previous.map(str::to_owned) }
    }

    fn state(records: &[Record]) -> Claims {
        Claims { from_state: true, records: records.to_vec(), ..Claims::default() }
    }

    fn ours(previous: &str) -> Owner {
        Owner::Ours { previous: Some(previous.to_owned()), recorded: true }
    }

    fn left_behind(previous: &str) -> Owner {
        Owner::Ours { previous: Some(previous.to_owned()), recorded: false }
    }

    fn judged(group: &Group, claims: &Claims) -> (Owner, Option<Dispute>) {
        judge(group, "shop", OURS, true, claims)
    }

    #[track_caller]
    fn disputed(group: &Group, claims: &Claims, words: &[&str]) {
        let (owner, dispute) = judged(group, claims);
        let dispute = dispute.unwrap_or_else(|| panic!("no dispute: {owner:?}"));
        assert!(matches!(owner, Owner::Disputed { .. }));
        for word in words {
            assert!(format!("{} {}", dispute.tags, dispute.against).contains(word), "{word} is missing in {dispute:?}");
        }
    }

    #[test]
    fn tags_and_state_that_agree_make_a_group_ours() {
        let recorded = state(&[record(OURS, Some(DEFAULT))]);
        assert_eq!(judged(&our_group(OURS, DEFAULT, &[]), &recorded), (ours(DEFAULT), None));
        assert_eq!(judged(&group("shop-custom", &[]), &state(&[])), (Owner::Others, None));
    }

    #[test]
    fn forged_tags_are_a_contradiction_whatever_the_state_says() {
        let mut forged = our_group("shop-custom", "theirs", &[]);
        forged.description = "Settings of the shop".to_owned();
        for claims in [state(&[]), state(&[record("shop-custom", Some("theirs"))]), Claims::default()] {
            disputed(&forged, &claims, &["created for cluster shop", "Settings of the shop"]);
        }
        forged.name = OURS.to_owned();
        disputed(&forged, &Claims::default(), &["Settings of the shop"]);
        // Of another cluster of this provider, tagged anew.
        disputed(&our_group("clickpipes-other", DEFAULT, &[]), &state(&[]), &["no parameter group was created"]);
        let recorded = state(&[record(OURS, Some("a"))]);
        disputed(&our_group("clickpipes-other", DEFAULT, &[]), &recorded, &[OURS]);
        disputed(&our_group("clickpipes-other", DEFAULT, &[]), &Claims::default(), &[OURS]);
    }

    #[test]
    fn altered_tags_are_a_contradiction_of_the_state() {
        let recorded = state(&[record(OURS, Some(DEFAULT))]);
        disputed(&our_group(OURS, "theirs", &[]), &recorded, &["theirs was attached", DEFAULT]);
        let mut of_another = our_group(OURS, DEFAULT, &[]);
        of_another.tags.insert(OWNER_TAG.to_owned(), "orders".to_owned());
        disputed(&of_another, &recorded, &["cluster orders", "cluster shop"]);
        // Detached, the group that was attached before it is not known yet: it is attached anew.
        assert_eq!(judge(&our_group(OURS, "theirs", &[]), "shop", OURS, false, &recorded).1, None);
        // The contradiction does not end by being seen twice.
        let kept = judged(&our_group(OURS, "theirs", &[]), &recorded).0;
        assert_eq!(kept, Owner::Disputed { recorded: Some(record(OURS, Some(DEFAULT))) });
    }

    #[test]
    fn without_tags_the_state_decides() {
        let recorded = state(&[record(OURS, Some("theirs"))]);
        let mut stripped = our_group(OURS, "theirs", &[]);
        for key in [OWNER_TAG, PREVIOUS_TAG] {
            stripped.tags.remove(key);
            assert_eq!(judged(&stripped, &recorded), (ours("theirs"), None));
        }
        assert_eq!(judged(&stripped, &state(&[])).0, Owner::Others);
        assert_eq!(judged(&stripped, &Claims::default()).0, Owner::Others, "a create needs the tags");
    }

    #[test]
    fn an_edited_state_makes_nobody_elses_group_ours() {
        let recorded = state(&[record("shop-custom", Some("x")), record(DEFAULT, Some("x"))]);
        assert_eq!(judged(&group("shop-custom", &[]), &recorded), (Owner::Others, None));
        assert_eq!(judged(&group(DEFAULT, &[]), &recorded), (Owner::Others, None));
        let two = state(&[record(OURS, Some("edited")), record(OURS, Some(DEFAULT))]);
        let mut stripped = our_group(OURS, DEFAULT, &[]);
        stripped.tags.clear();
        disputed(&stripped, &two, &["edited", DEFAULT]);
    }

    #[test]
    fn what_a_stopped_change_left_is_recognised() {
        assert_eq!(judged(&our_group(OURS, DEFAULT, &[]), &Claims::default()).0, left_behind(DEFAULT));
        assert_eq!(judged(&our_group(OURS, DEFAULT, &[]), &state(&[])).0, left_behind(DEFAULT));
        // A new name: attached already, and not yet in the state.
        let recorded = state(&[record(OURS, Some(DEFAULT))]);
        assert_eq!(judged(&our_group("shop-cdc", DEFAULT, &[]), &recorded).0, left_behind(DEFAULT));
        let import = Claims { any_name: true, ..Claims::default() };
        assert_eq!(judged(&our_group("shop-cdc", DEFAULT, &[]), &import).0, left_behind(DEFAULT));
    }
}
