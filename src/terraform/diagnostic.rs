//! Messages for a practitioner: errors and warnings with a title, an explanation with the remedy, and the attribute concerned.

use super::AttributePath;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The step fails.
    Error,
    /// The step continues.
    Warning,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// A title, without a full stop.
    pub summary: String,
    /// The reason and the remedy.
    pub detail: String,
    /// The attribute concerned, if there is one.
    pub path: Option<AttributePath>,
}

impl Diagnostic {
    /// An error.
    #[must_use]
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Error, summary: summary.into(), detail: detail.into(), path: None }
    }

    /// An error about an argument, at its place.
    #[must_use]
    pub fn invalid(attribute: &str, reason: impl std::fmt::Display) -> Self {
        let path = AttributePath::of(attribute);
        Self::error(format!("Invalid {attribute}"), format!("Attribute {path}: {reason}.")).at(path)
    }

    /// A warning.
    #[must_use]
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, summary: summary.into(), detail: detail.into(), path: None }
    }

    /// The same message, pointing at `path`.
    #[must_use]
    pub fn at(mut self, path: AttributePath) -> Self {
        self.path = Some(path);
        self
    }

    /// The message that represents the rest.
    fn more(severity: Severity) -> Self {
        let (summary, detail) = match severity {
            Severity::Error => ("More errors", format!("Only the first {MOST} errors are shown. Fix these first.")),
            Severity::Warning => ("More warnings", format!("Only the first {MOST} warnings are shown.")),
        };
        Self { severity, summary: summary.to_owned(), detail, path: None }
    }

    /// An error whose detail is `error`, followed by all its causes.
    #[must_use]
    pub fn from_error(summary: impl Into<String>, error: &dyn std::error::Error) -> Self {
        Self::error(summary, chain(error))
    }
}

/// An error and its causes in one sentence each, separated by colons.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// How many errors, and how many warnings, are shown one by one. A configuration can be wrong in as many places as it has values.
const MOST: usize = 100;

/// Messages in the order in which they arose, without duplicates. If there are very many, only the first are kept, with a last
/// one that says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// No messages.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a message unless it is already included.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let severity = diagnostic.severity;
        let same = self.count(severity);
        if same > MOST || self.0.contains(&diagnostic) {
            return;
        }
        self.0.push(if same < MOST { diagnostic } else { Diagnostic::more(severity) });
    }

    fn count(&self, severity: Severity) -> usize {
        self.0.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    }

    /// True when no further error would be kept, so a search for more may stop.
    #[must_use]
    pub fn has_enough_errors(&self) -> bool {
        self.count(Severity::Error) > MOST
    }

    /// Adds all messages of `other`.
    pub fn extend(&mut self, other: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in other {
            self.push(diagnostic);
        }
    }

    /// True when at least one of the messages is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// True if there is no message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The messages in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Takes the value of `result`, or keeps its messages.
    pub fn absorb<T>(&mut self, result: Result<T, Diagnostics>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(diagnostics) => {
                self.extend(diagnostics);
                None
            }
        }
    }

    /// `Err` with all messages when one of them is an error, else `Ok` with the warnings.
    ///
    /// # Errors
    /// All messages, when at least one of them is an error.
    pub fn into_result(self) -> Result<Diagnostics, Diagnostics> {
        if self.has_errors() { Err(self) } else { Ok(self) }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Self {
        let mut diagnostics = Self::new();
        diagnostics.extend(iter);
        diagnostics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_the_same_thing_once() {
        let mut diagnostics = Diagnostics::new();
        diagnostics.push(Diagnostic::warning("a", "b"));
        diagnostics.push(Diagnostic::warning("a", "b"));
        assert_eq!(diagnostics.iter().count(), 1);
        assert!(!diagnostics.has_errors());
    }

    #[test]
    fn of_very_many_only_the_first_are_kept() {
        let fault = |number: usize| Diagnostic::error("Invalid name", format!("number {number}"));
        let mut first: Diagnostics = (0..100).map(fault).collect();
        assert!(first.iter().all(|diagnostic| diagnostic.summary == "Invalid name"));
        first.extend((0..1000).map(fault));
        first.extend((500..700).map(fault).collect::<Diagnostics>());
        first.push(Diagnostic::warning("a", "b"));
        let summaries: Vec<&str> = first.iter().map(|diagnostic| diagnostic.summary.as_str()).skip(99).collect();
        assert_eq!(summaries, ["Invalid name", "More errors", "a"]);
        assert!(first.has_enough_errors() && first.has_errors());
    }
}
