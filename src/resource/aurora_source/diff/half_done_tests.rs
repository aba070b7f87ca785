//! What a change that stopped half-way has left, and what the next one makes of it.

use std::collections::BTreeSet;

use super::super::fixture::desired;
use super::super::observed::Observed as Seen;
use super::*;
use crate::cluster::Observed;
use crate::cluster::fixture::*;
use crate::resource::change::lines;

const NEW: &str = "shop-cdc";
const BOTH: [(&str, &str); 2] = [("rds.logical_replication", "1"), ("wal_sender_timeout", "0")];
const WRITER: &str = "RebootDBInstance <the writer of shop>";
const SET: &str =
    "ModifyDBClusterParameterGroup shop-cdc: rds.logical_replication = 1 (pending-reboot), wal_sender_timeout = 0 (immediate)";

fn renamed() -> Desired {
    Desired { group_name: Some(NEW.to_owned()), ..desired("writer", &[]) }
}

#[track_caller]
fn plans(observed: &Observed, before: &Desired, after: &Desired, expected: &[&str]) {
    let seen = Seen::from(observed.clone());
    let change = Change { after: Some(after), ..Change::<Source>::drift(before, &seen) };
    assert_eq!(lines(&diff(&change).unwrap().unwrap()), expected);
}

fn deletes(name: &str) -> String {
    format!("DeleteDBClusterParameterGroup {name}")
}

fn attaches(name: &str) -> String {
    format!("ModifyDBCluster shop: parameter group {name}, immediately")
}

#[test]
fn a_new_name_goes_on_or_back_from_where_it_stopped() {
    let (old, new) = (desired("writer", &[]), renamed());
    // Created only.
    let created = Observed { detached: vec![our_group(NEW, DEFAULT, &[])], ..settled() };
    plans(&created, &old, &new, &[SET, &attaches(NEW), WRITER, &deletes(OURS)]);
    plans(&created, &old, &old, &[&deletes(NEW)]);
    // Attached, and not rebooted.
    let attached = Observed {
        detached: vec![our_group(OURS, DEFAULT, &BOTH)],
        previous: Some(group(DEFAULT, &[])),
        ..observed(our_group(NEW, DEFAULT, &BOTH))
    };
    plans(&waiting(attached.clone(), &["shop-b"]), &old, &new, &[WRITER, &deletes(OURS)]);
    plans(&attached, &old, &new, &[&deletes(OURS)]);
    plans(&attached, &old, &old, &[&attaches(OURS), WRITER, &deletes(NEW)]);
}

#[test]
fn a_new_name_while_another_group_is_attached_does_not_take_the_old_group_for_the_new_one() {
    let theirs = Observed { detached: vec![our_group(OURS, DEFAULT, &BOTH)], ..observed(group("shop-custom", &[])) };
    let create = format!(
        "CreateDBClusterParameterGroup {NEW}: family aurora-postgresql16, tags clickpipes:cluster=shop, \
         clickpipes:previous-parameter-group=shop-custom"
    );
    plans(&theirs, &desired("writer", &[]), &renamed(), &[&create, SET, &attaches(NEW), WRITER, &deletes(OURS)]);
}

#[test]
fn a_new_name_and_a_parameter_taken_out_keep_the_value_of_the_previous_group() {
    let ours = [BOTH[0], BOTH[1], ("work_mem", "128"), ("max_wal_senders", "30")];
    let found = Observed {
        previous: Some(group("shop-custom", &[("work_mem", "65536")])),
        ..observed(our_group(OURS, "shop-custom", &ours))
    };
    let seen = Seen::from(found);
    let (before, after) = (desired("never", &[("work_mem", "128"), ("max_wal_senders", "30")]), renamed());
    let operations = diff(&Change { after: Some(&after), ..Change::<Source>::drift(&before, &seen) }).unwrap().unwrap();
    assert_eq!(lines(&operations)[1], format!("{SET}, work_mem = 65536 (immediate)"));
}

#[test]
fn what_a_change_may_have_set_is_taken_away_once_it_is_no_longer_wanted() {
    let mut found = settled();
    found.attached = our_group(OURS, DEFAULT, &[BOTH[0], BOTH[1], ("max_wal_senders", "30"), ("work_mem", "128")]);
    found.attached.tags.insert("team".to_owned(), "shop".to_owned());
    let plain = desired("never", &[]);
    plans(&found, &plain, &plain, &[]);
    found.unfinished.parameters = BTreeSet::from(["max_wal_senders".to_owned()]);
    found.unfinished.tags = BTreeSet::from(["team".to_owned()]);
    let reset = format!("ResetDBClusterParameterGroup {OURS}: max_wal_senders (pending-reboot)");
    plans(&found, &plain, &plain, &[&reset, &format!("RemoveTagsFromResource {OURS}: team")]);
    let mut wanted = desired("never", &[("max_wal_senders", "30")]);
    wanted.tags.insert("team".to_owned(), "shop".to_owned());
    plans(&found, &plain, &wanted, &[]);
}

#[test]
fn a_group_that_was_half_made_under_a_new_name_is_compared_as_a_whole() {
    let half = our_group(NEW, DEFAULT, &[BOTH[0], BOTH[1], ("max_wal_senders", "30")]);
    let found = Observed { detached: vec![half], ..settled() };
    let reset = format!("ResetDBClusterParameterGroup {NEW}: max_wal_senders (pending-reboot)");
    plans(&found, &desired("writer", &[]), &renamed(), &[&reset, &attaches(NEW), WRITER, &deletes(OURS)]);
}

#[test]
fn a_destroy_reboots_what_an_earlier_one_has_not() {
    let before = desired("writer", &[]);
    let undone = |found: &Observed| {
        let seen = Seen::from(found.clone());
        let change = Change::<Source>::destroy(&before, &seen);
        (lines(&diff(&change).unwrap().unwrap()), turns_logical_replication_off(&change))
    };
    let half = Observed {
        detached: vec![our_group(OURS, DEFAULT, &BOTH)],
        previous: Some(group(DEFAULT, &[])),
        ..observed(group(DEFAULT, &[]))
    };
    assert_eq!(undone(&waiting(half.clone(), &["shop-a", "shop-b"])), (vec![WRITER.to_owned(), deletes(OURS)], true));
    // The writer was rebooted, or somebody attached another group, which is not ours to put into effect.
    assert_eq!(undone(&waiting(half.clone(), &["shop-a"])), (vec![deletes(OURS)], false));
    let theirs = Observed { attached: group("shop-custom", &[]), ..half };
    assert_eq!(undone(&waiting(theirs, &["shop-a", "shop-b"])), (vec![deletes(OURS)], false));
}
