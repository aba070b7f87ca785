//! What the engine decides, with a thing that has a size: it can be resized, and a notice of its size may wait.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::impact::{Effect, ImpactModel, OnDestroy};
use super::managed::{Change, Done, Look, Managed, Proposal, Seen, Stopped, Work};
use super::plan::plan;
use super::private::Private;
use super::terms::{Findings, Remaining, Unplanned, fingerprint, managed_model};
use crate::failure::Failure;
use crate::provider::Context;
use crate::resource::contract::{Plan, PlanRequest, Prior};
use crate::resource::timeouts::{Limits, Timeouts};
use crate::terraform::{Attr, Diagnostic, Diagnostics, computed, model, optional, required};

model! {
    /// A thing.
    pub struct ThingModel {
        /// Its size.
        size: i64 => required(),
        /// Lets it grow beyond 100.
        allow_large: bool => optional(),
        /// What restores it.
        drift: Vec<String> => computed(),
        /// What it means.
        impact: ImpactModel => computed(),
        /// What a destroy does.
        on_destroy: OnDestroy => computed(),
        /// What runs.
        operations: Vec<String> => computed(),
        /// Limits.
        timeouts: Timeouts => optional(),
    }
}

managed_model!(ThingModel, drift);

/// A size that no diff leads away from.
const LOCKED: i64 = 77;

/// Whether an operation that was not planned stops it.
#[derive(Clone, Debug)]
struct ThingThat<const REFUSES: bool>;

type Thing = ThingThat<true>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Operation {
    Resize(i64),
    Notify(i64),
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resize(size) => write!(f, "RESIZE {size}"),
            Self::Notify(size) => write!(f, "NOTIFY {size}"),
        }
    }
}

#[derive(Clone, Debug)]
struct Desired {
    size: i64,
    allow_large: bool,
}

impl<const REFUSES: bool> Managed for ThingThat<REFUSES> {
    const TYPE_NAME: &'static str = "clickpipes_thing";
    const NOUN: &'static str = "thing";
    const LIMITS: Limits = Limits::each(Duration::from_secs(1));
    const UNPLANNED: Unplanned = if REFUSES { Unplanned::Refused } else { Unplanned::LeftToTheNextPlan };
    type Model = ThingModel;
    /// There is one thing.
    type Identity = ThingModel;
    type Desired = Desired;
    /// Its size.
    type Observed = i64;
    type Stored = i64;
    type Operation = Operation;

    fn decode(config: &ThingModel) -> Result<Option<Desired>, Diagnostics> {
        Ok(config.size.known().map(|size| Desired { size: *size, allow_large: config.allow_large == Attr::Known(true) }))
    }

    fn decode_state(state: &ThingModel, _: Option<&i64>) -> Result<Option<Desired>, Diagnostics> {
        Self::decode(state)
    }

    fn import(_: &str) -> Result<ThingModel, Diagnostics> {
        Ok(ThingModel::default())
    }

    fn import_by(_: &Context, identity: &ThingModel) -> Result<ThingModel, Failure> {
        Ok(identity.clone())
    }

    fn identity(model: &ThingModel, _: Option<&ThingModel>) -> ThingModel {
        model.clone()
    }

    fn object(desired: &Desired) -> String {
        format!("thing of size {}", desired.size)
    }

    fn fingerprint(desired: &Desired) -> u64 {
        fingerprint(&desired.size)
    }

    fn store(observed: &i64) -> i64 {
        *observed
    }

    fn recall(_: &Prior<ThingModel, Desired>, stored: Option<&i64>) -> Option<i64> {
        stored.copied()
    }

    fn exists(observed: &i64) -> bool {
        *observed > 0
    }

    fn diff(change: &Change<'_, Self>) -> Result<Option<Vec<Operation>>, Diagnostics> {
        let (desired, basis) = match (change.after, change.basis()) {
            (Some(desired), Some(basis)) => (desired, basis),
            (None, Some(basis)) => return Ok(Some(vec![Operation::Resize(0), Operation::Notify(*basis)])),
            _ => return Ok(None),
        };
        if *basis == LOCKED {
            return Err(Diagnostic::error("Locked", "It cannot be resized.").into());
        }
        let operations = [Operation::Resize(desired.size), Operation::Notify(desired.size)];
        Ok(Some(if *basis == desired.size { Vec::new() } else { operations.to_vec() }))
    }

