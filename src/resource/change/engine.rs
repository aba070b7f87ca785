//! The steps of every resource: look, decide, run, look again, save what exists.

use std::marker::PhantomData;
use std::time::Duration;

use super::deadline::Deadline;
use super::decide::unreviewed;
use super::impact::{self, Impact, OnDestroy};
use super::managed::{Change, Done, Look, Managed, Seen, Stopped, Work, impact, limit, undoing};
use super::plan::subject;
use super::private::Private;
use super::terms::{ManagedModel, Purpose, Remaining, line, lines};
use super::{message, plan};
use crate::failure::Failure;
use crate::provider::Context;
use crate::resource::contract::{ApplyRequestOf, Existing, Plan, PlanRequestOf, Prior, PriorOf, Refreshed, Resource, Saved};
use crate::resource::timeouts::Timeouts;
use crate::resource::titled::{Failed, Said};
use crate::terraform::{AttributePath, Diagnostics};

/// How long a destroy waits for another destroy of the same run, if `timeouts.delete` is not set.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// A managed resource as the RPCs use it.
#[derive(Clone, Debug)]
pub(crate) struct Engine<R>(PhantomData<fn() -> R>);

impl<R: Managed> Resource for Engine<R> {
    const TYPE_NAME: &'static str = R::TYPE_NAME;
    const VERSION: i64 = R::VERSION;
    type Model = R::Model;
    type Desired = R::Desired;
    type Identity = R::Identity;
    const IDENTITY_VERSION: i64 = R::IDENTITY_VERSION;
    type Private = Private<R>;
    type Lookup = R::Observed;

    fn decode(config: &R::Model) -> Result<Option<R::Desired>, Diagnostics> {
        R::decode(config)
    }

    fn decode_state(state: &R::Model, private: &Private<R>) -> Result<R::Desired, Diagnostics> {
        // An import has no state yet, so the fault is in its names.
        let blame = |faults| if private.importing { faults } else { message::unreadable_state(faults) };
        let decoded = R::decode_state(state, private.observed.as_ref()).map_err(blame)?;
        decoded.ok_or_else(|| message::undecided_state().into())
    }

    fn validate(config: &R::Model) -> Diagnostics {
        let mut faults = Timeouts::validate(config.timeouts());
        faults.absorb(R::decode(config));
        faults.extend(R::validate(config));
        faults
    }

    async fn look_up(context: &Context, request: &PlanRequestOf<'_, Self>) -> Result<Option<R::Observed>, Failed> {
        let Some(desired) = request.desired else { return Ok(None) };
        let prior = request.prior.filter(|_| !request.replaces);
        let recalled = prior.and_then(|prior| R::recall(prior, request.prior_private.observed.as_ref()));
        let purpose = Purpose::Plan { changed: request.changed };
        let arguments = prior.map_or(desired, |prior| &prior.arguments);
        let look = Look { purpose, arguments, prior, recalled: recalled.as_ref(), desired: Some(desired), operations: &[] };
        let what = format!("planning {}", R::object(desired));
        let deadline = Deadline::new(context, what, limit::<R>(request.config, |limits| limits.read), Duration::ZERO);
        let looked = deadline.run(Box::pin(R::look(deadline.context(), &look))).await;
        looked.map_err(|failure| failed::<R>(desired, deadline.explained(failure)))
    }

    fn replacements(context: &Context, proposed: &R::Model, prior: &PriorOf<Self>, private: &Private<R>) -> Vec<AttributePath> {
        let recalled = R::recall(prior, private.observed.as_ref());
        R::replacements(context.own_cluster().ok().flatten(), proposed, prior, recalled.as_ref())
    }

    fn plan(request: &PlanRequestOf<'_, Self>, lookup: Option<&R::Observed>) -> Plan<R::Model, Private<R>> {
        plan::plan(request, lookup)
    }

    async fn plan_destroy(context: &Context, prior: &PriorOf<Self>, private: &Private<R>) -> Result<Said, Failed> {
        let what = format!("planning to destroy {}", R::object(&prior.arguments));
        let deadline = Deadline::new(context, what, limit::<R>(&prior.model, |limits| limits.read), Duration::ZERO);
        let said = deadline.run(Box::pin(plan_destroy::<R>(deadline.context(), prior, private))).await;
        said.map(|said| Said::about(&subject::<R>(Some(&prior.arguments)), said))
            .map_err(|failure| failed::<R>(&prior.arguments, deadline.explained(failure)))
    }

