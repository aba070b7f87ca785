//! Plans of publications, as the engine makes them.

use std::collections::BTreeSet;

use super::fixture::version;
use super::observed::Met;
use super::*;
use crate::postgres::ServerVersion;
use crate::resource::change::rehearsal::{rehearse, stored};
use crate::resource::{Engine, Existing, Plan, Resource};
use crate::terraform::Attr;

/// The configuration behind such a proposal: what is unknown in it is left to the provider, except the lists.
fn config(proposed: &PublicationModel) -> PublicationModel {
    let mut config = proposed.clone();
    config.publish = config.publish.known().cloned().into();
    config.publish_via_partition_root = config.publish_via_partition_root.known().copied().into();
    config
}

/// A proposal as the pipeline makes it for a create.
fn proposed(tables: &[&str]) -> PublicationModel {
    let tables: Vec<String> = tables.iter().map(|table| (*table).to_owned()).collect();
    PublicationModel {
        name: "p".into(),
        database: "app".into(),
        tables: tables.into(),
        publish: Attr::Unknown,
        publish_via_partition_root: Attr::Unknown,
        id: Attr::Unknown,
        oid: Attr::Unknown,
        tables_without_replica_identity: Attr::Unknown,
        operations: Attr::Unknown,
        ..PublicationModel::default()
    }
}

fn existing(tables: &[&str]) -> Existing<Engine<Publication>> {
    let model = PublicationModel {
        publish: desired::Publish::ALL.to_set().into(),
        publish_via_partition_root: true.into(),
        id: "app/p".into(),
        oid: 16400.into(),
        tables_without_replica_identity: Vec::new().into(),
        operations: vec!["old".to_owned()].into(),
        ..proposed(tables)
    };
    stored(
        model,
        Some(Remembered { version: Some(version()), ..Remembered::default() }.of(&BTreeSet::new(), &BTreeSet::new())),
        None,
    )
}

fn lookup() -> Observed {
    Observed { version: Some(version()), met: Some(Met::default()), ..Observed::default() }
}

fn run(
    prior: Option<&Existing<Engine<Publication>>>,
    proposed: &PublicationModel,
    lookup: Option<&Observed>,
) -> Plan<PublicationModel, <Engine<Publication> as Resource>::Private> {
    rehearse(&config(proposed), prior, proposed, None, lookup)
}

#[test]
fn a_create_is_fully_known_once_the_version_is() {
    let plan = run(None, &proposed(&["a.b"]), Some(&lookup()));
    assert_eq!(plan.model.publish_via_partition_root, Attr::Known(true));
    assert_eq!(plan.model.id, Attr::from("app/p"));
    let operations = plan.model.operations.known().unwrap();
    assert_eq!(
        *operations,
        ["CREATE PUBLICATION \"p\" FOR TABLE ONLY \"a\".\"b\" WITH (publish = 'insert, update, delete, truncate', \
          publish_via_partition_root = true)"]
    );
    assert_eq!(plan.model.oid, Attr::Unknown);
}

#[test]
fn without_a_server_or_with_unknown_inputs_the_operations_are_unknown() {
    assert_eq!(run(None, &proposed(&["a.b"]), None).model.operations, Attr::Unknown);
    let unknown = PublicationModel { tables: Attr::Unknown, ..proposed(&[]) };
    assert_eq!(run(None, &unknown, Some(&lookup())).model.operations, Attr::Unknown);
}

#[test]
fn unknown_parameters_are_neither_defaults_nor_left_as_they_are() {
    let create = PublicationModel { publish: Attr::Unknown, publish_via_partition_root: Attr::Unknown, ..proposed(&["a.b"]) };
    let prior = existing(&["a.b"]);
    let update = PublicationModel { operations: Attr::Unknown, publish: Attr::Unknown, ..prior.model.clone() };
    for (prior, proposed) in [(None, &create), (Some(&prior), &update)] {
        let model = rehearse(proposed, prior, proposed, None, Some(&lookup())).model;
        assert_eq!((model.publish, model.operations), (Attr::Unknown, Attr::Unknown));
    }
}

#[test]
fn a_client_that_hands_the_first_plan_back_gets_its_list_again() {
    let proposed = proposed(&["a.b"]);
    let first = run(None, &proposed, Some(&lookup()));
    let second = rehearse(&config(&proposed), None, &proposed, Some(&first.private), None);
    assert_eq!(second.model.operations, first.model.operations);
    assert_eq!(second.model.publish_via_partition_root, first.model.publish_via_partition_root);
}

#[test]
fn an_update_needs_no_lookup_for_its_operations() {
    let prior = existing(&["a.b"]);
    let proposed = PublicationModel { operations: Attr::Unknown, tables: vec!["a.c".to_owned()].into(), ..prior.model.clone() };
    let without = run(Some(&prior), &proposed, None);
    let with = run(Some(&prior), &proposed, Some(&lookup()));
    assert_eq!(without.model.operations, with.model.operations);
    assert_eq!(without.model.operations.known().map(Vec::len), Some(2));
    assert_eq!(without.model.oid, prior.model.oid);
}

#[test]
fn an_unchanged_publication_keeps_the_list_last_planned() {
    let prior = existing(&["a.b"]);
    assert_eq!(run(Some(&prior), &prior.model, None).model, prior.model);
}

#[test]
fn a_config_only_change_runs_nothing() {
    let prior = existing(&["a.b"]);
    let proposed = PublicationModel {
        force_destroy: true.into(),
        operations: Attr::Unknown,
        tables_without_replica_identity: Attr::Unknown,
        ..prior.model.clone()
    };
    let plan = run(Some(&prior), &proposed, None);
    assert_eq!(plan.model.operations, Attr::Known(Vec::new()));
    assert_eq!(plan.model.tables_without_replica_identity, prior.model.tables_without_replica_identity);
}

#[test]
fn an_older_server_gets_no_partition_root() {
    let old = Observed { version: Some(ServerVersion::from_number(120_022)), ..lookup() };
    let plan = run(None, &proposed(&["a.b"]), Some(&old));
    assert_eq!(plan.model.publish_via_partition_root, Attr::Null);
    assert!(!plan.model.operations.known().unwrap()[0].contains("partition_root"));
}

#[test]
fn what_only_drift_makes_a_refusal_is_a_warning_until_apply() {
    let mut prior = existing(&["a.b"]);
    let config = PublicationModel { tables: vec!["a.b".to_owned()].into(), ..proposed(&["a.b"]) };
    let config = PublicationModel { publish: Attr::Null, publish_via_partition_root: Attr::Null, ..config };
    prior.model.tables = Attr::Null;
    prior.model.all_tables = true.into();
    let proposed = PublicationModel {
        tables: config.tables.clone(),
        all_tables: Attr::Null,
        operations: Attr::Unknown,
        ..prior.model.clone()
    };
    let plan_of = |prior: &Existing<Engine<Publication>>| rehearse(&config, Some(prior), &proposed, None, Some(&lookup()));
    assert!(plan_of(&prior).diagnostics.has_errors(), "a change of the configuration is refused");
    let applied = Desired::decode(&config).unwrap().map(|configured| configured.fingerprint());
    let prior = stored(prior.model, None, applied);
    let drifted = plan_of(&prior);
    assert!(!drifted.diagnostics.has_errors() && !drifted.diagnostics.is_empty());
}