    fn check(change: &Change<'_, Self>, _: Option<&[Operation]>) -> Findings {
        let mut findings = Findings::default();
        if let Some(desired) = change.after.filter(|desired| desired.size > 100 && !desired.allow_large) {
            findings.refusals.push(Diagnostic::error("Too large", Self::object(desired)));
        }
        findings
    }

    fn remaining(operation: &Operation, seen: &Seen<'_, Self>) -> Remaining<Operation> {
        if seen.needed.contains(operation) { Remaining::All } else { Remaining::Nothing }
    }

    fn effect(operation: &Operation, _: &Change<'_, Self>) -> Effect {
        Effect { destructive: *operation == Operation::Resize(0), ..Effect::default() }
    }

    fn foresee(change: &Change<'_, Self>, _: &[Operation]) -> Option<i64> {
        change.after.map(|desired| desired.size)
    }

    fn may_wait(operation: &Operation) -> bool {
        matches!(operation, Operation::Notify(_))
    }

    fn planned(_: &Change<'_, Self>, plan: Proposal<'_, Self>) -> ThingModel {
        plan.model
    }

    fn state(model: &ThingModel, observed: &i64, _: bool) -> ThingModel {
        ThingModel { size: (*observed).into(), ..model.clone() }
    }

    async fn look(_: &Context, _: &Look<'_, Self>) -> Result<Option<i64>, Failure> {
        Ok(None)
    }

    async fn execute(_: &Context, _: &Work<'_, Self>) -> Result<Done<Self>, Stopped<Self>> {
        Ok(Done::nothing())
    }
}

fn config(size: impl Into<Attr<i64>>) -> ThingModel {
    ThingModel { size: size.into(), ..ThingModel::default() }
}

fn state(size: i64) -> ThingModel {
    ThingModel { operations: vec!["RESIZE before".to_owned()].into(), drift: Vec::new().into(), ..config(size) }
}

/// Plans with a state of this size, of which the last look saw what `private` has.
fn plan_with(
    config: &ThingModel,
    prior: Option<(ThingModel, &Private<Thing>)>,
    first_plan: Option<&Private<Thing>>,
    looked: Option<i64>,
) -> Plan<ThingModel, Private<Thing>> {
    let desired = Thing::decode(config).unwrap();
    let none = Private::default();
    let state =
        prior.as_ref().map(|(model, _)| Prior { model: model.clone(), arguments: Thing::decode(model).unwrap().unwrap() });
    let proposed = match &prior {
        Some((model, _)) => ThingModel { size: config.size.clone(), allow_large: config.allow_large.clone(), ..model.clone() },
        None => config.clone(),
    };
    let request = PlanRequest {
        config,
        desired: desired.as_ref(),
        prior: state.as_ref(),
        prior_private: prior.as_ref().map_or(&none, |(_, private)| private),
        proposed: &proposed,
        changed: prior.as_ref().is_none_or(|(model, _)| *model != proposed),
        replaces: false,
        first_plan,
    };
    plan(&request, looked.as_ref())
}

fn private(observed: Option<i64>, planned: Option<Vec<Operation>>) -> Private<Thing> {
    Private { observed, planned, ..Private::default() }
}

fn lines(text: &[&str]) -> Attr<Vec<String>> {
    text.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>().into()
}

#[test]
fn a_first_plan_comes_before_a_diff_and_a_diff_before_an_unknown_list() {
    let first = private(None, Some(vec![Operation::Resize(3)]));
    let seen = private(Some(1), None);
    for prior in [None, Some((state(1), &seen))] {
        let looked = Some(0).filter(|_| prior.is_none());
        let again = plan_with(&config(7), prior.clone(), Some(&first), looked);
        assert_eq!((again.model.operations, again.private.planned), (lines(&["RESIZE 3"]), first.planned.clone()));
        // A second plan may know the list although the first did not.
        let first_unknown = private(None, None);
        let known = plan_with(&config(7), prior.clone(), Some(&first_unknown), looked);
        assert_eq!(known.model.operations, lines(&["RESIZE 7", "NOTIFY 7"]));
        let unknown = plan_with(&config(Attr::Unknown), prior, None, looked);
        assert_eq!((unknown.model.operations, unknown.private.planned), (Attr::Unknown, None));
    }
}