    async fn read(context: &Context, prior: &PriorOf<Self>, private: &Private<R>) -> Result<Refreshed<Self>, Failed> {
        let importing = private.importing;
        let recalled = R::recall(prior, private.observed.as_ref());
        let look = of_state::<R>(Purpose::Read { importing }, prior, recalled.as_ref());
        let what = format!("reading {}", R::object(&prior.arguments));
        let deadline = Deadline::new(context, what, limit::<R>(&prior.model, |limits| limits.read), Duration::ZERO);
        let looked = deadline.run(Box::pin(R::look(deadline.context(), &look))).await;
        let observed = looked.map_err(|failure| failed::<R>(&prior.arguments, deadline.explained(failure)))?;
        if importing && !observed.as_ref().is_some_and(R::exists) {
            return Err(failed::<R>(&prior.arguments, message::nothing_to_import::<R>(&prior.arguments).into()));
        }
        let found = |observed: R::Observed| {
            let mut found = existing(&prior.model, &prior.arguments, &observed, importing, private.applied, None);
            if importing && let Ok(Some(arguments)) = R::decode_state(&found.model, found.private.observed.as_ref()) {
                // A configuration that says the same asks for nothing, whatever drifts later.
                found.private.applied = Some(R::fingerprint(&arguments));
            }
            found
        };
        let elsewhere = recalled.zip(observed.as_ref()).and_then(|(before, now)| R::elsewhere(&prior.arguments, &before, now));
        let said = Said::about(&subject::<R>(Some(&prior.arguments)), elsewhere.into_iter().collect());
        Ok(Refreshed { existing: observed.filter(R::exists).map(found), said })
    }

    async fn apply(context: &Context, request: &ApplyRequestOf<'_, Self>, saved: &Saved<Self>) -> Result<Said, Failed> {
        let (verb, limit) = match request.prior {
            None => ("creating", limit::<R>(request.config, |limits| limits.create)),
            Some(_) => ("updating", limit::<R>(request.config, |limits| limits.update)),
        };
        let what = format!("{verb} {}", R::object(request.desired));
        let deadline = Deadline::new(context, what, limit, R::GRACE);
        R::dial_again(context, request.desired);
        let applied = deadline.run(Box::pin(apply::<R>(deadline.context(), request, limit, saved))).await;
        // The change may have made a server reachable again.
        R::dial_again(context, request.desired);
        applied
            .map(|said| Said::about(&subject::<R>(Some(request.desired)), said))
            .map_err(|failure| failed::<R>(request.desired, deadline.explained(failure)))
    }

    async fn destroy(
        context: &Context,
        prior: &PriorOf<Self>,
        private: &Private<R>,
        saved: &Saved<Self>,
    ) -> Result<Said, Failed> {
        let work = Work {
            arguments: &prior.arguments,
            prior: Some(prior),
            recalled: R::recall(prior, private.observed.as_ref()),
            desired: None,
            planned: None,
            secret: None,
            limit: limit::<R>(&prior.model, |limits| limits.delete),
            patience: Timeouts::delete(prior.model.timeouts()).unwrap_or(PATIENCE),
        };
        let what = format!("destroying {}", R::object(&prior.arguments));
        let deadline = Deadline::new(context, what, work.limit.max(work.patience), R::GRACE);
        R::dial_again(context, work.arguments);
        let executed = deadline.run(Box::pin(R::execute(deadline.context(), &work))).await;
        R::dial_again(context, work.arguments);
        match executed {
            Ok(done) => Ok(Said::about(&subject::<R>(Some(&prior.arguments)), done.diagnostics)),
            Err(mut stopped) => {
                stopped.failure = deadline.explained(stopped.failure);
                Err(failed::<R>(&prior.arguments, stop(stopped, Some(prior), private, saved)))
            }
        }
    }

    fn is_import(private: &Private<R>) -> bool {
        private.importing
    }

    fn identity(model: &R::Model, before: Option<&R::Identity>) -> R::Identity {
        R::identity(model, before)
    }

    fn import(id: &str) -> Result<Existing<Self>, Diagnostics> {
        R::import(id).map(Self::named)
    }

    fn import_by(context: &Context, identity: &R::Identity) -> Result<Existing<Self>, Failure> {
        R::import_by(context, identity).map(Self::named)
    }

    fn named(model: R::Model) -> Existing<Self> {
        Existing { model, private: Private { importing: true, ..Private::default() } }
    }
}

fn failed<R: Managed>(arguments: &R::Desired, failure: Failure) -> Failed {
    Failed::about(&subject::<R>(Some(arguments)), failure)
}

async fn plan_destroy<R: Managed>(
    context: &Context,
    prior: &Prior<R::Model, R::Desired>,
    private: &Private<R>,
) -> Result<Diagnostics, Failure> {
    let recalled = R::recall(prior, private.observed.as_ref());
    let look = of_state::<R>(Purpose::PlanDestroy, prior, recalled.as_ref());
    let reviewed = prior.model.reviewed_destroy();
    let now = match R::look(context, &look).await {
        Err(Failure::Unreachable(outage)) if context.keeps_state() => {
            let last_known = reviewed.filter(|lines| !lines.is_empty()).map(message::destroys);
            return Ok(last_known.into_iter().chain([outage.warning()]).collect());
        }
        now => now?,
    };
    let Some(now) = now else { return Ok(Diagnostics::new()) };
    if let Some(stranger) = R::stranger(prior, recalled.as_ref(), &now) {
        return Ok(message::cannot_be_destroyed::<R>(&prior.arguments, &stranger).into());
    }
    if !R::exists(&now) {
        return Ok(Diagnostics::new());
    }
    let change = Change::destroy(&prior.arguments, &now);
    let operations = R::diff(&change)?.unwrap_or_default();
    let findings = R::check(&change, Some(&operations));
    let seen = Seen { now: &now, planned: &operations, needed: &operations };
    let statements = operations.iter().flat_map(|operation| match R::remaining(operation, &seen) {
        Remaining::Each(each) => lines(&each),
        _ => vec![line(operation)],
    });
    let statements: Vec<String> = statements.collect();
    let mut diagnostics = Diagnostics::new();
    if !statements.is_empty() {
        diagnostics.push(message::destroys(&statements));
    }
    let unreviewed = unreviewed(&operations, reviewed);
    if !unreviewed.is_empty() {
        diagnostics.push(message::unmet(message::not_reviewed::<R>(&prior.arguments, &unreviewed), false));
    }
    diagnostics.extend(findings.warnings);
    diagnostics.extend(findings.awaited.into_iter().map(message::is_awaited));
    diagnostics.extend(findings.unmet.into_iter().map(|finding| message::unmet(finding, false)));
    diagnostics.extend(findings.refusals);
    Ok(diagnostics)
}

