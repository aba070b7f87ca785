//! `on_unreachable`: whether a read or a plan continues if AWS or the server is unreachable.

use crate::failure::Failure;
use crate::provider::Context;
use crate::terraform::Diagnostics;

/// The warning of a run that continues although AWS or the server is unreachable.
///
/// # Errors
/// The failure is another one, or the run may not continue.
pub(super) fn go_on(context: &Context, failure: Failure) -> Result<Diagnostics, Diagnostics> {
    context.remember(&failure);
    match failure {
        Failure::Unreachable(outage) if context.keeps_state() => Ok(outage.warning().into()),
        other => Err(other.into_diagnostics()),
    }
}
