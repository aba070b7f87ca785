//! AWS or the database server cannot be reached. Pure.

use crate::terraform::Diagnostic;

/// Who cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Aws,
    Database,
}

/// Somebody cannot be reached.
#[derive(Clone, Debug)]
pub(crate) struct Outage {
    pub(crate) party: Party,
    /// The error that it is where nothing may go on without.
    pub(crate) diagnostic: Diagnostic,
}

impl Outage {
    /// What a run that goes on without says.
    pub(crate) fn warning(self) -> Diagnostic {
        let Diagnostic { summary, detail, .. } = self.diagnostic;
        let detail = format!(
            "The state is kept as it is and the plan is made from the configuration, since on_unreachable is \"keep_state\": what \
             changed meanwhile is not seen, and what a change would meet is not checked. Apply it where this works.\n\n{detail}"
        );
        Diagnostic::warning(summary, detail)
    }
}
