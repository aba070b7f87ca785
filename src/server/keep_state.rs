//! `on_unreachable`: whether a read or a plan goes on without what cannot be reached.

use crate::failure::Failure;
use crate::provider::Context;
use crate::terraform::Diagnostics;

/// The warning of a run that goes on although somebody cannot be reached.
///
/// # Errors
/// The failure is another one, or the run may not go on.
pub(super) fn go_on(context: &Context, failure: Failure) -> Result<Diagnostics, Diagnostics> {
    context.remember(&failure);
    match failure {
        Failure::Unreachable(outage) if context.keeps_state() => Ok(outage.warning().into()),
        other => Err(other.into_diagnostics()),
    }
}
