//! One attempt at a change: it may fail in passing and be tried again, wait for something else, or fail for a reason that stays. Pure.

use std::fmt;

use super::Failure;
use crate::postgres::{self, retry::Transient};
use crate::terraform::{Diagnostic, Diagnostics};

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// The database server failed; perhaps only in passing.
    Postgres(postgres::Error),
    /// Another attempt would not help.
    Failed(Failure),
    /// An obstacle that another destroy of the same run may remove.
    Awaited(Diagnostics),
}

impl From<postgres::Error> for Attempt {
    fn from(error: postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Diagnostics> for Attempt {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Failed(diagnostics.into())
    }
}

impl From<Diagnostic> for Attempt {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Failed(diagnostic.into())
    }
}

impl Transient for Attempt {
    fn is_transient(&self) -> bool {
        match self {
            Self::Postgres(error) => error.is_transient(),
            Self::Failed(_) | Self::Awaited(_) => false,
        }
    }

    fn is_uncertain(&self) -> bool {
        match self {
            Self::Postgres(error) => error.is_uncertain(),
            Self::Failed(_) | Self::Awaited(_) => false,
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(error) => error.fmt(f),
            Self::Failed(_) => f.write_str("refused"),
            Self::Awaited(_) => f.write_str("not yet"),
        }
    }
}

impl From<Attempt> for Failure {
    fn from(attempt: Attempt) -> Self {
        match attempt {
            Attempt::Postgres(error) => error.into(),
            Attempt::Failed(failure) => failure,
            Attempt::Awaited(diagnostics) => diagnostics.into(),
        }
    }
}
