//! The title of a diagnostic names its object: Terraform folds warnings with equal titles into one, so a plan with three clusters
//! that reboot would name only the first. All diagnostics of a resource pass through here. Pure.

use std::ops::Deref;

use crate::failure::Failure;
use crate::terraform::{Diagnostic, Diagnostics};

/// The object that a step is about, as titles name it.
#[derive(Clone, Debug)]
pub(crate) struct Subject(String);

impl Subject {
    /// An object by its kind and name, such as `publication "p" of database "app"`.
    pub(crate) fn new(object: impl Into<String>) -> Self {
        Self(object.into())
    }

    fn title(&self, diagnostic: Diagnostic) -> Diagnostic {
        Diagnostic { summary: format!("{}: {}", diagnostic.summary, self.0), ..diagnostic }
    }
}

/// Diagnostics about one object.
#[derive(Debug, Default)]
pub(crate) struct Said(Diagnostics);

impl Said {
    /// Adds the object to their titles.
    pub(crate) fn about(subject: &Subject, diagnostics: Diagnostics) -> Self {
        Self(diagnostics.into_iter().map(|diagnostic| subject.title(diagnostic)).collect())
    }

    /// The diagnostics, as they are shown.
    pub(crate) fn into_diagnostics(self) -> Diagnostics {
        self.0
    }
}

impl Deref for Said {
    type Target = Diagnostics;

    fn deref(&self) -> &Diagnostics {
        &self.0
    }
}

/// Why a step failed for one object.
#[derive(Debug)]
pub(crate) struct Failed(Failure);

impl Failed {
    /// Adds the object to the titles of a failure. An outage is about the server, and an unknown configuration about the
    /// provider.
    pub(crate) fn about(subject: &Subject, failure: Failure) -> Self {
        Self(match failure {
            Failure::Diagnosed(diagnostics) => Failure::Diagnosed(Said::about(subject, diagnostics).0),
            Failure::Missing(diagnostic) => Failure::Missing(subject.title(diagnostic)),
            Failure::NoCluster(diagnostic) => Failure::NoCluster(subject.title(diagnostic)),
            Failure::Cancelled { awaited, diagnostic } => Failure::Cancelled { awaited, diagnostic: subject.title(diagnostic) },
            failure @ (Failure::Unreachable(_) | Failure::ConfigurationUnknown) => failure,
        })
    }

    /// The failure, as it is shown.
    pub(crate) fn into_failure(self) -> Failure {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_title_names_the_object() {
        let subject = Subject::new("cluster shop");
        let said = Said::about(&subject, Diagnostic::warning("A reboot is needed", "Why.").into()).into_diagnostics();
        assert_eq!(said.iter().next().map(|said| said.summary.as_str()), Some("A reboot is needed: cluster shop"));
        let failed = Failed::about(&subject, Failure::Missing(Diagnostic::error("Not found", "Why."))).into_failure();
        assert!(matches!(failed, Failure::Missing(missing) if missing.summary == "Not found: cluster shop"));
    }
}
