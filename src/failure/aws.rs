//! The messages for the practitioner when AWS fails, with the remedies. Pure.

use super::{Failure, Outage, Party};
use crate::aws;
use crate::printable::printable_line;
use crate::terraform::Diagnostic;

impl From<aws::Error> for Failure {
    fn from(error: aws::Error) -> Self {
        let diagnostic = aws_diagnostic(&error);
        match error {
            aws::Error::Cancelled { awaited } => Self::Cancelled { awaited, diagnostic },
            error if error.is_unreachable() => Self::Unreachable(Outage { party: Party::Aws, diagnostic }),
            _ => diagnostic.into(),
        }
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
    diagnostic.detail = printable_line(&diagnostic.detail);
    if let Some(remedy) = aws_remedy(error) {
        diagnostic.detail.push_str("\n\n");
        diagnostic.detail.push_str(remedy);
    }
    diagnostic
}

fn aws_remedy(error: &aws::Error) -> Option<&'static str> {
    match error {
        error if error.is_unreachable() => {
            Some("Check aws.region and aws.endpoints of the provider block, and that this machine can reach AWS.")
        }
        error if error.cause() == aws::Cause::BadCredentials => {
            Some("Check the aws settings of the provider block, and the environment or profile that the credentials come from.")
        }
        _ => None,
    }
}
