use super::super::desired::Desired;
use super::super::fixture::observed;
use super::super::observed::Observed;
use super::super::schema::PublicationModel;
use super::*;
use crate::catalogue::publisher::Objection;
use crate::catalogue::relation::{Persistence, Relation};
use crate::catalogue::slot::Slot;
use crate::resource::change::{Moment, Replacement};
use crate::terraform::Diagnostic;

fn model() -> PublicationModel {
    let tables = vec!["a.b".to_owned(), "a.c".to_owned()];
    PublicationModel { name: "p".into(), database: "app".into(), tables: tables.into(), ..PublicationModel::default() }
}

fn found(owned: bool) -> Option<Relation> {
    let text = str::to_owned;
    let (kind, persistence) = (Kind::Table, Persistence::Permanent);
    Some(Relation {
        kind,
        persistence,
        owner: text("app owner"),
        owned,
        owned_by_other: false,
        admin: text("admin"),
        member: false,
        inherits: true,
    })
}

fn lookup(found: &[(&str, Option<Relation>)]) -> Observed {
    let listed =
        |(name, found): &(&str, Option<Relation>)| Named { table: name.parse().unwrap(), found: found.clone(), near: None };
    let met = Met { tables: found.iter().map(listed).collect(), ..Met::default() };
    Observed { version: Some(ServerVersion::from_number(150_004)), met: Some(met), ..Observed::default() }
}

fn all_there() -> Observed {
    lookup(&[("a.b", found(true)), ("a.c", found(true))])
}

fn findings(model: &PublicationModel, current: Option<&Current>, exposed: &[&str], lookup: &Observed) -> Findings {
    let desired = Desired::decode(model).unwrap().unwrap();
    let exposed: Vec<String> = exposed.iter().map(|name| (*name).to_owned()).collect();
    let is_known = current.is_some() || !exposed.is_empty();
    let recalled = is_known.then(|| {
        let mut recalled = observed(current.cloned().unwrap_or_else(|| super::super::fixture::current(&[])));
        recalled.publication.as_mut().unwrap().without_identity.clone_from(&exposed);
        recalled
    });
    let change = Change {
        before: current.map(|_| &desired),
        after: Some(&desired),
        recalled: recalled.as_ref(),
        now: Some(lookup),
        moment: Moment::Plan,
        replacement: Replacement::No,
    };
    check(&change, None)
}

fn summaries(diagnostics: &Diagnostics) -> Vec<String> {
    let summary = |d: &Diagnostic| format!("{}: {}", d.path.clone().unwrap_or_default(), d.summary);
    diagnostics.iter().map(summary).collect()
}

#[test]
fn a_change_that_nothing_stands_against_is_silent() {
    let findings = findings(&model(), None, &[], &all_there());
    assert!(findings.refusals.is_empty() && findings.unmet.is_empty() && findings.warnings.is_empty(), "{findings:?}");
}

#[test]
fn what_someone_else_may_still_do_is_unmet_and_what_nothing_can_fix_is_refused() {
    let view = Relation { kind: Kind::View, ..found(true).unwrap() };
    let findings = findings(&model(), None, &[], &lookup(&[("a.b", None), ("a.c", Some(view))]));
    assert_eq!(summaries(&findings.unmet), ["tables[0]: Table not found (a.b)"]);
    assert_eq!(summaries(&findings.refusals), ["tables[1]: Not a table that can be published (a.c)"]);
}

