//! Read, apply and destroy: observe, diff, run, observe again.

use std::time::Duration;

use super::apply::{self as runner, Outcome};
use super::diff::{Difference, diff};
use super::model::{Desired, LOGICAL_REPLICATION, RebootPolicy};
use super::observe::{Observed, find_group, observe};
use super::request::{Operation, lines};
use super::schema::AuroraSource;
use super::undo::{announce, undo};
use super::{Private, Source, notice, outputs, slots, stop};
use crate::failure::Failure;
use crate::provider::Context;
use crate::rds::parameter_group::Which;
use crate::rds::{Client, Patience};
use crate::resource::{ApplyRequest, Existing, Saved, Timeouts};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// A reboot of a busy writer takes minutes, and members restart one after the other.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(60 * 60);
const READ_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// How long the look may take by which the state of a failed or stopped run is made.
const LAST_LOOK_LIMIT: Duration = Duration::from_secs(30);

pub(super) async fn read(context: &Context, prior: Existing<Source>) -> Result<Option<Existing<Source>>, Failure> {
    let limit = Timeouts::read(&prior.model.timeouts, READ_TIMEOUT);
    let client = context.rds().await?;
    let observed = tokio::select! {
        observed = observe_again(context, client, &prior.model, Some(&prior.private)) => observed?,
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
    let observed = observe_again(context, client, request.planned, request.prior.map(|prior| &prior.private)).await?;
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
    let Outcome { done, under_way, result } =
        runner::run(client, &desired.cluster_identifier, &operations, &patience, context.cancel()).await;
    if let Err(failure) = result {
        return Err(match request.prior {
            None => with(failure, half_way(&desired.cluster_identifier, &done, under_way.as_ref())),
            Some(prior) => with(failure, save_what_is_left(client, prior, saved, under_way.as_ref()).await),
        });
    }
    let looked = look_at_result(context, client, request.planned, request.prior.map(|prior| &prior.private)).await;
    let observed = match looked.and_then(|observed| observed.ok_or_else(|| not_found(&desired.cluster_identifier))) {
        Ok(observed) => observed,
        Err(failure) if request.prior.is_none() => return Err(with(failure, half_way(&desired.cluster_identifier, &done, None))),
        Err(failure) => return Err(with(failure, [notice::of_unread(&desired.cluster_identifier, &done, None)])),
    };
    let mut applied = existing(request.planned.clone(), observed);
    if request.planned.operations.is_unknown() {
        applied.model.operations = Attr::Known(lines(&operations));
    }
    warnings.extend(applied.private.observed.as_ref().and_then(|observed| notice::of_waiting(observed, desired.reboot)));
    saved.save(applied);
    Ok(warnings)
}

pub(super) async fn plan_destroy(context: &Context, prior: &Existing<Source>) -> Result<Diagnostics, Failure> {
    let client = context.rds().await?;
    let Some(observed) = observe_again(context, client, &prior.model, Some(&prior.private)).await? else {
        return Ok(Diagnostics::new());
    };
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
    let operations = match observe_again(context, client, &prior.model, Some(&prior.private)).await? {
        None => orphan(context, client, &identifier, &prior.model).await?,
        Some(observed) => {
            let undo = undo(&observed, policy(&prior.model))?;
            if undo.turns_logical_replication_off && !prior.model.force_destroy.known_or(false) {
                slots::refuse_logical_slots(context, &observed).await?;
            }
            undo.operations
        }
    };
    let Outcome { under_way, result, .. } = runner::run(client, &identifier, &operations, &patience, context.cancel()).await;
    if let Err(failure) = result {
        return Err(with(failure, save_what_is_left(client, prior, saved, under_way.as_ref()).await));
    }
    Ok(Diagnostics::new())
}

/// The cluster went first; our group is of no use any more.
async fn orphan(context: &Context, client: &Client, identifier: &str, model: &AuroraSource) -> Result<Vec<Operation>, Failure> {
    let Some(name) = model.parameter_group_name.known() else { return Ok(Vec::new()) };
    let awaited = format!("AWS to describe parameter group {name}");
    let group = stop::ends(context.cancel(), &awaited, Box::pin(find_group(client, name, Which::UserSet))).await?;
    let is_ours = group.is_some_and(|group| group.belongs_to(identifier));
    Ok(if is_ours { vec![Operation::DeleteGroup { name: name.clone() }] } else { Vec::new() })
}

/// Saves what a run left that stopped half-way. The arguments stay those of before: what they still lack is planned again.
async fn save_what_is_left(
    client: &Client,
    prior: &Existing<Source>,
    saved: &Saved<Source>,
    under_way: Option<&Operation>,
) -> Diagnostics {
    let mut warnings: Diagnostics = under_way.map(notice::of_unanswered).into_iter().collect();
    match last_look(client, &prior.model, Some(&prior.private)).await {
        Ok(Some(observed)) => saved.save(existing(prior.model.clone(), observed)),
        Ok(None) => {}
        Err(failure) => {
            let identifier = prior.model.cluster_identifier.known_or(String::new());
            warnings.push(notice::of_unread(&identifier, &[], Some(&failure.into_diagnostics())));
        }
    }
    warnings
}

/// Observes; a stop ends it.
async fn observe_again(
    context: &Context,
    client: &Client,
    model: &AuroraSource,
    private: Option<&Private>,
) -> Result<Option<Observed>, Failure> {
    let awaited = format!("AWS to describe cluster {}", model.cluster_identifier.known_or(String::new()));
    stop::ends(context.cancel(), &awaited, Box::pin(observe_anew(client, model, private))).await
}

/// Observes what a whole run has made. The state hangs on it: at a stop a call that hangs is given up, and everything asked once more.
async fn look_at_result(
    context: &Context,
    client: &Client,
    model: &AuroraSource,
    private: Option<&Private>,
) -> Result<Option<Observed>, Failure> {
    match observe_again(context, client, model, private).await {
        Err(_) if context.cancel().is_cancelled() => last_look(client, model, private).await,
        looked => looked,
    }
}

/// Observes after a run that failed or was stopped. The state hangs on it, so that no stop ends it, but a limit of its own.
async fn last_look(client: &Client, model: &AuroraSource, private: Option<&Private>) -> Result<Option<Observed>, Failure> {
    tokio::time::timeout(LAST_LOOK_LIMIT, Box::pin(observe_anew(client, model, private))).await.unwrap_or_else(|_| {
        let identifier = model.cluster_identifier.known_or(String::new());
        let limit = humantime::format_duration(LAST_LOOK_LIMIT);
        Err(Diagnostic::error("Timed out", format!("AWS did not describe cluster {identifier} within {limit}.")).into())
    })
}

async fn observe_anew(client: &Client, model: &AuroraSource, private: Option<&Private>) -> Result<Option<Observed>, Failure> {
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
fn half_way(identifier: &str, done: &[Operation], under_way: Option<&Operation>) -> Diagnostics {
    let done = (!done.is_empty()).then(|| notice::of_half_made(identifier, done));
    done.into_iter().chain(under_way.map(notice::of_unanswered)).collect()
}

/// The failure as errors, and what else there is to say.
fn with(failure: Failure, warnings: impl IntoIterator<Item = Diagnostic>) -> Failure {
    let mut diagnostics = failure.into_diagnostics();
    diagnostics.extend(warnings);
    diagnostics.into()
}
