//! `on_unreachable` of the provider block. Pure.

use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// What happens to a plan when AWS or the database server cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnUnreachable {
    /// An error.
    Fail,
    /// A warning; the state is kept.
    KeepState,
}

const FAIL: &str = "fail";
const KEEP_STATE: &str = "keep_state";

/// Checks the value; an unknown one passes.
pub(super) fn validate(word: &Attr<String>) -> Diagnostics {
    match word.known().map(String::as_str) {
        None | Some(FAIL | KEEP_STATE) => Diagnostics::new(),
        Some(other) => {
            let detail = format!("on_unreachable is {other:?}; it must be \"{FAIL}\" or \"{KEEP_STATE}\".");
            Diagnostic::error("Invalid on_unreachable", detail).at(AttributePath::of("on_unreachable")).into()
        }
    }
}

impl OnUnreachable {
    /// From a checked value. While it is unknown, nothing is kept silently.
    pub(super) fn of(word: &Attr<String>) -> Self {
        if word.known().is_some_and(|word| word == KEEP_STATE) { Self::KeepState } else { Self::Fail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fails_unless_told_otherwise() {
        assert_eq!(OnUnreachable::of(&Attr::Null), OnUnreachable::Fail);
        assert_eq!(OnUnreachable::of(&Attr::Unknown), OnUnreachable::Fail);
        assert_eq!(OnUnreachable::of(&"keep_state".into()), OnUnreachable::KeepState);
        assert!(validate(&"keep_state".into()).is_empty() && validate(&Attr::Unknown).is_empty());
        assert!(validate(&"ignore".into()).has_errors());
    }
}
