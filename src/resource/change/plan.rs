//! Terraform's plan of any resource: which operations, what is known, what is said. Pure.

use super::managed::{Change, Managed, Proposal};
use super::private::Private;
use super::terms::{ManagedModel, Moment, lines};
use crate::resource::contract::{Plan, PlanRequest};
use crate::terraform::{Attr, Diagnostic, Diagnostics, Severity};

/// Plans a create or an update. The list of a first plan that is handed back comes before one made now, and that before an unknown one.
pub(super) fn plan<R: Managed>(
    request: &PlanRequest<'_, R::Model, R::Desired, Private<R>>,
    looked: Option<&R::Observed>,
) -> Plan<R::Model, Private<R>> {
    // What is replaced stays where it is until it is destroyed: its successor is planned like any other create.
    let prior = request.prior.filter(|_| !request.replaces);
    let recalled = prior.and_then(|prior| R::recall(prior, request.prior_private.observed.as_ref()));
    let change = Change {
        before: prior.map(|prior| &prior.arguments),
        after: request.desired,
        recalled: recalled.as_ref(),
        now: looked,
        moment: Moment::Plan,
        replaces: request.replaces,
    };
    let mut refused = Diagnostics::new();
    let first = request.first_plan.and_then(|first| first.planned.clone());
    let operations = match (first, request.desired) {
        (Some(first), _) => Some(first),
        (None, Some(_)) => refused.absorb(R::diff(&change)).flatten(),
        (None, None) => None,
    };
    let findings = request.desired.map(|_| R::check(&change, operations.as_deref())).unwrap_or_default();
    // Without a list nothing can be reviewed, so that a change may not go on although the list was refused.
    let is_change = request.prior.is_none() || request.changed;
    let mut diagnostics = if is_change { refused } else { as_warnings(refused) };
    diagnostics.extend(if is_asked_for(request) { findings.refusals } else { as_warnings(findings.refusals) });
    diagnostics.extend(as_warnings(findings.unmet));
    diagnostics.extend(findings.warnings);

    let prior_private = if prior.is_some() { request.prior_private.clone() } else { Private::default() };
    let nothing = operations.as_ref().is_none_or(Vec::is_empty);
    if prior.is_some() && !request.changed && nothing {
        return Plan { model: request.proposed.clone(), private: Private { planned: None, ..prior_private }, diagnostics };
    }
    let proposal = Proposal {
        model: request.proposed.clone(),
        config: request.config,
        prior: prior.map(|prior| &prior.model),
        operations: operations.as_deref(),
    };
    let mut model = R::planned(&change, proposal);
    *model.operations() = operations.as_deref().map_or(Attr::Unknown, |operations| lines(operations).into());
    if let Some(drift) = model.drift() {
        // The same drift a second time is a difference again.
        *drift = Vec::new().into();
    }
    Plan { model, private: Private { planned: operations, ..prior_private }, diagnostics }
}

/// Whether the configuration asks for a change, in contrast to: somebody else made the object differ. `terraform destroy` plans an update
/// first, and what only drift makes stand in the way must not keep it from destroying; apply refuses it.
fn is_asked_for<R: Managed>(request: &PlanRequest<'_, R::Model, R::Desired, Private<R>>) -> bool {
    let as_applied = request.desired.map(R::fingerprint).is_some_and(|asked| Some(asked) == request.prior_private.applied);
    request.prior.is_none() || request.replaces || (request.changed && !as_applied)
}

fn as_warnings(diagnostics: Diagnostics) -> Diagnostics {
    diagnostics.into_iter().map(|diagnostic| Diagnostic { severity: Severity::Warning, ..diagnostic }).collect()
}