#[test]
fn the_list_of_an_update_does_not_depend_on_what_is_seen_at_plan() {
    let seen = private(Some(1), None);
    for looked in [None, Some(1), Some(7), Some(50)] {
        let plan = plan_with(&config(7), Some((state(1), &seen)), None, looked);
        assert_eq!(plan.model.operations, lines(&["RESIZE 7", "NOTIFY 7"]));
    }
}

#[test]
fn a_plan_that_does_nothing_keeps_the_list_and_one_that_changes_empties_the_drift() {
    let seen = private(Some(5), None);
    let nothing = plan_with(&config(5), Some((state(5), &seen)), None, None);
    assert_eq!(nothing.model, state(5));
    assert_eq!(nothing.private.planned, None);

    let shrunk = private(Some(4), None);
    let drifted = ThingModel { drift: lines(&["RESIZE 5"]), ..state(5) };
    let restored = plan_with(&config(5), Some((drifted, &shrunk)), None, None);
    assert_eq!((restored.model.operations, restored.model.drift), (lines(&["RESIZE 5", "NOTIFY 5"]), lines(&[])));

    let consent = ThingModel { allow_large: true.into(), ..config(5) };
    let runs_nothing = plan_with(&consent, Some((state(5), &seen)), None, None);
    assert_eq!(runs_nothing.model.operations, lines(&[]));
}

#[test]
fn only_what_the_configuration_asks_for_is_refused_at_plan() {
    let large = private(Some(200), None);
    assert!(plan_with(&config(200), None, None, Some(0)).diagnostics.has_errors());
    let unchanged = plan_with(&config(200), Some((state(200), &large)), None, None).diagnostics;
    assert!(!unchanged.has_errors() && !unchanged.is_empty());
    // It was made smaller outside Terraform, so the same configuration is a change again.
    let applied = Private { applied: Some(fingerprint(&200_i64)), ..private(Some(90), None) };
    let drifted = plan_with(&config(200), Some((state(90), &applied)), None, None).diagnostics;
    assert!(!drifted.has_errors() && !drifted.is_empty());
    let asked_for = Private { applied: Some(fingerprint(&90_i64)), ..private(Some(90), None) };
    assert!(plan_with(&config(200), Some((state(90), &asked_for)), None, None).diagnostics.has_errors());
}

#[test]
fn a_change_whose_list_is_refused_is_no_plan_with_an_unknown_list() {
    let locked = Private { applied: Some(fingerprint(&5_i64)), ..private(Some(LOCKED), None) };
    let consent = ThingModel { allow_large: true.into(), ..config(5) };
    let changed = plan_with(&consent, Some((state(5), &locked)), None, None);
    assert!(changed.diagnostics.has_errors(), "as applied, and a change all the same");
    let unchanged = plan_with(&config(5), Some((state(5), &locked)), None, None);
    assert!(!unchanged.diagnostics.has_errors() && !unchanged.diagnostics.is_empty());
    assert_eq!(unchanged.model, state(5));
}

#[test]
fn a_replacement_is_planned_and_refused_like_a_create() {
    let applied = Private { applied: Some(fingerprint(&200_i64)), ..private(Some(5), None) };
    let replaced = |size: i64| {
        let prior = Prior { model: state(5), arguments: Desired { size: 5, allow_large: false } };
        let config = config(size);
        let desired = Thing::decode(&config).unwrap();
        let proposed = ThingModel { size: size.into(), ..state(5) };
        let request = PlanRequest {
            config: &config,
            desired: desired.as_ref(),
            prior: Some(&prior),
            prior_private: &applied,
            proposed: &proposed,
            changed: true,
            replaces: true,
            first_plan: None,
        };
        plan(&request, Some(&0))
    };
    assert_eq!(replaced(7).model.operations, lines(&["RESIZE 7", "NOTIFY 7"]));
    assert_eq!(replaced(7).private.observed, Some(5), "the half that destroys gets it");
    assert!(replaced(200).diagnostics.has_errors());
}

fn decide(planned: Option<&[Operation]>, desired: i64, now: i64) -> Result<(Vec<Operation>, Vec<String>), String> {
    decide_for::<true>(planned, desired, now)
}

