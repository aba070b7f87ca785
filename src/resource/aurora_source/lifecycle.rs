//! Read, apply and destroy: observe, diff, run, observe again.

use std::time::Duration;

use super::diff::{Difference, diff};
use super::model::{Desired, LOGICAL_REPLICATION, RebootPolicy};
use super::observe::{Observed, find_group, observe};
use super::request::{Operation, lines};
use super::schema::AuroraSource;
use super::undo::{announce, undo};
use super::{Private, Source, apply as runner, outputs, slots};
use crate::provider::Context;
use crate::rds::parameter_group::Which;
use crate::rds::{Client, Patience};
use crate::resource::{ApplyRequest, Existing, Failure, Saved, Timeouts};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// A reboot of a busy writer takes minutes, and members restart one after the other.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(60 * 60);
const READ_TIMEOUT: Duration = Duration::from_secs(5 * 60);

pub(super) async fn read(context: &Context, prior: Existing<Source>) -> Result<Option<Existing<Source>>, Failure> {
    let limit = Timeouts::read(&prior.model.timeouts, READ_TIMEOUT);
    let client = context.rds().await?;
    let observed = tokio::select! {
        observed = observe_again(client, &prior.model, Some(&prior.private)) => observed?,
        () = context.cancel().cancelled() => return Err(Diagnostic::error("Cancelled", "Reading the cluster was cancelled.").into()),
        () = tokio::time::sleep(limit) => {
            let detail = format!("Reading the cluster took longer than {}, the limit in `timeouts`.", humantime::format_duration(limit));
            return Err(Diagnostic::error("Timed out", detail).into());
        }
    };
    let Some(observed) = observed else { return Ok(None) };
    let mut model = prior.model;
    if prior.private.importing {
        outputs::state_arguments(&mut model, &observed);
    }
    Ok(Some(existing(model, observed)))
}

pub(super) async fn apply(
    context: &Context,
    request: &ApplyRequest<'_, Source>,
    saved: &Saved<Source>,
) -> Result<Diagnostics, Failure> {
    let client = context.rds().await?;
    let prior = request.prior.map(|prior| &prior.model);
    let desired = Desired::decode(request.planned)
        .ok_or_else(|| Diagnostic::error("Unknown configuration", "An argument of this resource has no known value at apply."))?;
    let observed = observe_again(client, request.planned, request.prior.map(|prior| &prior.private)).await?;
    let observed = observed.ok_or_else(|| not_found(&desired.cluster_identifier))?;
    let difference = diff(&observed, &desired, prior.and_then(Desired::decode).as_ref())?;
    let force = request.planned.force_destroy.known_or(false);
    if !force && turns_logical_replication_off(&observed, &desired) {
        slots::refuse_logical_slots(context, &observed).await?;
    }
    let (operations, mut warnings) = still_planned(&observed, difference, request.planned.operations.known())?;

    let limit = match prior {
        None => Timeouts::create(&request.planned.timeouts, CHANGE_TIMEOUT),
        Some(_) => Timeouts::update(&request.planned.timeouts, CHANGE_TIMEOUT),
    };
    let patience = Patience::new(limit, context.cancel().clone());
    let outcome = runner::run(client, &desired.cluster_identifier, &operations, &patience).await;
    if let Err(failure) = outcome.result {
        return Err(match request.prior {
            None => half_way(failure, &desired.cluster_identifier, &outcome.done),
            Some(prior) => {
                // The arguments stay those of before: what they still lack is planned again.
                if let Ok(Some(observed)) = observe_again(client, &prior.model, Some(&prior.private)).await {
                    saved.save(existing(prior.model.clone(), observed));
                }
                failure
            }
        });
    }
    let observed = observe_again(client, request.planned, request.prior.map(|prior| &prior.private)).await?;
    let observed = observed.ok_or_else(|| not_found(&desired.cluster_identifier))?;
    let mut applied = existing(request.planned.clone(), observed);
    if request.planned.operations.is_unknown() {
        applied.model.operations = Attr::Known(lines(&operations));
    }
    warnings.extend(applied.private.observed.as_ref().and_then(|observed| super::notice::of_waiting(observed, desired.reboot)));
    saved.save(applied);
    Ok(warnings)
}

pub(super) async fn plan_destroy(context: &Context, prior: &Existing<Source>) -> Result<Diagnostics, Failure> {
    let client = context.rds().await?;
    let Some(observed) = observe_again(client, &prior.model, Some(&prior.private)).await? else { return Ok(Diagnostics::new()) };
    let undo = undo(&observed, policy(&prior.model))?;
    let mut diagnostics = Diagnostics::from(announce(&observed, &undo.operations));
    diagnostics.extend(undo.warnings);
    if undo.turns_logical_replication_off && !prior.model.force_destroy.known_or(false) {
        match slots::refuse_logical_slots(context, &observed).await {
            // What the destroy does is known all the same, and the destroy itself asks again.
            Err(Failure::ConfigurationUnknown) => {}
            Err(Failure::Unreachable(outage)) if context.keeps_state() => diagnostics.push(outage.warning()),
            asked => asked?,
        }
    }
    Ok(diagnostics)
}

