//! What prevents a change, and what does not.

use super::super::fixture::{index as an_index, met, name, observed, table, wanted};
use super::*;
use crate::catalogue::publisher::Share;
use crate::catalogue::relation::Persistence;
use crate::catalogue::table_identity::{Generated, Index};
use crate::postgres::ServerVersion;
use crate::resource::change::{Moment, Replacement};
use crate::terraform::Diagnostics;

fn publisher(filter: &[&str], list: Option<&[&str]>) -> Publisher {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Publisher { name: name("p"), share: Share { filter: texts(filter), list: list.map(texts), generated: false } }
}

fn by_code() -> ReplicaIdentity {
    ReplicaIdentity::Index(Some(name("by_code")))
}

fn findings(met: Met, identity: ReplicaIdentity) -> Findings {
    let (now, desired) = (observed(met), wanted(identity));
    let change = Change {
        before: None,
        after: Some(&desired),
        recalled: None,
        now: Some(&now),
        moment: Moment::Plan,
        replacement: Replacement::No,
    };
    check(&change, None)
}

#[track_caller]
fn said(diagnostics: &Diagnostics, expected: &[&str]) {
    let summaries: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.summary.as_str()).collect();
    assert_eq!(summaries, expected);
}

#[test]
fn full_says_what_it_costs_and_nothing_else_does() {
    let full = findings(met(table()), ReplicaIdentity::Full);
    said(&full.warnings, &["FULL writes whole rows to the WAL"]);
    let detail = &full.warnings.iter().next().unwrap().detail;
    assert!(detail.contains("80 kB") && detail.contains("7 rows were updated and 3 deleted"), "{detail}");
    let quiet = findings(met(table()), by_code());
    assert!(quiet.warnings.is_empty() && quiet.refusals.is_empty() && quiet.unmet.is_empty(), "{quiet:?}");
    let already = Table { identity: ReplicaIdentity::Full, reach: Reach::None, ..table() };
    assert!(findings(met(already), ReplicaIdentity::Full).unmet.is_empty(), "nothing has to run");
}

#[test]
fn what_may_still_come_is_unmet_and_what_cannot_be_is_refused() {
    said(&findings(Met { table: None, ..met(table()) }, ReplicaIdentity::Full).unmet, &["Table not found"]);
    said(&findings(met(table()), ReplicaIdentity::Index(Some(name("later")))).unmet, &["Index not found"]);
    let foreign = Table { reach: Reach::None, ..table() };
    said(&findings(met(foreign), ReplicaIdentity::Nothing).unmet, &["Not the owner of the table"]);
    for no_table in [
        Table { kind: Kind::View, ..table() },
        Table { persistence: Persistence::Temporary, ..table() },
        Table { oid: 1259, ..table() },
    ] {
        said(&findings(met(no_table), ReplicaIdentity::Full).refusals, &["Not a table with a replica identity"]);
    }
}

#[test]
fn an_index_that_postgres_refuses_is_refused() {
    let fit = || an_index("by_code", "code");
    for (unfit, reason) in [
        (Index { unique: false, ..fit() }, "is not unique"),
        (Index { partial: true, ..fit() }, "is partial"),
        (Index { expressions: true, ..fit() }, "expressions"),
        (Index { immediate: false, ..fit() }, "deferrable"),
        (Index { valid: false, ..fit() }, "is invalid"),
        (Index { nullable: vec!["code".to_owned()], ..fit() }, "may be NULL: \"code\""),
    ] {
        let refusals = findings(met(Table { indexes: vec![unfit], ..table() }), by_code()).refusals;
        said(&refusals, &["Index cannot be the replica identity"]);
        assert!(refusals.iter().next().unwrap().detail.contains(reason), "{reason}");
    }
}

/// What the server does with each of these is in `acceptance-tests/tests/replica_identity.rs`.
#[test]
fn a_change_that_makes_a_publication_stop_writes_is_refused() {
    let refused = |publisher: Publisher, identity: ReplicaIdentity| {
        let refusals = findings(Met { publishers: vec![publisher], ..met(table()) }, identity).refusals;
        refusals.iter().next().map(|refusal| refusal.detail.clone()).unwrap_or_default()
    };
    let plain = || publisher(&[], None);
    assert!(refused(plain(), ReplicaIdentity::Nothing).contains("nothing would identify a row"));
    assert_eq!(refused(plain(), by_code()), "");
    assert_eq!(refused(plain(), ReplicaIdentity::Full), "");
    assert!(refused(publisher(&["id"], None), by_code()).contains("are not part of it (\"id\")"));
    assert_eq!(refused(publisher(&["id"], None), ReplicaIdentity::Full), "");
    assert!(refused(publisher(&[], Some(&["id"])), by_code()).contains("does not publish all of its columns (\"code\")"));
    assert!(refused(publisher(&[], Some(&["id", "code"])), ReplicaIdentity::Full).contains("does not go with FULL"));
    assert_eq!(refused(publisher(&[], Some(&["id", "code"])), by_code()), "");
    // What fails already does not get worse.
    assert_eq!(refused(publisher(&["note"], None), by_code()), "");
}

#[test]
fn generated_columns_count_since_postgres_18() {
    let generated = Table { generated: Generated { stored: vec!["sum".to_owned()], ..Generated::default() }, ..table() };
    let refused = |version, generated_published, identity: ReplicaIdentity| {
        let mut publisher = publisher(&[], None);
        publisher.share.generated = generated_published;
        let version = ServerVersion::from_number(version);
        let met = Met { version, publishers: vec![publisher], ..met(generated.clone()) };
        !findings(met, identity).refusals.is_empty()
    };
    assert!(refused(180_001, false, ReplicaIdentity::Full));
    assert!(!refused(180_001, true, ReplicaIdentity::Full));
    assert!(!refused(170_004, false, ReplicaIdentity::Full));
    assert!(!refused(180_001, false, by_code()));
}

fn destroyed(before: Before, publishers: Vec<Publisher>) -> Findings {
    let table = Table { identity: ReplicaIdentity::Full, indexes: Vec::new(), ..table() };
    let now = Observed { before: before.clone(), ..observed(Met { publishers, ..met(table) }) };
    let arguments = wanted(ReplicaIdentity::Full);
    let change = Change::destroy(&arguments, &now);
    let operations = super::super::diff::diff(&change);
    assert_eq!(operations.is_empty(), !matches!(before, Before::Known(_)));
    check(&change, Some(&operations))
}

#[test]
fn a_destroy_says_what_it_does_not_restore_and_awaits_what_needs_it() {
    said(&destroyed(Before::Unknown, Vec::new()).warnings, &["The replica identity stays as it is"]);
    let lost = destroyed(Before::Lost(by_code()), Vec::new()).warnings;
    assert!(lost.iter().next().unwrap().detail.contains("index \"by_code\", which no longer exists"));
    let known = destroyed(Before::Known(ReplicaIdentity::Default), vec![publisher(&[], None)]);
    said(&known.awaited, &["A publication needs the replica identity"]);
    assert!(known.warnings.is_empty());
    assert!(destroyed(Before::Known(ReplicaIdentity::Default), Vec::new()).awaited.is_empty());
}
