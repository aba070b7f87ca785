//! One try of a transaction: it may fail in passing and be tried again, or for a reason that stays. Pure.

use std::fmt;

use super::Failure;
use crate::postgres::{self, retry::Transient};
use crate::terraform::{Diagnostic, Diagnostics};

/// Why a try failed.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// The database server failed; perhaps only in passing.
    Postgres(postgres::Error),
    /// A refusal: trying again would not help.
    Refused(Diagnostics),
    /// Something stands in the way that may be freed by somebody else.
    Awaited(Diagnostics),
}

impl From<postgres::Error> for Attempt {
    fn from(error: postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<Diagnostics> for Attempt {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Refused(diagnostics)
    }
}

impl From<Diagnostic> for Attempt {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Refused(diagnostic.into())
    }
}

impl Transient for Attempt {
    fn is_transient(&self) -> bool {
        match self {
            Self::Postgres(error) => error.is_transient(),
            Self::Refused(_) | Self::Awaited(_) => false,
        }
    }

    fn is_uncertain(&self) -> bool {
        match self {
            Self::Postgres(error) => error.is_uncertain(),
            Self::Refused(_) | Self::Awaited(_) => false,
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(error) => error.fmt(f),
            Self::Refused(_) => f.write_str("refused"),
            Self::Awaited(_) => f.write_str("not yet"),
        }
    }
}

impl From<Attempt> for Failure {
    fn from(attempt: Attempt) -> Self {
        match attempt {
            Attempt::Postgres(error) => error.into(),
            Attempt::Refused(diagnostics) | Attempt::Awaited(diagnostics) => diagnostics.into(),
        }
    }
}
