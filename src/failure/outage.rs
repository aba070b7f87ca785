//! AWS or the database server cannot be reached. Pure.

use crate::terraform::Diagnostic;

/// What cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Aws,
    Database,
}

/// AWS or the database server cannot be reached.
#[derive(Clone, Debug)]
pub(crate) struct Outage {
    pub(crate) party: Party,
    /// The error, if the run cannot go on.
    pub(crate) diagnostic: Diagnostic,
}

impl Outage {
    /// The warning, if the run goes on.
    pub(crate) fn warning(self) -> Diagnostic {
        let Diagnostic { summary, detail, .. } = self.diagnostic;
        let detail = format!(
            "The state is kept and the plan is made from the configuration, because on_unreachable is \"keep_state\". Changes made \
             in the meantime are not seen, and planned changes are not checked. Apply where both can be reached.\n\n{detail}"
        );
        Diagnostic::warning(summary, detail)
    }
}