#[test]
fn a_table_of_another_owner_comes_with_the_statement_that_helps() {
    let findings = findings(&model(), None, &[], &lookup(&[("a.b", found(true)), ("a.c", found(false))]));
    assert_eq!(summaries(&findings.unmet), ["tables[1]: Not the owner of a table (a.c)"]);
    assert!(findings.unmet.iter().next().unwrap().detail.contains(r#"GRANT "app owner" TO "admin""#));
}

#[test]
fn tables_that_are_published_already_are_not_checked_again() {
    let tables = Scope::Listed { tables: [("a.b").parse().unwrap()].into(), schemas: BTreeSet::new() };
    let current = Current { scope: tables, ..super::super::fixture::current(&[]) };
    let findings = findings(&model(), Some(&current), &[], &lookup(&[("a.b", found(false)), ("a.c", found(true))]));
    assert!(findings.unmet.is_empty());
}

#[test]
fn only_newly_exposed_tables_are_refused() {
    let mut lookup = all_there();
    lookup.met.as_mut().unwrap().without_identity = ["a.b", "a.c"].map(|name| (name.to_owned(), Objection::NoIdentity)).into();
    let fresh = findings(&model(), None, &["a.b"], &lookup);
    assert_eq!(summaries(&fresh.refusals), ["tables[1]: Tables without a replica identity"]);
    assert_eq!(summaries(&fresh.warnings), [": Published tables without a replica identity"]);
    let accepted = PublicationModel { allow_tables_without_replica_identity: true.into(), ..model() };
    assert!(findings(&accepted, None, &[], &lookup).refusals.is_empty());
    let inserts = PublicationModel { publish: BTreeSet::from(["insert".to_owned()]).into(), ..model() };
    assert!(findings(&inserts, None, &[], &lookup).refusals.is_empty());
}

#[test]
fn an_existing_publication_is_named_with_an_import_block() {
    let current = Current { scope: Scope::AllTables, ..super::super::fixture::current(&[]) };
    let publication = observed(current).publication;
    let findings = findings(&model(), None, &[], &Observed { publication, ..all_there() });
    assert_eq!(summaries(&findings.unmet), ["name: Publication already exists"]);
    assert!(findings.unmet.iter().next().unwrap().detail.contains("id = \"app/p\""));
}

#[test]
fn schemas_need_a_server_that_knows_them() {
    let model = PublicationModel { tables: crate::terraform::Attr::Null, schemas: vec!["a".to_owned()].into(), ..model() };
    let old = Observed { version: Some(ServerVersion::from_number(140_010)), ..lookup(&[]) };
    assert_eq!(summaries(&findings(&model, None, &[], &old).refusals), ["schemas: Server is too old"]);
}

#[test]
fn a_destroy_waits_for_a_slot_in_use_unless_forced() {
    let slot = Slot { name: "pipe".to_owned(), active: true, here: true };
    let now = Observed { slots: vec![slot], ..all_there() };
    let destroys = |force_destroy: bool| {
        let model = PublicationModel { force_destroy: force_destroy.into(), ..model() };
        let desired = Desired::decode(&model).unwrap().unwrap();
        let findings = check(&Change::destroy(&desired, &now), None);
        assert!(findings.refusals.is_empty());
        findings.awaited
    };
    assert_eq!(summaries(&destroys(false)), ["name: Publication may be in use"]);
    assert!(destroys(false).iter().all(|awaited| awaited.detail.contains("force_destroy = true")));
    assert!(destroys(true).is_empty());
}

#[test]
fn before_partitioned_tables_could_be_published_the_plan_says_so() {
    let version = ServerVersion::from_number(120_022);
    let partitioned = found(true).map(|found| Relation { kind: Kind::PartitionedTable, ..found });
    let old = Observed { version: Some(version), ..lookup(&[("a.b", partitioned.clone()), ("a.c", found(true))]) };
    assert_eq!(summaries(&findings(&model(), None, &[], &old).refusals), ["tables[0]: Server is too old (a.b)"]);
    let new = lookup(&[("a.b", partitioned), ("a.c", found(true))]);
    assert_eq!(summaries(&findings(&model(), None, &[], &new).refusals), Vec::<String>::new());

    let old = Observed { version: Some(version), ..all_there() };
    for via_root in [true, false] {
        let model = PublicationModel { publish_via_partition_root: via_root.into(), ..model() };
        assert_eq!(summaries(&findings(&model, None, &[], &old).refusals), ["publish_via_partition_root: Server is too old"]);
    }
}