fn decide_for<const REFUSES: bool>(
    planned: Option<&[Operation]>,
    desired: i64,
    now: i64,
) -> Result<(Vec<Operation>, Vec<String>), String> {
    let prior = Prior { model: state(1), arguments: Desired { size: 1, allow_large: false } };
    let desired = Desired { size: desired, allow_large: false };
    let limit = Duration::from_secs(1);
    let work: Work<'_, ThingThat<REFUSES>> = Work {
        arguments: &prior.arguments,
        prior: Some(&prior),
        recalled: Some(1),
        desired: Some(&desired),
        planned,
        secret: None,
        limit,
        patience: Duration::ZERO,
    };
    let text = |diagnostics: &Diagnostics| diagnostics.iter().map(|d| format!("{}: {}", d.summary, d.detail)).collect::<Vec<_>>();
    let operations = work.operations(&now).map_err(|refusals| text(&refusals).join("\n"))?;
    let decision =
        work.decide(&now, &operations).map_err(|stopped| text(&Failure::from(stopped).into_diagnostics()).join("\n"))?;
    Ok((decision.run, text(&decision.warnings)))
}

#[test]
fn what_was_planned_runs_and_what_is_done_already_is_skipped_with_a_word() {
    let planned = [Operation::Resize(7), Operation::Notify(7)];
    assert_eq!(decide(Some(&planned), 7, 1), Ok((planned.to_vec(), Vec::new())));
    let (run, warnings) = decide(Some(&planned), 7, 7).unwrap();
    assert!(run.is_empty());
    assert!(matches!(&warnings[..], [skipped] if skipped.contains("RESIZE 7") && skipped.contains("NOTIFY 7")), "{warnings:?}");
}

#[test]
fn what_was_not_planned_stops_the_apply_unless_it_may_wait() {
    let stale = decide(Some(&[]), 7, 1).unwrap_err();
    assert!(stale.starts_with("The thing changed since the plan") && stale.contains("RESIZE 7") && !stale.contains("NOTIFY"));
    let (run, warnings) = decide(Some(&[Operation::Resize(7)]), 7, 1).unwrap();
    assert_eq!(run, [Operation::Resize(7)]);
    assert!(matches!(&warnings[..], [left_out] if left_out.contains("NOTIFY 7")), "{warnings:?}");
}

#[test]
fn where_it_may_be_left_to_the_next_plan_what_was_planned_runs_and_nothing_else() {
    let planned = [Operation::Resize(7)];
    assert_eq!(decide_for::<false>(Some(&planned), 7, 1), Ok((planned.to_vec(), Vec::new())));
    assert_eq!(decide_for::<false>(Some(&[]), 7, 1), Ok((Vec::new(), Vec::new())));
    assert_eq!(decide_for::<false>(Some(&planned), 7, 7).unwrap().0, []);
    assert!(decide_for::<false>(Some(&planned), 200, 1).unwrap_err().starts_with("Too large"));
}

#[test]
fn without_a_planned_list_it_is_decided_now_and_what_is_refused_or_gone_runs_nothing() {
    assert_eq!(decide(None, 7, 1).unwrap().0, [Operation::Resize(7), Operation::Notify(7)]);
    assert_eq!(decide(None, 7, 7), Ok((Vec::new(), Vec::new())));
    assert!(decide(None, 200, 1).unwrap_err().starts_with("Too large"));
    assert!(decide(Some(&[Operation::Resize(7)]), 7, 0).unwrap_err().starts_with("Thing not found"));
}

