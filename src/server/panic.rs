//! A panic in a handler is a bug, but still gets an answer: a diagnostic, instead of a broken connection and a lost state.

use std::any::Any;

use crate::terraform::Diagnostic;

/// The message for the practitioner.
pub(super) fn diagnostic(payload: &(dyn Any + Send)) -> Diagnostic {
    let message = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    let detail = format!("The provider panicked: {message}. No existing object was removed from the state. Please report this.");
    Diagnostic::error("Bug in the provider", detail)
}
