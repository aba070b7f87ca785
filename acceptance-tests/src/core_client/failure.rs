//! Why a step of core failed.

use std::fmt;

use terraform_provider_clickpipes::proto::tfplugin6::{Diagnostic, diagnostic::Severity};

use super::rules::Violation;

/// Why a step ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The provider broke rules.
    Broken(Vec<Violation>),
    /// The provider reported errors: these, with its warnings.
    Refused(Vec<Diagnostic>),
    /// The call itself failed.
    Status(String),
    /// The client cannot do this: what the test has to change.
    Client(String),
}

impl Failure {
    /// The summaries and details of the provider's own errors.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        match self {
            Self::Refused(diagnostics) => errors(diagnostics),
            _ => Vec::new(),
        }
    }
}

/// The errors among diagnostics, each with its summary and detail.
#[must_use]
pub fn errors(diagnostics: &[Diagnostic]) -> Vec<String> {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity() == Severity::Error);
    errors.map(|error| format!("{}: {}", error.summary, error.detail)).collect()
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Self::Broken(vec![violation])
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        Self::Status(format!("Plugin error: {:?}: {}", status.code(), status.message()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = match self {
            Self::Broken(violations) => violations.iter().map(ToString::to_string).collect(),
            Self::Refused(diagnostics) => errors(diagnostics),
            Self::Status(words) | Self::Client(words) => vec![words.clone()],
        };
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Failure {}

/// The warnings of an answer without errors.
pub(super) fn accepted(address: &str, diagnostics: Vec<Diagnostic>) -> Result<Vec<Diagnostic>, Failure> {
    let unseen = diagnostics.iter().filter(|diagnostic| diagnostic.severity() == Severity::Invalid);
    unbroken(unseen.map(|diagnostic| Violation::severity(address, &diagnostic.summary)).collect())?;
    if errors(&diagnostics).is_empty() { Ok(diagnostics) } else { Err(Failure::Refused(diagnostics)) }
}

/// Fails with all violations, if there are any.
pub(super) fn unbroken(violations: Vec<Violation>) -> Result<(), Failure> {
    if violations.is_empty() { Ok(()) } else { Err(Failure::Broken(violations)) }
}