#[test]
fn private_data_of_an_earlier_release_is_read() {
    let stored: Private<Thing> = serde_json::from_str(r#"{"observed":4,"planned":null,"importing":true}"#).unwrap();
    assert_eq!((stored.observed, stored.planned, stored.applied, stored.importing), (Some(4), None, None, true));
    assert_eq!(serde_json::from_str::<Private<Thing>>("{}").unwrap().observed, None);
}

#[test]
fn a_create_that_finds_the_object_knows_no_list_since_this_run_may_destroy_it_first() {
    let plan = plan_with(&config(7), None, None, Some(5));
    assert_eq!((plan.model.operations, plan.model.impact, plan.private.planned), (Attr::Unknown, Attr::Unknown, None));
    assert!(plan.diagnostics.iter().any(|warning| warning.detail.contains("RESIZE 7\n  NOTIFY 7")));
    // A client that passes the first plan back gets its list, whatever changed in between.
    let first = private(None, Some(vec![Operation::Resize(7)]));
    assert_eq!(plan_with(&config(7), None, Some(&first), Some(5)).model.operations, lines(&["RESIZE 7"]));
}

#[test]
fn the_impact_is_known_with_the_list_and_null_without_any_operation() {
    let seen = private(Some(5), None);
    let consent = ThingModel { allow_large: true.into(), ..config(5) };
    let nothing = plan_with(&consent, Some((state(5), &seen)), None, None).model;
    assert_eq!((nothing.operations, nothing.impact), (lines(&[]), Attr::Null));
    let plan = plan_with(&config(7), Some((state(5), &seen)), None, None);
    assert_eq!(plan.model.impact.known().map(|impact| impact.destructive.clone()), Some(false.into()));
    let again = plan_with(&config(7), Some((state(5), &seen)), Some(&plan.private), None);
    assert_eq!(again.model.impact, plan.model.impact);
    let on_destroy = plan.model.on_destroy.known().unwrap();
    assert_eq!(on_destroy.operations, lines(&["RESIZE 0", "NOTIFY 7"]));
    assert_eq!(on_destroy.impact.known().map(|impact| impact.destructive.clone()), Some(true.into()));
}

/// A destroy of a thing, of which these lines were reviewed.
fn destroy(reviewed: Option<&[&str]>, now: i64) -> Result<(Vec<Operation>, Vec<String>), String> {
    let on_destroy = reviewed.map(|reviewed| OnDestroy { operations: lines(reviewed), ..OnDestroy::default() });
    let model = ThingModel { on_destroy: on_destroy.into(), ..state(1) };
    let prior = Prior { model, arguments: Desired { size: 1, allow_large: false } };
    let limit = Duration::from_secs(1);
    let work: Work<'_, Thing> = Work {
        arguments: &prior.arguments,
        prior: Some(&prior),
        recalled: Some(1),
        desired: None,
        planned: None,
        secret: None,
        limit,
        patience: limit,
    };
    let operations = work.operations(&now).unwrap();
    match work.decide(&now, &operations) {
        Ok(decision) => Ok((decision.run, decision.warnings.iter().map(|warning| warning.detail.clone()).collect())),
        Err(stopped) => Err(Failure::from(stopped).into_diagnostics().iter().map(|refusal| refusal.detail.clone()).collect()),
    }
}

#[test]
fn a_destroy_runs_what_was_reviewed_less_what_is_done_or_nothing() {
    let both = vec![Operation::Resize(0), Operation::Notify(5)];
    assert_eq!(destroy(Some(&["RESIZE 0", "NOTIFY 5"]), 5), Ok((both.clone(), Vec::new())));
    let (run, warnings) = destroy(Some(&["WASH", "RESIZE 0", "NOTIFY 5"]), 5).unwrap();
    assert_eq!(run, both);
    assert!(matches!(&warnings[..], [skipped] if skipped.contains("WASH")), "{warnings:?}");
    let differs = destroy(Some(&["RESIZE 0"]), 5).unwrap_err();
    assert!(differs.contains("NOTIFY 5") && !differs.contains("RESIZE 0"), "{differs}");
    // A state of an earlier release, planned without a refresh: there was nothing to review.
    assert_eq!(destroy(None, 5), Ok((both, Vec::new())));
}

#[test]
fn a_replacement_says_what_its_create_runs() {
    let prior = Prior { model: state(5), arguments: Desired { size: 5, allow_large: false } };
    let config = config(7);
    let desired = Thing::decode(&config).unwrap();
    let private = private(Some(5), None);
    let request = PlanRequest {
        config: &config,
        desired: desired.as_ref(),
        prior: Some(&prior),
        prior_private: &private,
        proposed: &config,
        changed: true,
        replaces: true,
        first_plan: None,
    };
    let said = plan(&request, Some(&0)).diagnostics;
    assert!(said.iter().any(|said| said.summary.starts_with("Operations of the create") && said.detail.contains("RESIZE 7")));
}
