//! Plans of roles, as the engine makes them.

use super::fixture::{facts, identifier, observing, role};
use super::*;
use crate::catalogue::role::Role;
use crate::resource::change::rehearsal::{first_plan, planned, rehearse, stored};
use crate::resource::{Engine, Existing, Plan, Resource};
use crate::terraform::Attr;

type Private = <Engine<ReplicationUser> as Resource>::Private;

fn lookup(existing: Option<Role>) -> Observed {
    observing(facts(), existing)
}

fn config() -> ReplicationUserModel {
    ReplicationUserModel {
        name: "u".into(),
        database: "app".into(),
        password_wo: Secret::new("hunter2").into(),
        password_wo_version: 1.into(),
        ..ReplicationUserModel::default()
    }
}

fn state() -> Existing<Engine<ReplicationUser>> {
    let model = ReplicationUserModel {
        password_wo: Attr::Null,
        connection_limit: (-1).into(),
        id: "app/u".into(),
        oid: 7.into(),
        username: "u".into(),
        effective_table_owners: Vec::new().into(),
        drift: Vec::new().into(),
        operations: vec!["before".to_owned()].into(),
        ..config()
    };
    stored(model, Some(lookup(Some(role()))), None)
}

fn plan_with(
    config: &ReplicationUserModel,
    prior: Option<&Existing<Engine<ReplicationUser>>>,
    proposed: &ReplicationUserModel,
    lookup: Option<&Observed>,
) -> Plan<ReplicationUserModel, Private> {
    rehearse(config, prior, proposed, None, lookup)
}

#[test]
fn a_create_without_facts_does_not_know_its_statements() {
    let plan = plan_with(&config(), None, &config(), None);
    assert_eq!(plan.model.operations, Attr::Unknown);
    assert_eq!(planned(&plan.private), None);
    assert_eq!(plan.model.effective_table_owners, Attr::Unknown);
    assert_eq!((plan.model.id, plan.model.username), ("app/u".into(), "u".into()));
    assert!(!plan.diagnostics.has_errors());
}

#[test]
fn a_create_with_facts_knows_them() {
    let plan = plan_with(&config(), None, &config(), Some(&lookup(None)));
    assert_eq!(plan.model.operations.known().map(Vec::len), Some(3));
    assert_eq!(plan.model.drift, Vec::new().into());
}

#[test]
fn a_role_that_exists_is_a_warning_with_a_ready_made_import_block() {
    let plan = plan_with(&config(), None, &config(), Some(&lookup(Some(role()))));
    assert!(!plan.diagnostics.has_errors());
    let warning = plan.diagnostics.iter().find(|warning| warning.summary == "Role already exists: role \"u\"").unwrap();
    assert!(
        warning.detail.contains("import {\n  to = clickpipes_replication_user.new_name\n  id = \"app/u\"\n}"),
        "{}",
        warning.detail
    );
    let adopting = ReplicationUserModel { adopt_existing: true.into(), ..config() };
    let plan = plan_with(&adopting, None, &adopting, Some(&lookup(Some(role()))));
    // Terraform does not tell whether this run drops the role first.
    assert_eq!(plan.model.operations, Attr::Unknown);
    let said: Vec<&str> = plan.diagnostics.iter().map(|warning| warning.detail.as_str()).collect();
    assert!(said.iter().any(|said| said.contains("ALTER ROLE \"u\" LOGIN PASSWORD '<redacted>'")), "{said:?}");
}

#[test]
fn a_create_needs_a_password() {
    let config = ReplicationUserModel { password_wo: Attr::Null, password_wo_version: Attr::Null, ..config() };
    assert!(plan_with(&config, None, &config, None).diagnostics.has_errors());
    let later = ReplicationUserModel { password_wo: Attr::Unknown, ..config };
    assert!(!plan_with(&later, None, &later, None).diagnostics.has_errors());
}

#[test]
fn nothing_to_do_keeps_the_state_with_its_last_operations() {
    let prior = state();
    let plan = plan_with(&config(), Some(&prior), &prior.model, None);
    assert_eq!(plan.model, prior.model);
    assert_eq!(serde_json::to_value(plan.private).unwrap(), serde_json::to_value(prior.private).unwrap());
}

#[test]
fn drift_is_planned_away_without_any_change_in_the_configuration() {
    let mut prior = state();
    prior.private = stored(prior.model.clone(), Some(lookup(Some(Role { replication: false, ..role() }))), None).private;
    prior.model.drift = vec!["GRANT \"rds_replication\" TO \"u\"".to_owned()].into();
    let plan = plan_with(&config(), Some(&prior), &prior.model, None);
    assert_eq!(plan.model.operations, prior.model.drift);
    assert_eq!(plan.model.drift, Vec::new().into());
}

#[test]
fn a_change_that_runs_nothing_says_so() {
    let prior = state();
    let proposed = ReplicationUserModel { adopt_existing: true.into(), ..prior.model.clone() };
    let plan = plan_with(&ReplicationUserModel { adopt_existing: true.into(), ..config() }, Some(&prior), &proposed, None);
    assert_eq!(plan.model.operations, Vec::new().into());
    assert_eq!(planned(&plan.private), Some(&[][..]));
}

#[test]
fn an_unknown_input_makes_the_list_unknown() {
    let prior = state();
    let config = ReplicationUserModel { schemas: Attr::Unknown, ..config() };
    let proposed = ReplicationUserModel { schemas: Attr::Unknown, ..prior.model.clone() };
    let plan = plan_with(&config, Some(&prior), &proposed, None);
    assert_eq!((plan.model.operations, plan.model.effective_table_owners), (Attr::Unknown, Attr::Unknown));
    assert_eq!(planned(&plan.private), None);
}

#[test]
fn the_first_plan_stands_when_the_client_hands_it_back() {
    let prior = state();
    let first = first_plan(Some(vec![Operation::AllowLogin { role: identifier("u") }]));
    let config = config();
    let second = rehearse(&config, Some(&prior), &prior.model, Some(&first), None);
    assert_eq!(planned(&second.private), planned(&first));
}
