//! What practitioners are told about any change, whatever the resource. Pure; the same situation gives the same words.

use std::time::Duration;

use super::managed::Managed;
use super::terms::lines;
use crate::postgres::Notice;
use crate::terraform::{AttributePath, Diagnostic, Diagnostics, Severity, hcl_string};

/// The server's word that it granted nothing; what is still missing is found out and said in full.
const PRIVILEGE_NOT_GRANTED: &str = "01007";
/// Class of the SQLSTATEs of notices that tell of success.
const SUCCESS: &str = "00";

/// The severity of what something else may still meet until a plan is applied.
pub(crate) fn unmet(diagnostic: Diagnostic, at_apply: bool) -> Diagnostic {
    let severity = if at_apply { Severity::Error } else { Severity::Warning };
    Diagnostic { severity, ..diagnostic }
}

/// What a destroy runs: its plan has no values to show it in.
pub(super) fn destroys<R: Managed>(arguments: &R::Desired, operations: &[R::Operation]) -> Diagnostic {
    let detail = format!("For {}:\n  {}", R::object(arguments), lines(operations).join("\n  "));
    Diagnostic::warning("Operations of this destroy", detail)
}

/// Planned operations that do not run.
pub(super) fn skipped<R: Managed>(arguments: &R::Desired, skipped: &[String]) -> Diagnostic {
    let detail = format!(
        "For {} this was planned and did not run, because what it does is done already, or what it is about is gone:\n  {}",
        R::object(arguments),
        skipped.join("\n  ")
    );
    Diagnostic::warning("Planned operations skipped", detail)
}

/// A planned operation of which a part does not run.
pub(super) fn skipped_in_part(operation: &impl std::fmt::Display, done: &[String]) -> Diagnostic {
    let detail = format!("This was planned and did not run for {}, where it is done already:\n  {operation}", done.join(", "));
    Diagnostic::warning("Planned operation skipped in part", detail)
}

/// Operations that are needed now, were not planned and may wait.
pub(super) fn left_out<R: Managed>(arguments: &R::Desired, operations: &[R::Operation]) -> Diagnostic {
    let detail = format!(
        "For {} this is needed now and was not planned, so it is left to the next plan:\n  {}",
        R::object(arguments),
        lines(operations).join("\n  ")
    );
    Diagnostic::warning("Unplanned operations left out", detail)
}

/// Operations that are needed now, were not planned and may not wait.
pub(super) fn stale<R: Managed>(arguments: &R::Desired, operations: &[R::Operation]) -> Diagnostic {
    let detail = format!(
        "What {} needs now was not planned:\n  {}\nNothing was changed. Plan again.",
        R::object(arguments),
        lines(operations).join("\n  ")
    );
    Diagnostic::error(format!("The {} changed since the plan", R::NOUN), detail)
}

/// The object went away between plan and apply.
pub(super) fn gone<R: Managed>(arguments: &R::Desired) -> Diagnostic {
    let detail = format!(
        "There is no {} any more. Nothing was changed. Plan again: the plan then creates it again.",
        R::object(arguments)
    );
    Diagnostic::error(format!("{} not found", capitalised(R::NOUN)), detail)
}

/// The object is not there although everything ran.
pub(super) fn not_there<R: Managed>(arguments: &R::Desired) -> Diagnostic {
    let detail = format!("{} is not there after the change. Nothing was changed.", capitalised(&R::object(arguments)));
    Diagnostic::error(format!("{} not found", capitalised(R::NOUN)), detail)
}

/// An object of that name exists already. `opening` says so, `closing` what else can be done.
pub(crate) fn already_exists<R: Managed>(opening: &str, id: &str, closing: &str) -> Diagnostic {
    let closing = if closing.is_empty() { String::new() } else { format!("\n\n{closing}") };
    let detail = format!(
        "{opening}\n\nTo manage it here, import it:\n\nimport {{\n  to = {}.example\n  id = {}\n}}{closing}",
        R::TYPE_NAME,
        hcl_string(id)
    );
    Diagnostic::error(format!("{} already exists", capitalised(R::NOUN)), detail)
}

/// A step took longer than its limit.
pub(super) fn timed_out(what: &str, limit: Duration) -> Diagnostic {
    let detail = format!("Gave up {what} after {}. Raise the limit in timeouts.", humantime::format_duration(limit));
    Diagnostic::error("Timed out", detail).at(AttributePath::of("timeouts"))
}

/// An argument has no known value at apply.
pub(super) fn undecided() -> Diagnostic {
    let detail = "An argument of this resource has no known value at apply, or too little is known of what exists.";
    Diagnostic::error("Unknown configuration", detail)
}

/// A state without an argument that each has.
pub(super) fn undecided_state() -> Diagnostic {
    unreadable("It lacks an argument that every state of this resource has.")
}

/// A state with values that this provider never writes. Terraform would show the line of the configuration, which is not to blame.
pub(super) fn unreadable_state(faults: Diagnostics) -> Diagnostics {
    faults.into_iter().map(|fault| unreadable(&fault.detail)).collect()
}

fn unreadable(reason: &str) -> Diagnostic {
    let detail = format!(
        "{reason}\n\nThis is about the state and not about the configuration. Restore the state from a backup, or take the object out of it \
         (terraform state rm) and import it again."
    );
    Diagnostic::error("The stored state cannot be read", detail)
}

/// A notice of the database server that is worth a word, for instance that `wal_level` is not logical yet.
pub(super) fn notice(notice: Notice) -> Option<Diagnostic> {
    let code = notice.sqlstate.as_str();
    if code.starts_with(SUCCESS) || code == PRIVILEGE_NOT_GRANTED {
        return None;
    }
    let rest = [notice.detail, notice.hint].into_iter().flatten();
    let detail = rest.fold(format!("{}.", notice.message), |text, more| format!("{text} {more}"));
    Some(Diagnostic::warning("Notice from the database server", detail))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
