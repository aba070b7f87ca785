//! What is said about an object names the object in its title: Terraform folds warnings of equal titles into one, and of three clusters
//! that reboot a plan would name the first. Nothing leaves a resource but through here. Pure.

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
    /// Says them about the object.
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
    /// Says a failure about the object. An outage is about the server, and an unknown configuration about the provider.
    pub(crate) fn about(subject: &Subject, failure: Failure) -> Self {
        Self(match failure {
            Failure::Diagnosed(diagnostics) => Failure::Diagnosed(Said::about(subject, diagnostics).0),
            Failure::Missing(diagnostic) => Failure::Missing(subject.title(diagnostic)),
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
