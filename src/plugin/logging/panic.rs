//! Panics as log lines.

use std::panic::{PanicHookInfo, set_hook};

/// Replaces Rust's multi-line report, which the host would print line by line as separate messages. The words also differ from
/// those of a Go crash, on which the host would declare the whole process dead: the server layer turns a handler's panic into a
/// diagnostic and goes on.
pub(super) fn install_hook() {
    set_hook(Box::new(|info| {
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "a handler panicked: {}", message(info));
    }));
}

fn message<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    info.payload_as_str().unwrap_or("no message")
}