async fn apply<R: Managed>(
    context: &Context,
    request: &ApplyRequestOf<'_, Engine<R>>,
    limit: Duration,
    saved: &Saved<Engine<R>>,
) -> Result<Diagnostics, Failure> {
    let work = Work {
        arguments: request.prior.map_or(request.desired, |prior| &prior.arguments),
        prior: request.prior,
        recalled: request.prior.and_then(|prior| R::recall(prior, request.planned_private.observed.as_ref())),
        desired: Some(request.desired),
        planned: request.planned_private.planned.as_deref(),
        secret: R::secret(request.config),
        limit,
        patience: Duration::ZERO,
    };
    match R::execute(context, &work).await {
        Ok(Done { observed: Some(observed), ran, diagnostics }) => {
            let applied = Some(R::fingerprint(request.desired));
            let change = Change::<R>::drift(request.desired, &observed);
            let ran = (lines(&ran), impact(&ran, &change));
            saved.save(existing(request.planned, request.desired, &observed, false, applied, Some(ran)));
            Ok(diagnostics)
        }
        Ok(Done { observed: None, .. }) => Err(message::not_there::<R>(request.desired).into()),
        Err(stopped) => Err(stop(stopped, request.prior, request.planned_private, saved)),
    }
}

/// A look at the object in a state.
fn of_state<'a, R: Managed>(
    purpose: Purpose,
    prior: &'a Prior<R::Model, R::Desired>,
    recalled: Option<&'a R::Observed>,
) -> Look<'a, R> {
    Look { purpose, arguments: &prior.arguments, prior: Some(prior), recalled, desired: None, operations: &[] }
}

/// The object as it exists. An unknown list of operations becomes what `ran`; a known one stays as it was last planned.
fn existing<R: Managed>(
    model: &R::Model,
    arguments: &R::Desired,
    observed: &R::Observed,
    importing: bool,
    applied: Option<u64>,
    ran: Option<(Vec<String>, Option<Impact>)>,
) -> Existing<Engine<R>> {
    let mut model = R::state(model, observed, importing);
    if model.operations().known().is_none() {
        let (ran, impact) = ran.unwrap_or_default();
        *model.operations() = ran.into();
        *model.impact() = impact::attribute(impact);
    }
    *model.on_destroy() = undoing::<R>(arguments, observed).map(|(operations, impact)| OnDestroy::of(operations, impact)).into();
    let stored = R::store(observed);
    // For other resources the state is complete, and some have very long lists.
    if model.drift().is_some()
        && let Ok(Some(arguments)) = R::decode_state(&model, Some(&stored))
    {
        R::conclude(&mut model, &arguments, observed);
        let drift = drift::<R>(&arguments, observed);
        if let Some(attribute) = model.drift() {
            *attribute = drift.into();
        }
    }
    Existing { model, private: Private { observed: Some(stored), applied, ..Private::default() } }
}

/// The operations that restore what no other attribute shows; none if the object would be refused.
fn drift<R: Managed>(arguments: &R::Desired, observed: &R::Observed) -> Vec<String> {
    lines(&R::diff(&Change::drift(arguments, observed)).ok().flatten().unwrap_or_default())
}

/// Saves the result of a change that stopped half-way. The previous arguments are kept, so the rest is planned again. A create
/// leaves no state: the next apply would destroy a tainted object.
fn stop<R: Managed>(
    stopped: Stopped<R>,
    prior: Option<&Prior<R::Model, R::Desired>>,
    private: &Private<R>,
    saved: &Saved<Engine<R>>,
) -> Failure {
    if let Some(prior) = prior {
        saved.save(match &stopped.left {
            Some(left) => existing(&prior.model, &prior.arguments, left, false, private.applied, None),
            None => Existing { model: prior.model.clone(), private: Private { planned: None, impact: None, ..private.clone() } },
        });
    }
    if stopped.diagnostics.is_empty() {
        return stopped.failure;
    }
    let mut diagnostics = stopped.failure.into_diagnostics();
    diagnostics.extend(stopped.diagnostics);
    diagnostics.into()
}
