//! The layer's own check of its answers before they are sent, by the rules that Terraform applies to every provider. Pure.
//!
//! It is active only in builds with debug assertions: an acceptance test that meets a broken rule fails, with the rule and the
//! place. The answer is sent unchanged: the check never loses a state. The client that plays Terraform in the acceptance tests
//! (`core_client/rules/`) has the same rules written down independently and shares no code with these: the code under test must
//! not be its own judge.
//!
//! Values may be secret, so none is shown. Every check walks over a value once: lists may have ten thousand members.

mod fault;
mod plan;
mod result;
mod stored;

use crate::terraform::{Attribute, AttributePath, Diagnostics, Value};
use fault::Faults;

/// Checks a planned object, and the paths whose change replaces it.
pub(super) fn planned(
    attributes: &[Attribute],
    prior: &Value,
    config: &Value,
    planned: &Value,
    requires_replace: &[AttributePath],
) -> Diagnostics {
    let mut faults = Faults::default();
    stored::check_shape(attributes, planned, &mut faults);
    if faults.are_none() {
        plan::check(attributes, prior, config, planned, &mut faults);
        plan::check_replacements(prior, planned, requires_replace, &mut faults);
    }
    faults.into_diagnostics("a plan")
}

/// Checks what is stored after an apply that succeeded.
pub(super) fn applied(attributes: &[Attribute], planned: &Value, actual: &Value) -> Diagnostics {
    let mut faults = Faults::default();
    stored::check(attributes, actual, &mut faults);
    if faults.are_none() {
        result::check(attributes, planned, actual, &mut faults);
    }
    faults.into_diagnostics("an apply")
}

/// Checks what is stored after any other step: a failed apply, a refresh, an import, an upgrade.
pub(super) fn stored(attributes: &[Attribute], value: &Value, step: &str) -> Diagnostics {
    let mut faults = Faults::default();
    stored::check(attributes, value, &mut faults);
    faults.into_diagnostics(step)
}

#[cfg(test)]
mod tests;
