//! Why something could not be done: the one place where words about Terraform meet errors of PostgreSQL and AWS. Pure.

mod attempt;
mod aws;
mod outage;
mod postgres;

pub(crate) use attempt::Attempt;
pub(crate) use outage::{Outage, Party};
pub(crate) use postgres::describe;

use crate::terraform::{Diagnostic, Diagnostics};

/// Why something could not be done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The provider's configuration is not known yet: nothing may be dialled, and nothing is wrong. Read then keeps the prior state and
    /// plan works from configuration.
    ConfigurationUnknown,
    /// Something that must be there is not: the cluster, the database. For what is to be created it may come in the same apply, so plan
    /// only warns; for Read the resource went with it.
    Missing(Diagnostic),
    /// The cluster that the provider block names was not found. For what is to be created it may come in the same apply, so plan only
    /// warns; but it says nothing about what exists, because it may have been looked for in the wrong place.
    NoCluster(Diagnostic),
    /// AWS or the database server cannot be reached. With `on_unreachable = "keep_state"` Read keeps the prior state and plan works from
    /// configuration; otherwise, and always for an apply, it is an error.
    Unreachable(Outage),
    /// The step was stopped while it waited: Terraform asked for it, or the time of the step was up.
    Cancelled {
        /// What it waited for.
        awaited: String,
        diagnostic: Diagnostic,
    },
    /// What the practitioner is told.
    Diagnosed(Diagnostics),
}

impl Failure {
    /// The failure as errors, for a step that cannot go on without what failed.
    pub(crate) fn into_diagnostics(self) -> Diagnostics {
        match self {
            Self::Diagnosed(diagnostics) => diagnostics,
            Self::Missing(diagnostic)
            | Self::NoCluster(diagnostic)
            | Self::Unreachable(Outage { diagnostic, .. })
            | Self::Cancelled { diagnostic, .. } => diagnostic.into(),
            Self::ConfigurationUnknown => Diagnostic::error(
                "The provider's configuration is not known",
                "A value in the provider block is still unknown where it is needed. Give it literally, or apply what it comes from first.",
            )
            .into(),
        }
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Diagnosed(diagnostics)
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Diagnosed(diagnostic.into())
    }
}
