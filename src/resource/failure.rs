//! What a practitioner is told when the database server or AWS fails.

use super::Failure;
use crate::aws;
use crate::postgres;
use crate::provider::{Outage, Party};
use crate::terraform::Diagnostic;

impl From<postgres::Error> for Failure {
    fn from(error: postgres::Error) -> Self {
        let diagnostic = postgres_diagnostic(&error);
        match error {
            error if error.is_database_missing() => Self::Missing(diagnostic),
            error if error.is_outage() => Self::Unreachable(Outage { party: Party::Database, diagnostic }),
            _ => diagnostic.into(),
        }
    }
}

/// One clear error: what failed as the title, then the causes and the way out.
fn postgres_diagnostic(error: &postgres::Error) -> Diagnostic {
    use postgres::Error;
    let summary = match error.original() {
        Error::LoginUnavailable { .. } => "Nothing to log in to the database server with",
        error if error.is_unreachable() => "Cannot reach the database server",
        error if error.is_database_missing() => "Database not found",
        Error::LoginRefused { .. } | Error::PasswordMissing { .. } => "The database server refuses the login",
        Error::ConnectionLost { .. } => "Lost the connection to the database server",
        Error::Reader { .. } => "Connected to a reader instead of the writer",
        Error::Locked { .. } | Error::Busy { .. } => "Timed out waiting for a lock",
        Error::Cancelled => "Cancelled",
        Error::Statement { .. } => "The database server refuses a statement",
        _ => "The database server cannot be used",
    };
    Diagnostic::error(summary, error.describe())
}

impl From<aws::Error> for Failure {
    fn from(error: aws::Error) -> Self {
        let diagnostic = aws_diagnostic(&error);
        if error.is_unreachable() { Self::Unreachable(Outage { party: Party::Aws, diagnostic }) } else { diagnostic.into() }
    }
}

/// One clear error: what failed as the title, then the causes.
fn aws_diagnostic(error: &aws::Error) -> Diagnostic {
    use aws::Error;
    let summary = match error {
        error if error.is_unreachable() => "Cannot reach AWS",
        Error::Credentials { .. } => "No usable AWS credentials",
        Error::NoRegion => "No AWS region",
        Error::TimedOut { .. } | Error::DeadEnd { .. } => "Gave up waiting for AWS",
        Error::Cancelled { .. } => "Cancelled",
        _ => "AWS refuses a call",
    };
    let mut diagnostic = Diagnostic::from_error(summary, error);
    if let Some(remedy) = aws_remedy(error) {
        diagnostic.detail.push_str("\n\n");
        diagnostic.detail.push_str(remedy);
    }
    diagnostic
}

fn aws_remedy(error: &aws::Error) -> Option<&'static str> {
    match error {
        error if error.is_unreachable() => {
            Some("Check aws.region and aws.endpoints of the provider block, and that this machine reaches AWS.")
        }
        error if error.cause() == aws::Cause::BadCredentials => {
            Some("Check the aws settings of the provider block, and the environment or profile that the credentials come from.")
        }
        _ => None,
    }
}
