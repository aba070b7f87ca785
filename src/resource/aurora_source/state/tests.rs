use super::*;
use crate::cluster::Observed;
use crate::cluster::fixture::{DEFAULT, group, observed, our_group, settled, waiting};
use crate::resource::aurora_source::diff::diff;
use crate::resource::aurora_source::fixture::config;
use crate::resource::aurora_source::observed::Observed as Seen;
use crate::resource::change::rehearsal::{rehearse, stored};
use crate::resource::change::{Managed as _, lines};
use crate::resource::{Engine, Existing, Plan, Resource};

type Private = <Engine<Source> as Resource>::Private;

/// The proposal for a create: what is computed is unknown.
fn proposed_create(mut model: AuroraSource) -> AuroraSource {
    for computed in [
        &mut model.id,
        &mut model.arn,
        &mut model.host,
        &mut model.source_type,
        &mut model.parameter_group_name,
        &mut model.previous_parameter_group_name,
    ] {
        *computed = Attr::Unknown;
    }
    model.drift = Attr::Unknown;
    model.operations = Attr::Unknown;
    model.ready = Attr::Unknown;
    model
}

/// What is stored after a refresh.
fn existing(model: AuroraSource, found: &Observed, importing: bool) -> Existing<Engine<Source>> {
    let seen = Seen::from(found.clone());
    let mut model = super::observed(&model, &seen, importing);
    let arguments = Desired::decode(&model).unwrap().unwrap();
    Source::conclude(&mut model, &arguments, &seen);
    let drift = diff(&Change::drift(&arguments, &seen));
    model.drift = drift.map(|operations| lines(&operations.unwrap())).unwrap_or_default().into();
    model.operations = Attr::Known(vec!["what was planned last".to_owned()]);
    stored(model, Some(found.clone()), None)
}

fn create(proposed: &AuroraSource, found: Option<Observed>, first_plan: Option<&Private>) -> Plan<AuroraSource, Private> {
    rehearse(proposed, None, proposed, first_plan, found.map(Seen::from).as_ref())
}

/// An update with the configuration `config`.
fn update(prior: &Existing<Engine<Source>>, config: &AuroraSource) -> Plan<AuroraSource, Private> {
    let proposed = AuroraSource {
        parameters: config.parameters.clone(),
        reboot: config.reboot.clone(),
        tags: config.tags.clone(),
        ..prior.model.clone()
    };
    rehearse(config, Some(prior), &proposed, None, None)
}

#[test]
fn a_create_plans_its_operations_and_leaves_what_the_cluster_decides_unknown() {
    let proposed = proposed_create(config("writer", &[]));
    let plan = create(&proposed, Some(observed(group(DEFAULT, &[]))), None);
    assert_eq!(plan.model.operations.known().map(Vec::len), Some(4));
    assert_eq!(plan.model.id, Attr::from("shop"));
    assert_eq!(plan.model.source_type, Attr::from("aurorapostgres"));
    assert_eq!(plan.model.drift, Attr::Known(Vec::new()));
    assert!(plan.model.host.is_unknown() && plan.model.parameter_group_name.is_unknown());
    assert!(!plan.diagnostics.has_errors());
}

#[test]
fn a_cluster_that_is_not_there_yet_leaves_the_list_unknown() {
    let plan = create(&proposed_create(config("writer", &[])), None, None);
    assert!(plan.model.operations.is_unknown());
    assert!(plan.diagnostics.is_empty());
}

#[test]
fn a_client_that_hands_the_first_plan_back_gets_its_list_again() {
    let proposed = proposed_create(config("writer", &[]));
    let first = create(&proposed, Some(observed(group(DEFAULT, &[]))), None);
    let moved = waiting(settled(), &["shop-b"]);
    let second = create(&proposed, Some(moved), Some(&first.private));
    assert_eq!(second.model.operations, first.model.operations);
}

#[test]
fn a_refused_cluster_fails_the_plan_of_a_create() {
    let mut mysql = observed(group(DEFAULT, &[]));
    mysql.cluster.engine = "aurora-mysql".to_owned();
    assert!(create(&proposed_create(config("never", &[])), Some(mysql), None).diagnostics.has_errors());
}

#[test]
fn nothing_to_do_keeps_everything_the_last_operations_included() {
    let prior = existing(config("writer", &[]), &settled(), false);
    let plan = update(&prior, &config("writer", &[]));
    assert_eq!(plan.model, prior.model);
    assert!(plan.diagnostics.is_empty());
}

