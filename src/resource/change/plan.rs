//! Terraform's plan of any resource: its operations, known values and diagnostics. Pure.

use super::impact::{self, OnDestroy};
use super::managed::{Change, Managed, Proposal, impact, undoing};
use super::message;
use super::private::Private;
use super::terms::{ManagedModel, Moment, Replacement, lines};
use crate::resource::contract::{Plan, PlanRequest};
use crate::resource::titled::{Said, Subject};
use crate::terraform::{Attr, Diagnostic, Diagnostics, Severity};

/// Plans a create or an update. The list of a first plan that is passed back takes precedence over one made now, and that over an
/// unknown one.
pub(super) fn plan<R: Managed>(
    request: &PlanRequest<'_, R::Model, R::Desired, Private<R>>,
    looked: Option<&R::Observed>,
) -> Plan<R::Model, Private<R>> {
    // A replaced object exists until it is destroyed: its successor is planned like any other create.
    let prior = request.prior.filter(|_| !request.replaces);
    let recalled = prior.and_then(|prior| R::recall(prior, request.prior_private.observed.as_ref()));
    let change = Change {
        before: prior.map(|prior| &prior.arguments),
        after: request.desired,
        recalled: recalled.as_ref(),
        now: looked,
        moment: Moment::Plan,
        replacement: replacement(request, looked),
    };
    let mut refused = Diagnostics::new();
    let needed = request.desired.and_then(|_| refused.absorb(R::diff(&change)).flatten());
    let is_taken = prior.is_none() && looked.is_some_and(R::is_taken);
    let first = request.first_plan.and_then(|first| Some((first.planned.clone()?, first.impact.clone())));
    let (operations, impact) = match (first, &needed) {
        (Some((operations, impact)), _) => (Some(operations), impact),
        (None, Some(needed)) if !is_taken => (Some(needed.clone()), impact(needed, &change)),
        (None, _) => (None, None),
    };
    // Of what is found where an argument moves the object, a part may be what this run destroys first.
    let vacated = looked.filter(|_| is_taken && change.replacement == Replacement::Argument).and_then(R::vacated);
    let vacated = vacated.and_then(|now| R::diff(&Change { now: Some(&now), ..change }).ok().flatten());
    let foreseen = operations.as_deref().or(needed.as_deref());
    let findings = request.desired.map(|_| R::check(&change, foreseen)).unwrap_or_default();
    // Nothing can be reviewed without a list, so a change whose list was refused may not continue.
    let is_change = request.prior.is_none() || request.changed;
    let mut diagnostics = if is_change { refused } else { as_warnings(refused) };
    diagnostics.extend(if is_asked_for(request) { findings.refusals } else { as_warnings(findings.refusals) });
    diagnostics.extend(as_warnings(findings.awaited));
    diagnostics.extend(as_warnings(findings.unmet));
    if let (true, Some(desired)) = (request.replaces, request.desired) {
        diagnostics.push(message::creates_again::<R>(desired, operations.as_deref().or(vacated.as_deref())));
    } else if let (true, None, Some(desired), Some(needed)) = (is_taken, &operations, request.desired, &needed) {
        diagnostics.push(message::depends_on_a_destroy::<R>(desired, needed));
    }
    diagnostics.extend(findings.warnings);
    let diagnostics = said::<R>(request, diagnostics);

    let nothing = operations.as_ref().is_none_or(Vec::is_empty);
    // The destroy half of a replacement gets what the create half has planned.
    let private = request.prior_private.clone();
    if prior.is_some() && !request.changed && nothing {
        return Plan {
            model: request.proposed.clone(),
            private: Private { planned: None, impact: None, ..private },
            diagnostics,
        };
    }
    let proposal = Proposal {
        model: request.proposed.clone(),
        config: request.config,
        prior: prior.map(|prior| &prior.model),
        operations: operations.as_deref(),
    };
    let mut model = R::planned(&change, proposal);
    *model.operations() = operations.as_deref().map_or(Attr::Unknown, |operations| lines(operations).into());
    *model.impact() = if operations.is_some() { impact::attribute(impact.clone()) } else { Attr::Unknown };
    *model.on_destroy() = on_destroy(&change, operations.as_deref());
    if let Some(drift) = model.drift() {
        // The same drift a second time is a difference again.
        *drift = Vec::new().into();
    }
    Plan { model, private: Private { planned: operations, impact, ..private }, diagnostics }
}

/// What a destroy would do after the change, where the plan decides it.
fn on_destroy<R: Managed>(change: &Change<'_, R>, operations: Option<&[R::Operation]>) -> Attr<OnDestroy> {
    let after = change.after.zip(operations).and_then(|(desired, operations)| {
        let observed = R::foresee(change, operations)?;
        let (operations, impact) = undoing::<R>(desired, &observed)?;
        Some(OnDestroy::of(operations, impact))
    });
    after.map_or(Attr::Unknown, Attr::Known)
}

/// Whether the configuration asks for a change, rather than drift. `terraform destroy` plans an update first, and an obstacle
/// that only drift causes must not prevent the destroy; apply refuses it.
fn is_asked_for<R: Managed>(request: &PlanRequest<'_, R::Model, R::Desired, Private<R>>) -> bool {
    let Some(prior) = request.prior.filter(|_| !request.replaces) else { return true };
    let is_applied = |desired: &R::Desired| Some(R::fingerprint(desired)) == request.prior_private.applied;
    let as_applied = |desired: &R::Desired| is_applied(desired) || is_applied(&R::completed(desired, &prior.arguments));
    request.changed && !request.desired.is_some_and(as_applied)
}

/// Whether the create is half of a replacement: Terraform hands it the private data of the call before, except after a taint. What is
/// destroyed in another place is of no importance.
fn replacement<R: Managed>(
    request: &PlanRequest<'_, R::Model, R::Desired, Private<R>>,
    looked: Option<&R::Observed>,
) -> Replacement {
    match request.prior {
        Some(prior) if request.replaces => {
            let before = R::recall(prior, request.prior_private.observed.as_ref());
            let is_same_place = before.zip(looked).is_none_or(|(before, now)| R::is_same_place(&before, now));
            if is_same_place { Replacement::Argument } else { Replacement::No }
        }
        None if request.prior_private.observed.is_some() => Replacement::Request,
        _ => Replacement::No,
    }
}

fn said<R: Managed>(request: &PlanRequest<'_, R::Model, R::Desired, Private<R>>, diagnostics: Diagnostics) -> Said {
    let arguments = request.desired.or(request.prior.map(|prior| &prior.arguments));
    Said::about(&subject::<R>(arguments), diagnostics)
}

/// The object that a step is about. Before its name is known, only its kind can be named.
pub(super) fn subject<R: Managed>(arguments: Option<&R::Desired>) -> Subject {
    Subject::new(arguments.map_or_else(|| format!("a {} whose name is not known yet", R::NOUN), R::object))
}

fn as_warnings(diagnostics: Diagnostics) -> Diagnostics {
    diagnostics.into_iter().map(|diagnostic| Diagnostic { severity: Severity::Warning, ..diagnostic }).collect()
}