pub(super) async fn destroy(context: &Context, prior: &Existing<Source>, saved: &Saved<Source>) -> Result<Diagnostics, Failure> {
    let client = context.rds().await?;
    let patience = Patience::new(Timeouts::delete(&prior.model.timeouts, CHANGE_TIMEOUT), context.cancel().clone());
    let identifier = prior.model.cluster_identifier.known_or(String::new());
    let Some(observed) = observe_again(client, &prior.model, Some(&prior.private)).await? else {
        return delete_orphan(client, &identifier, &prior.model, &patience).await;
    };
    let undo = undo(&observed, policy(&prior.model))?;
    if undo.turns_logical_replication_off && !prior.model.force_destroy.known_or(false) {
        slots::refuse_logical_slots(context, &observed).await?;
    }
    let outcome = runner::run(client, &identifier, &undo.operations, &patience).await;
    if let Err(failure) = outcome.result {
        let left = observe_again(client, &prior.model, Some(&prior.private)).await;
        saved.save(match left {
            Ok(Some(observed)) => existing(prior.model.clone(), observed),
            _ => prior.clone(),
        });
        return Err(failure);
    }
    Ok(Diagnostics::new())
}

/// The cluster went first; our group is of no use any more.
async fn delete_orphan(
    client: &Client,
    identifier: &str,
    model: &AuroraSource,
    patience: &Patience,
) -> Result<Diagnostics, Failure> {
    let Some(name) = model.parameter_group_name.known() else { return Ok(Diagnostics::new()) };
    if find_group(client, name, Which::UserSet).await?.is_some_and(|group| group.belongs_to(identifier)) {
        runner::run(client, identifier, &[Operation::DeleteGroup { name: name.clone() }], patience).await.result?;
    }
    Ok(Diagnostics::new())
}

async fn observe_again(client: &Client, model: &AuroraSource, private: Option<&Private>) -> Result<Option<Observed>, Failure> {
    let identifier = model.cluster_identifier.known_or(String::new());
    let configured = model.group_name();
    let observed_before = private.and_then(|private| private.observed.as_ref());
    let names = [
        model.parameter_group_name.known(),
        observed_before.map(|observed| &observed.attached.name),
        observed_before.and_then(|observed| observed.named.as_ref()).map(|group| &group.name),
        observed_before.and_then(|observed| observed.left_over.as_ref()).map(|group| &group.name),
    ];
    let earlier: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
    Ok(observe(client, &identifier, configured.known().map(String::as_str), &earlier).await?)
}

/// The resource as it exists, with the configuration's side taken from `model`.
fn existing(mut model: AuroraSource, observed: Observed) -> Existing<Source> {
    outputs::fill(&mut model, &observed);
    model.drift = Attr::Known(outputs::drift(&observed, &model));
    if model.operations.known().is_none() {
        model.operations = Attr::Known(Vec::new());
    }
    Existing { model, private: Private { observed: Some(observed), ..Private::default() } }
}

/// What of the needed operations was planned. An unplanned change stops the apply before anything runs; an unplanned reboot is left out.
fn still_planned(
    observed: &Observed,
    difference: Difference,
    planned: Option<&Vec<String>>,
) -> Result<(Vec<Operation>, Diagnostics), Failure> {
    let Some(planned) = planned else { return Ok((difference.operations, Diagnostics::new())) };
    let needed = lines(&difference.operations);
    let is_planned = |operation: &Operation| planned.contains(&operation.to_string());
    let (operations, unplanned): (Vec<_>, Vec<_>) = difference.operations.into_iter().partition(is_planned);
    let (reboots, changes): (Vec<_>, Vec<_>) = unplanned.into_iter().partition(Operation::is_reboot);
    let id = &observed.cluster.identifier;
    if !changes.is_empty() {
        let detail = format!(
            "Cluster {id} or its parameter group changed since this plan was made: what would be needed now and was not planned is\n  {}\n\
             Nothing was changed. Plan again.",
            lines(&changes).join("\n  ")
        );
        return Err(Diagnostic::error("The cluster changed since the plan", detail).into());
    }
    let mut warnings = Diagnostics::new();
    if !reboots.is_empty() {
        let detail = format!(
            "Members of cluster {id} wait for a reboot that was not planned, so it is left to the next plan:\n  {}",
            lines(&reboots).join("\n  ")
        );
        warnings.push(Diagnostic::warning("Unplanned reboots left out", detail));
    }
    let skipped: Vec<&str> = planned.iter().filter(|line| !needed.contains(line)).map(String::as_str).collect();
    if !skipped.is_empty() {
        let detail = format!("For cluster {id} this was planned and is not needed any more:\n  {}", skipped.join("\n  "));
        warnings.push(Diagnostic::warning("Operations skipped", detail));
    }
    Ok((operations, warnings))
}

fn turns_logical_replication_off(observed: &Observed, desired: &Desired) -> bool {
    observed.attached.holds(LOGICAL_REPLICATION, "1") && desired.wanted.get(LOGICAL_REPLICATION).is_some_and(|value| value != "1")
}

fn policy(model: &AuroraSource) -> RebootPolicy {
    Desired::decode(model).map_or(RebootPolicy::Never, |desired| desired.reboot)
}

fn not_found(identifier: &str) -> Failure {
    let detail = format!("There is no cluster {identifier} in this region and account. Nothing was changed.");
    Diagnostic::error("Cluster not found", detail).at(AttributePath::of("cluster_identifier")).into()
}

/// A create that stopped: a state of it would be tainted, and the next apply would tear everything down with two more outages.
fn half_way(failure: Failure, identifier: &str, done: &[Operation]) -> Failure {
    if done.is_empty() {
        return failure;
    }
    let mut diagnostics = failure.into_diagnostics();
    let detail = format!(
        "This was done for cluster {identifier} and stays:\n  {}\nIt is not in the state. The next apply finds it by the tags of the \
         parameter group and does only what is missing.",
        lines(done).join("\n  ")
    );
    diagnostics.push(Diagnostic::warning("The source was set up half-way", detail));
    diagnostics.into()
}