#[test]
fn a_change_of_the_policy_alone_has_no_operations() {
    let prior = existing(config("never", &[]), &settled(), false);
    let plan = update(&prior, &config("all", &[]));
    assert_eq!(plan.model.operations, Attr::Known(Vec::new()));
    assert_eq!(plan.model.parameter_group_name, prior.model.parameter_group_name);
    assert_eq!(plan.model.ready, Attr::Known(true));
}

#[test]
fn drift_is_mended_and_planned_empty_so_that_the_next_one_is_seen() {
    let prior = existing(config("writer", &[]), &waiting(settled(), &["shop-b"]), false);
    assert_eq!(prior.model.drift, Attr::Known(vec!["RebootDBInstance <the writer of shop>".to_owned()]));
    let plan = update(&prior, &config("writer", &[]));
    assert_eq!(plan.model.operations, prior.model.drift);
    assert_eq!(plan.model.drift, Attr::Known(Vec::new()));
    assert!(plan.model.members.is_unknown() && plan.model.ready.is_unknown() && plan.model.writer_instance_id.is_unknown());
    assert_eq!(plan.model.host, prior.model.host);
    assert_eq!(plan.model.parameter_group_name, prior.model.parameter_group_name);
}

#[test]
fn never_plans_nothing_for_waiting_members_but_says_so() {
    let prior = existing(config("never", &[]), &waiting(settled(), &["shop-b"]), false);
    let plan = update(&prior, &config("never", &[]));
    assert_eq!(plan.model, prior.model);
    assert_eq!(plan.model.ready, Attr::Known(false));
    assert_eq!(plan.model.reboot_required, Attr::Known(true));
    assert_eq!(
        plan.diagnostics.iter().next().map(|warning| warning.summary.as_str()),
        Some("Members wait for a reboot: cluster shop")
    );
}

#[test]
fn a_refusal_does_not_block_the_plan_that_precedes_a_destroy() {
    let mut replica = settled();
    replica.cluster.replication_source = Some("arn".to_owned());
    let prior = existing(config("writer", &[]), &replica, false);
    let plan = update(&prior, &config("writer", &[]));
    assert_eq!(plan.model, prior.model);
    assert!(!plan.diagnostics.is_empty() && !plan.diagnostics.has_errors());
    assert!(update(&prior, &config("writer", &[("max_wal_senders", "30")])).diagnostics.has_errors());
}

#[test]
fn an_import_states_what_is_there_so_that_nothing_is_planned() {
    for observed in [
        observed(group(DEFAULT, &[])),
        observed(group("shop-custom", &[("rds.logical_replication", "1"), ("work_mem", "65536")])),
        settled(),
        Observed {
            previous: Some(group(DEFAULT, &[])),
            ..observed(our_group("shop-cdc", DEFAULT, &[("rds.logical_replication", "1"), ("max_wal_senders", "30")]))
        },
    ] {
        let imported = existing(config("never", &[]), &observed, true);
        assert_eq!(imported.model.drift, Attr::Known(Vec::new()), "{}", observed.attached.name);
        let plan = update(&imported, &imported.model);
        assert_eq!(plan.model, imported.model);
    }
}

#[test]
fn a_parameter_that_the_last_read_did_not_keep_is_looked_up_or_leaves_the_list_unknown() {
    let mut kept = settled();
    kept.keep_parameters(&["rds.iam_auth_for_replication", "rds.logical_replication"].map(str::to_owned).into());
    let prior = existing(config("writer", &[]), &kept, false);
    let wanted = config("writer", &[("max_wal_senders", "30")]);
    assert!(update(&prior, &wanted).model.operations.is_unknown());
    let proposed = AuroraSource { parameters: wanted.parameters.clone(), ..prior.model.clone() };
    let looked = Seen { allowed: Some(settled().attached), ..kept.into() };
    let plan = rehearse(&wanted, Some(&prior), &proposed, None, Some(&looked));
    let lines = plan.model.operations.known().unwrap();
    assert!(lines[0].ends_with("max_wal_senders = 30 (pending-reboot)") && lines.len() == 2, "{lines:?}");
    // What it is anyway changes nothing, and the source stays ready.
    let same = config("writer", &[("max_wal_senders", "10")]);
    let proposed = AuroraSource { parameters: same.parameters.clone(), ..prior.model.clone() };
    let plan = rehearse(&same, Some(&prior), &proposed, None, Some(&looked));
    assert_eq!((plan.model.operations.known().map(Vec::len), plan.model.ready.known()), (Some(0), Some(&true)));
    let unheard = config("writer", &[("max_wal_sender", "30")]);
    let proposed = AuroraSource { parameters: unheard.parameters.clone(), ..prior.model.clone() };
    assert!(rehearse(&unheard, Some(&prior), &proposed, None, Some(&looked)).diagnostics.has_errors());
}
