//! One check: what it is called, how it came out, what helps. Pure.

use std::collections::BTreeMap;

/// How much it matters that a check fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The pipe cannot be created, or the application's writes fail.
    Error,
    /// The pipe works, but not for ever or not for everything.
    Warning,
    /// Only worth knowing; it never fails.
    Info,
}

impl Severity {
    /// The word that practitioners see.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Pass,
    Fail,
    /// It was not asked for, or does not apply.
    Skipped,
    /// It could not be found out.
    Unknown,
}

impl Status {
    /// The word that practitioners see.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
        }
    }
}

/// A check with its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    pub(crate) status: Status,
    /// What was found.
    pub(crate) message: String,
    /// What can be pasted so that the check passes, or advice; `None`: nothing is to be done.
    pub(crate) remedy: Option<String>,
}

impl Check {
    /// Whether a pipe cannot work.
    pub(crate) fn blocks(&self) -> bool {
        self.severity == Severity::Error && matches!(self.status, Status::Fail | Status::Unknown)
    }
}

/// The outcome of a check, apart from its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) status: Status,
    /// A failure matters less than such a failure may.
    pub(super) is_mild: bool,
    pub(super) message: String,
    pub(super) remedy: Option<String>,
}

/// The verdicts of one origin, by the names of the checks.
pub(super) type Verdicts = BTreeMap<&'static str, Verdict>;

/// It is as it must be.
pub(super) fn pass(message: impl Into<String>) -> Verdict {
    Verdict { status: Status::Pass, is_mild: false, message: message.into(), remedy: None }
}

/// It is not as it must be.
pub(super) fn fail(message: impl Into<String>, remedy: impl Into<String>) -> Verdict {
    Verdict { status: Status::Fail, is_mild: false, message: message.into(), remedy: Some(remedy.into()) }
}

/// It is not as it should be, but a pipe can work.
pub(super) fn warn(message: impl Into<String>, remedy: impl Into<String>) -> Verdict {
    Verdict { is_mild: true, ..fail(message, remedy) }
}

/// It does not apply, or was not asked for.
pub(super) fn skip(reason: impl Into<String>) -> Verdict {
    Verdict { status: Status::Skipped, is_mild: false, message: reason.into(), remedy: None }
}

/// It could not be found out.
pub(super) fn unknown(reason: impl Into<String>) -> Verdict {
    Verdict { status: Status::Unknown, is_mild: false, message: reason.into(), remedy: None }
}

/// `pass` if it holds.
pub(super) fn judge(holds: bool, pass_message: impl Into<String>, otherwise: impl FnOnce() -> Verdict) -> Verdict {
    if holds { pass(pass_message) } else { otherwise() }
}

/// Names in a sentence: the first few, and how many more there are.
pub(super) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 20;
    let mut text = names.iter().take(SHOWN).map(|name| name.as_ref().to_owned()).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut() {
        let names: Vec<String> = (0..23).map(|number| format!("t{number}")).collect();
        assert!(listed(&names).ends_with("t19 and 3 more"));
        assert_eq!(listed(&["a", "b"]), "a, b");
    }
}
