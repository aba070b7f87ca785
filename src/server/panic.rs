//! A panic in a handler is a bug, and still an answer: a diagnostic instead of a connection that breaks with the state lost.

use std::any::Any;

use crate::terraform::Diagnostic;

/// What the practitioner is told.
pub(super) fn diagnostic(payload: &(dyn Any + Send)) -> Diagnostic {
    let message = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    let detail = format!("The provider panicked: {message}. Nothing that exists was dropped from the state. Please report this.");
    Diagnostic::error("Bug in the provider", detail)
}
