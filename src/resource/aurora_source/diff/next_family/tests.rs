use super::super::{diff, undo};
use super::*;
use crate::cluster::fixture::*;
use crate::cluster::{OWNER_TAG, Observed, PREVIOUS_TAG, Setting};
use crate::resource::aurora_source::check;
use crate::resource::aurora_source::fixture::desired;
use crate::resource::aurora_source::observed::Observed as Seen;
use crate::resource::aurora_source::schema::Source;
use crate::resource::change::{Change, Moment, Replacement, lines};

const SEVENTEEN: &str = "aurora-postgresql17";
const NEXT: &str = "clickpipes-shop-aurora-postgresql17";
const CREATE: &str = "CreateDBClusterParameterGroup clickpipes-shop-aurora-postgresql17: family aurora-postgresql17, \
                      tags clickpipes:cluster=shop, clickpipes:previous-parameter-group=default.aurora-postgresql17";
const SET_BOTH: &str = "ModifyDBClusterParameterGroup clickpipes-shop-aurora-postgresql17: \
                        rds.logical_replication = 1 (pending-reboot), wal_sender_timeout = 0 (immediate)";
const BOTH: [(&str, &str); 2] = [("rds.logical_replication", "1"), ("wal_sender_timeout", "0")];

fn with_next(next: &str, reboot: &str, parameters: &[(&str, &str)]) -> Desired {
    Desired { next_family: Some(next.to_owned()), ..desired(reboot, parameters) }
}

fn next() -> Desired {
    with_next(SEVENTEEN, "all", &[])
}

/// The family 17, in which these parameters allow something else, or are gone.
fn seventeen(differing: &[(&str, Option<&str>)]) -> NextFamily {
    let mut settings = group(DEFAULT, &[]).settings;
    for (name, allowed) in differing {
        let setting = settings.remove(*name).unwrap();
        if allowed.is_some() {
            settings.insert((*name).to_owned(), Setting { allowed_values: allowed.map(str::to_owned), ..setting });
        }
    }
    NextFamily::new(SEVENTEEN, Some(settings))
}

fn knowing(observed: Observed) -> Observed {
    Observed { next_family: Some(seventeen(&[])), ..observed }
}

/// Our group for the next major version.
fn prepared(set: &[(&str, &str)]) -> Group {
    Group { family: SEVENTEEN.to_owned(), ..our_group(NEXT, "default.aurora-postgresql17", set) }
}

fn keeping(set: &[(&str, &str)]) -> Observed {
    Observed { detached: vec![prepared(set)], ..knowing(settled()) }
}

fn change<'a>(seen: &'a Seen, after: &'a Desired, before: Option<&'a Desired>) -> Change<'a, Source> {
    let seen = Some(seen);
    Change { before, after: Some(after), recalled: seen, now: seen, moment: Moment::Plan, replacement: Replacement::No }
}

fn operations(observed: &Observed, after: &Desired, before: Option<&Desired>) -> Vec<Operation> {
    diff(&change(&observed.clone().into(), after, before)).unwrap().unwrap()
}

#[track_caller]
fn plans(observed: &Observed, after: &Desired, before: Option<&Desired>, expected: &[&str]) {
    assert_eq!(lines(&operations(observed, after, before)), expected);
}

/// The titles of the warnings.
fn warnings(observed: &Observed, after: &Desired, before: Option<&Desired>) -> Vec<String> {
    let findings = check::check(&change(&observed.clone().into(), after, before), Some(&operations(observed, after, before)));
    assert!(!findings.refusals.has_errors());
    findings.warnings.iter().map(|warning| format!("{}: {}", warning.summary, warning.detail)).collect()
}

#[track_caller]
fn refused(observed: &Observed, after: &Desired, words: &[&str]) {
    let refusals = diff(&change(&observed.clone().into(), after, None)).unwrap_err();
    let refusal = refusals.iter().next().unwrap();
    assert_eq!(refusal.path.as_ref().map(ToString::to_string).as_deref(), Some("parameter_group.next_family"));
    for word in words {
        assert!(refusal.detail.contains(word), "{word} is missing in: {}", refusal.detail);
    }
}

#[test]
fn a_second_group_is_made_first_and_no_member_waits_for_it() {
    plans(&knowing(settled()), &next(), Some(&desired("all", &[])), &[CREATE, SET_BOTH]);
    assert!(warnings(&knowing(settled()), &next(), Some(&desired("all", &[]))).is_empty());
    let all = operations(&knowing(observed(group(DEFAULT, &[]))), &next(), None);
    assert_eq!((all.len(), &lines(&all)[..2]), (7, &[CREATE.to_owned(), SET_BOTH.to_owned()][..]));
    plans(&keeping(&BOTH), &next(), Some(&next()), &[]);
}

