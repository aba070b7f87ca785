use super::super::super::fixture::{desired, desired_in};
use super::super::super::observed::Observed as Seen;
use super::super::check;
use crate::cluster::Observed;
use crate::cluster::fixture::*;
use crate::resource::aurora_source::desired::Desired;
use crate::resource::aurora_source::diff::diff;
use crate::resource::change::{Change, Findings};

fn findings(found: Observed, after: Option<&Desired>, before: Option<&Desired>) -> Findings {
    let seen = Seen::from(found);
    let none = desired("never", &[]);
    let change = Change { before, after, ..Change::drift(&none, &seen) };
    let operations = diff(&change).unwrap().unwrap();
    check(&change, Some(&operations))
}

#[test]
fn values_that_something_else_has_to_set_are_named_with_what_they_are_now() {
    let external = desired_in("external", "never", &[("max_wal_senders", "30")]);
    let own = observed(group("shop-custom", &[("rds.logical_replication", "1")]));
    let found = findings(own.clone(), Some(&external), None);
    let unmet = found.unmet.iter().next().unwrap();
    assert!(unmet.detail.contains("max_wal_senders = 30 (now 10), wal_sender_timeout = 0 (now not set)"), "{}", unmet.detail);
    assert!(!unmet.detail.contains("rds.logical_replication"), "{}", unmet.detail);
    let mut iam = desired_in("external", "never", &[("wal_sender_timeout", "1")]);
    iam.wanted.clear();
    assert!(findings(own.clone(), Some(&iam), None).unmet.is_empty());
    iam.iam_authentication = Some(true);
    let found = findings(own, Some(&iam), None);
    assert!(
        found.unmet.iter().any(|unmet| unmet.detail.starts_with("IAM database authentication of cluster shop is off, not on."))
    );
}

#[test]
fn a_group_that_other_clusters_have_too_is_not_changed() {
    let mut own = observed(group("shop-custom", &[]));
    own.shared_with = Some(vec!["billing".to_owned(), "stock".to_owned()]);
    let in_place = desired_in("in_place", "never", &[]);
    let found = findings(own.clone(), Some(&in_place), None);
    assert!(found.refusals.iter().any(|refusal| refusal.detail.contains("billing, stock")), "{:?}", found.refusals);
    let unknown = Observed { shared_with: None, ..own.clone() };
    let found = findings(unknown, Some(&in_place), None);
    assert!(found.refusals.iter().any(|refusal| refusal.detail.contains("rds:DescribeDBClusters")), "{:?}", found.refusals);
    // Nothing to set is no harm to them, and other modes do not set anything in it.
    own.attached = group("shop-custom", &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")]);
    assert!(findings(own.clone(), Some(&in_place), None).refusals.is_empty());
    own.attached = group("shop-custom", &[]);
    assert!(findings(own, Some(&desired("never", &[])), None).refusals.is_empty());
}

#[test]
fn a_source_that_lets_go_says_what_stays_and_demands_nothing() {
    let external = desired_in("external", "never", &[("max_wal_senders", "30")]);
    let found = findings(settled(), Some(&external), Some(&desired("never", &[])));
    assert!(found.unmet.is_empty());
    let warning = found.warnings.iter().find(|warning| warning.summary == "The parameter group is let go").unwrap();
    assert!(warning.detail.contains(OURS) && warning.detail.contains(DEFAULT), "{}", warning.detail);
}

#[test]
fn tags_about_parameters_that_nobody_asks_for_are_named_and_not_acted_upon() {
    let mut own = observed(group("shop-custom", &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")]));
    own.attached.tags.insert("clickpipes:previous-value:work_mem".to_owned(), "set:64".to_owned());
    let (in_place, external) = (desired_in("in_place", "never", &[]), desired_in("external", "never", &[]));
    let said = |found: &Findings| found.warnings.iter().any(|warning| warning.summary == "Tags name other parameters");
    assert!(said(&findings(own.clone(), Some(&in_place), None)));
    assert!(said(&findings(own.clone(), Some(&in_place), Some(&external))));
    assert!(said(&findings(own.clone(), Some(&in_place), Some(&in_place))));
    // A change that was not killed has left it, and its removal restores the value.
    own.remembered.values.insert("work_mem".to_owned(), Some("64".to_owned()));
    assert!(!said(&findings(own, Some(&in_place), Some(&in_place))));
}