#[test]
fn what_the_attached_group_will_have_is_carried_over_as_far_as_the_family_allows_it() {
    let ours = our_group(OURS, "shop-custom", &[BOTH[0], BOTH[1], ("work_mem", "64"), ("max_wal_senders", "30")]);
    let differing = [("work_mem", None), ("max_wal_senders", Some("5-20"))];
    let found = Observed { next_family: Some(seventeen(&differing)), ..observed(ours) };
    let found = Observed { previous: Some(group("shop-custom", &[("work_mem", "64")])), ..found };
    let created = CREATE.replace("default.aurora-postgresql17", "shop-custom");
    let before = with_next("aurora-postgresql16", "all", &[("max_wal_senders", "30")]);
    let after = with_next(SEVENTEEN, "all", &[("max_wal_senders", "30")]);
    plans(&found, &after, Some(&before), &[&created, SET_BOTH]);
    let warned = warnings(&found, &after, Some(&before));
    assert_eq!(warned.len(), 1, "{warned:?}");
    for words in [
        "Values stay behind in a major upgrade: ",
        "work_mem = 64: aurora-postgresql17 has no such DB cluster parameter\n",
        "max_wal_senders = 30: aurora-postgresql17 allows 5-20; remove it from `parameters`",
    ] {
        assert!(warned[0].contains(words), "{words} is missing in {warned:?}");
    }
    // The cluster's own group, of which one of ours is made in the same change.
    let custom = knowing(observed(group("shop-custom", &[("work_mem", "128")])));
    let made = lines(&operations(&custom, &next(), None));
    assert!(
        made[0].ends_with("previous-parameter-group=shop-custom") && made[1].ends_with("work_mem = 128 (immediate)"),
        "{made:?}"
    );
}

#[test]
fn what_drifts_is_restored_and_the_second_group_follows_the_first() {
    let mut lost = keeping(&[("rds.logical_replication", "0"), ("max_wal_senders", "30")]);
    lost.detached[0].tags.clear();
    lost.detached[0].owner = cluster::Owner::Ours { previous: None, recorded: true };
    let tag = "AddTagsToResource clickpipes-shop-aurora-postgresql17: clickpipes:cluster=shop, \
               clickpipes:previous-parameter-group=default.aurora-postgresql17";
    let reset = "ResetDBClusterParameterGroup clickpipes-shop-aurora-postgresql17: max_wal_senders (pending-reboot)";
    plans(&lost, &next(), Some(&next()), &[tag, SET_BOTH, reset]);

    let set = |name: &str| format!("ModifyDBClusterParameterGroup {name}: work_mem = 128 (immediate)");
    let more = with_next(SEVENTEEN, "all", &[("work_mem", "128")]);
    plans(&keeping(&BOTH), &more, Some(&next()), &[&set(NEXT), &set(OURS)]);
    let ours = our_group(OURS, DEFAULT, &[BOTH[0], BOTH[1], ("work_mem", "128")]);
    let found = Observed { previous: Some(group(DEFAULT, &[])), ..observed(ours) };
    let found = Observed { detached: vec![prepared(&[BOTH[0], BOTH[1], ("work_mem", "128")])], ..knowing(found) };
    let reset = |name: &str| format!("ResetDBClusterParameterGroup {name}: work_mem (immediate)");
    plans(&found, &next(), Some(&more), &[&reset(NEXT), &reset(OURS)]);
}

#[test]
fn another_family_or_none_deletes_the_second_group_and_the_present_one_makes_none() {
    let delete = "DeleteDBClusterParameterGroup clickpipes-shop-aurora-postgresql17";
    plans(&keeping(&BOTH), &desired("all", &[]), Some(&next()), &[delete]);
    let eighteen = with_next("aurora-postgresql18", "all", &[]);
    let family = NextFamily::new("aurora-postgresql18", Some(group(DEFAULT, &[]).settings));
    let found = Observed { next_family: Some(family), ..keeping(&BOTH) };
    let (create, set) = (CREATE.replace("postgresql17", "postgresql18"), SET_BOTH.replace("postgresql17", "postgresql18"));
    plans(&found, &eighteen, Some(&next()), &[&create, &set, delete]);
    plans(&settled(), &with_next("aurora-postgresql16", "all", &[]), Some(&desired("all", &[])), &[]);
}

#[test]
fn after_the_upgrade_only_the_old_group_is_tidied_away() {
    let by_now = Observed {
        family: SEVENTEEN.to_owned(),
        detached: vec![our_group(OURS, DEFAULT, &BOTH)],
        previous: Some(group("default.aurora-postgresql17", &[])),
        ..observed(prepared(&BOTH))
    };
    let delete = ["DeleteDBClusterParameterGroup clickpipes-shop-aurora-postgresql16"];
    plans(&by_now, &next(), Some(&next()), &delete);
    plans(&by_now, &desired("all", &[]), Some(&next()), &delete);
}

#[test]
fn families_that_no_upgrade_leads_to_and_taken_names_are_refused() {
    refused(
        &settled(),
        &with_next("aurora-postgresql15", "all", &[]),
        &["aurora-postgresql16", "later major version", "remove it"],
    );
    let unknown = Observed { next_family: Some(NextFamily::new("aurora-postgresql99", None)), ..settled() };
    refused(
        &unknown,
        &with_next("aurora-postgresql99", "all", &[]),
        &["AWS knows no", "eu-west-1", "describe-db-engine-versions"],
    );
    let mut foreign = keeping(&BOTH);
    foreign.detached[0].description = "theirs".to_owned();
    foreign.detached[0].tags.clear();
    refused(&foreign, &next(), &[NEXT, "theirs", "remove `parameter_group.next_family`"]);
}

#[test]
fn tags_say_what_a_destroy_after_the_upgrade_restores() {
    let mut found = knowing(settled());
    found.cluster.iam_authentication = true;
    found.remembered.iam_enabled = true;
    found.attached.tags.insert(IAM_TAG.to_owned(), IAM_OFF.to_owned());
    let mut wanted = Desired { iam_authentication: Some(true), ..next() };
    wanted.tags.insert("team".to_owned(), "shop".to_owned());
    found.attached.tags.insert("team".to_owned(), "shop".to_owned());
    let Some(Operation::CreateGroup { tags, .. }) = operations(&found, &wanted, Some(&wanted)).into_iter().next() else {
        panic!()
    };
    let expected = [(OWNER_TAG, "shop"), (IAM_TAG, IAM_OFF), (PREVIOUS_TAG, "default.aurora-postgresql17"), ("team", "shop")];
    assert_eq!(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<Vec<_>>(), expected);
    // It is no longer ours to turn off.
    let mut kept = Observed { detached: vec![prepared(&BOTH)], ..knowing(settled()) };
    kept.detached[0].tags.insert(IAM_TAG.to_owned(), IAM_OFF.to_owned());
    let untag = format!("RemoveTagsFromResource {NEXT}: {IAM_TAG}");
    plans(&kept, &next(), Some(&next()), &[&untag]);
}

#[test]
fn a_destroy_deletes_the_second_group_and_reboots_nothing_for_it() {
    let undone = |found: &Observed| lines(&undo(found, &next()).unwrap());
    let delete = format!("DeleteDBClusterParameterGroup {NEXT}");
    assert_eq!(undone(&keeping(&BOTH)).last(), Some(&delete));
    // The cluster's own group has every value: it was never replaced, and whatever members wait for is not ours.
    let own = group("shop-custom", &BOTH);
    let mut found = waiting(Observed { detached: vec![prepared(&BOTH)], ..observed(own.clone()) }, &["shop-a", "shop-b"]);
    found.detached[0].tags.insert(PREVIOUS_TAG.to_owned(), own.name.clone());
    found.previous = Some(own);
    assert_eq!(undone(&found), [delete]);
}

#[test]
fn without_the_family_nothing_is_known() {
    let seen = Seen::from(settled());
    assert_eq!(diff(&change(&seen, &next(), Some(&desired("all", &[])))).unwrap(), None);
    let mut stored = keeping(&BOTH);
    stored.keep_parameters(&Default::default());
    plans(&stored, &next(), Some(&next()), &[]);
    let more = with_next(SEVENTEEN, "all", &[("work_mem", "128")]);
    stored.attached.settings.extend(group(DEFAULT, &[]).settings.into_iter().filter(|(name, _)| name == "work_mem"));
    let (seen, full) = (Seen::from(stored.clone()), Seen { next_family: Some(seventeen(&[])), ..stored.into() });
    assert_eq!(diff(&change(&seen, &more, Some(&next()))).unwrap(), None);
    let before = next();
    let looked = Change { now: Some(&full), ..change(&seen, &more, Some(&before)) };
    assert_eq!(diff(&looked).unwrap().map(|operations| operations.len()), Some(2));
}
