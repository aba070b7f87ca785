//! Messages about a change, for all resources. Pure; the same situation gives the same text.

use std::time::Duration;

use super::managed::Managed;
use super::sighting::Stranger;
use super::terms::{line, lines};
use crate::aws::Place;
use crate::failure::Failure;
use crate::postgres::{Error, Moved, Notice};
use crate::printable::printable_line;
use crate::terraform::{AttributePath, Diagnostic, Diagnostics, Severity, hcl_string};

/// The server's warning that it granted nothing. The provider checks what is still missing and reports it in full.
const PRIVILEGE_NOT_GRANTED: &str = "01007";
/// SQLSTATE class of notices that report success.
const SUCCESS: &str = "00";

/// Sets the severity of a condition that something else may still meet before the plan is applied.
pub(crate) fn unmet(diagnostic: Diagnostic, at_apply: bool) -> Diagnostic {
    let severity = if at_apply { Severity::Error } else { Severity::Warning };
    Diagnostic { severity, ..diagnostic }
}

/// What a destroy runs, statement by statement; `on_destroy` summarises some of them.
pub(super) fn destroys(operations: &[String]) -> Diagnostic {
    Diagnostic::warning("Operations of this destroy", format!("In this order:\n  {}", operations.join("\n  ")))
}

/// The other half of a replacement that an argument of the resource forces.
pub(super) fn creates_again<R: Managed>(desired: &R::Desired, operations: Option<&[R::Operation]>) -> Diagnostic {
    let detail = match operations {
        Some([]) => "nothing has to run.".to_owned(),
        Some(operations) => format!("this runs, in this order:\n  {}", lines(operations).join("\n  ")),
        None => "the operations are known only after apply.".to_owned(),
    };
    let detail = format!(
        "A changed argument replaces the resource. Beside the destroy of the old one, for {} {detail}",
        R::object(desired)
    );
    Diagnostic::warning("Operations of the create in this replacement", detail)
}

/// A create that finds an object which the other half of a replacement may be about to destroy.
pub(super) fn depends_on_a_destroy<R: Managed>(desired: &R::Desired, needed: &[R::Operation]) -> Diagnostic {
    let now = match needed {
        [] => "As things are now, this would run nothing.".to_owned(),
        needed => format!("As things are now, this would run:\n  {}", lines(needed).join("\n  ")),
    };
    let detail = format!(
        "Part or all of {} already exists, and Terraform does not tell the provider whether this run destroys it first. So \
         `operations` and `impact` are known only after apply. {now}",
        R::object(desired)
    );
    Diagnostic::warning("The operations depend on what this run destroys", detail)
}

/// An object that this run has just created or taken over under another address.
pub(crate) fn not_destroyed<R: Managed>(arguments: &R::Desired) -> Diagnostic {
    let detail = format!(
        "This run has set up {} or taken it over under another address. So it is kept, and only the old address is removed from \
         the state. To rename an address, use a `moved` block. To replace a resource whose object keeps its name, remove \
         create_before_destroy from `lifecycle`.",
        R::object(arguments)
    );
    Diagnostic::warning("Not destroyed", detail)
}

/// What another destroy of the same run may free. The plan goes on, and the destroy waits.
pub(super) fn is_awaited(diagnostic: Diagnostic) -> Diagnostic {
    let detail = format!(
        "{}\n\nIf the same run removes this, the destroy waits for it: for timeouts.delete, or for 5 minutes if that is not set.",
        diagnostic.detail
    );
    unmet(Diagnostic { detail, ..diagnostic }, false)
}

/// What another destroy should have freed still exists.
pub(super) fn still_there(awaited: Diagnostics, waited: Duration, is_stopped: bool) -> Diagnostics {
    let end = match is_stopped {
        true => "then the run was stopped",
        false => "timeouts.delete allows no longer wait (5 minutes if it is not set)",
    };
    let waited = humantime::format_duration(Duration::from_secs(waited.as_secs()));
    let refuse = |diagnostic: Diagnostic| {
        let detail = format!("{}\n\nNothing was changed. Waited {waited}; {end}.", diagnostic.detail);
        unmet(Diagnostic { detail, ..diagnostic }, true)
    };
    awaited.into_iter().map(refuse).collect()
}

/// A lock that could not be obtained in short attempts.
pub(super) fn still_locked(locked: Error, attempts: u32, waited: Duration, because: &str) -> Diagnostics {
    let waited = humantime::format_duration(Duration::from_secs(waited.as_secs()));
    let attempts = if attempts == 1 { "one attempt".to_owned() } else { format!("{attempts} attempts within {waited}") };
    let explain = |diagnostic: Diagnostic| {
        let detail = format!(
            "{}\n\nNothing was changed in {attempts}. Each of them waits only shortly, because {because}. To try for longer, raise the \
             limit in timeouts.",
            diagnostic.detail
        );
        Diagnostic { detail, ..diagnostic }
    };
    Failure::from(locked).into_diagnostics().into_iter().map(explain).collect()
}

/// Planned operations that do not run.
pub(super) fn skipped<R: Managed>(arguments: &R::Desired, skipped: &[String]) -> Diagnostic {
    let detail = format!(
        "These planned operations for {} did not run, because they were already done or their object no longer exists:\n  {}",
        R::object(arguments),
        skipped.join("\n  ")
    );
    Diagnostic::warning("Planned operations skipped", detail)
}

/// A planned operation of which a part does not run.
pub(super) fn skipped_in_part(operation: &impl std::fmt::Display, done: &[String]) -> Diagnostic {
    let detail = format!(
        "This planned operation did not run for {}, where it was already done:\n  {}",
        printable_line(&done.join(", ")),
        line(operation)
    );
    Diagnostic::warning("Planned operation skipped in part", detail)
}

/// Operations that are needed now, were not planned, and may wait.
pub(super) fn left_out<R: Managed>(arguments: &R::Desired, operations: &[R::Operation]) -> Diagnostic {
    let detail = format!(
        "The change of {} now also needs operations that were not planned. They did not run; the next plan lists them:\n  {}",
        R::object(arguments),
        lines(operations).join("\n  ")
    );
    Diagnostic::warning("Unplanned operations left out", detail)
}

/// Operations that are needed now, were not planned, and may not wait.
pub(super) fn stale<R: Managed>(arguments: &R::Desired, operations: &[R::Operation]) -> Diagnostic {
    let detail = format!(
        "The change of {} now needs operations that were not planned:\n  {}\nNothing was changed. Plan again.",
        R::object(arguments),
        lines(operations).join("\n  ")
    );
    Diagnostic::error(format!("The {} changed since the plan", R::NOUN), detail)
}

/// A destroy that would run something that was not reviewed.
pub(super) fn not_reviewed<R: Managed>(arguments: &R::Desired, operations: &[R::Operation]) -> Diagnostic {
    let detail = format!(
        "The destroy of {} now needs operations that `on_destroy` did not show:\n  {}\nNothing was changed. Plan again, with a \
         refresh.",
        R::object(arguments),
        lines(operations).join("\n  ")
    );
    Diagnostic::error(format!("The {} changed since the plan", R::NOUN), detail)
}

/// A refresh that looked at another server or database than the one before.
pub(super) fn looked_elsewhere<R: Managed>(arguments: &R::Desired, moved: Moved, is_found: bool) -> Diagnostic {
    let outcome = match is_found {
        true => "An object of that name was found there, and from now on the state describes that one.",
        false => "It has no object of that name, so the plan creates one.",
    };
    let detail = format!(
        "{} was last read {}. So only its name was looked up, not its oid. {outcome} If this is not intended, correct how the \
         provider reaches the server before you apply.",
        capitalised(&R::object(arguments)),
        somewhere_else(moved),
    );
    Diagnostic::warning(another_place(moved), detail)
}

/// The cluster of an object was looked for in another region or account than where the object was last read.
pub(super) fn cluster_looked_elsewhere(named: &str, arn: &str, place: &Place) -> Diagnostic {
    let detail = format!(
        "The object was last read on {arn}, but the provider looked for cluster {named} in {place}, where there is none. So it cannot tell \
         whether the cluster still exists. Correct the region or the account of the provider's `aws`. If the object is no longer \
         needed, remove it from the state (terraform state rm)."
    );
    Diagnostic::error("Cluster looked for in the wrong place", detail).at(AttributePath::of("cluster_identifier"))
}

/// The cluster of an object has another identifier now.
pub(super) fn cluster_renamed(named: &str, resource_id: &str, now: &str) -> Diagnostic {
    let detail = format!(
        "The object was last read on the cluster with the resource id {resource_id}, which had the identifier {named} and was renamed to \
         {now}. Nothing was changed. Rename it back. Or set `cluster_identifier` to {now}, remove the object from the state (terraform \
         state rm) and import it from {now}."
    );
    Diagnostic::error("The cluster was renamed", detail).at(AttributePath::of("cluster_identifier"))
}

fn somewhere_else(moved: Moved) -> &'static str {
    match moved {
        Moved::Server => "on another server (its system identifier or its cluster differs)",
        Moved::Database => "in another database, which had the same name (its oid differs)",
    }
}

fn another_place(moved: Moved) -> &'static str {
    match moved {
        Moved::Server => "The server is another one than last time",
        Moved::Database => "The database is another one than last time",
    }
}

/// An object that was renamed by hand to a name that no terminal should get.
pub(super) fn unprintable<R: Managed>(arguments: &R::Desired, name: &str) -> Diagnostic {
    let detail = format!(
        "{} was renamed to {name:?}. That name contains control characters or line breaks, which Terraform would print as they are. \
         Rename it back.",
        capitalised(&R::object(arguments))
    );
    Diagnostic::error(format!("The name of the {} cannot be shown", R::NOUN), detail)
}

/// What was found for a change is not what the state describes.
pub(super) fn stranger<R: Managed>(arguments: &R::Desired, stranger: &Stranger) -> Diagnostic {
    let object = capitalised(&R::object(arguments));
    let again = "Nothing was changed. Plan again, with a refresh.";
    let (summary, detail) = match stranger {
        Stranger::Elsewhere(moved) => {
            (another_place(*moved).to_owned(), format!("{object} was last read {}. {again}", somewhere_else(*moved)))
        }
        Stranger::Renamed { now } => {
            (format!("The {} was renamed since it was read", R::NOUN), format!("{object} has the name {now:?} now. {again}"))
        }
        Stranger::Another { oid, before } => (
            format!("The {} is another one than last time", R::NOUN),
            format!("{object} had oid {before} when it was last read, and has oid {oid} now. {again}"),
        ),
    };
    Diagnostic::error(summary, detail)
}

/// The same at the plan of a destroy, which may still follow a refresh.
pub(super) fn cannot_be_destroyed<R: Managed>(arguments: &R::Desired, found: &Stranger) -> Diagnostic {
    match found {
        Stranger::Another { oid, before } => already_gone::<R>(arguments, *oid, *before),
        found => unmet(stranger::<R>(arguments, found), false),
    }
}

/// An object to destroy whose name another one has taken.
pub(super) fn already_gone<R: Managed>(arguments: &R::Desired, oid: u32, before: u32) -> Diagnostic {
    let detail = format!(
        "{} with oid {before}, which the state describes, no longer exists. Another one has its name now (oid {oid}). That one \
         was not made by this resource and is kept.",
        capitalised(&R::object(arguments)),
    );
    Diagnostic::warning(format!("The {} was already gone", R::NOUN), detail)
}

/// An import of something that does not exist.
pub(super) fn nothing_to_import<R: Managed>(arguments: &R::Desired) -> Diagnostic {
    let detail = format!(
        "There is no {}. Check the names in the import's id or identity, which are compared exactly, with upper and lower case, and \
         which server the provider reaches.",
        R::object_and_place(arguments)
    );
    Diagnostic::error(format!("{} to import not found", capitalised(R::NOUN)), detail)
}

/// The object was deleted between plan and apply.
pub(super) fn gone<R: Managed>(arguments: &R::Desired) -> Diagnostic {
    let detail = format!(
        "{} no longer exists. Nothing was changed. Plan again; the new plan will create it again.",
        capitalised(&R::object(arguments))
    );
    Diagnostic::error(format!("{} not found", capitalised(R::NOUN)), detail)
}

/// The object does not exist although all operations ran.
pub(super) fn not_there<R: Managed>(arguments: &R::Desired) -> Diagnostic {
    let detail = format!(
        "{} does not exist after the operations ran. Nothing was changed. Plan again.",
        capitalised(&R::object(arguments))
    );
    Diagnostic::error(format!("{} not found", capitalised(R::NOUN)), detail)
}

/// An object of that name already exists. `opening` says so; `closing` gives further remedies.
pub(crate) fn already_exists<R: Managed>(opening: &str, id: &str, closing: &str) -> Diagnostic {
    let closing = if closing.is_empty() { String::new() } else { format!("\n\n{closing}") };
    let detail = format!(
        "{opening}\n\n{moved}\n\nIf no configuration manages it yet, import it:\n\nimport {{\n  to = {kind}.new_name\n  id = \
         {id}\n}}\n\nIf this run replaces it, it must be destroyed first, because a name can exist only once: remove \
         create_before_destroy from `lifecycle`.{closing}",
        moved = moved::<R>(),
        kind = R::TYPE_NAME,
        id = hcl_string(id)
    );
    Diagnostic::error(format!("{} already exists", capitalised(R::NOUN)), detail)
}

/// What to do if only an address was renamed: an import together with the destroy of the old address would lose the object.
pub(crate) fn moved<R: Managed>() -> String {
    let kind = R::TYPE_NAME;
    format!(
        "If this run also destroys it under an old address, the address was renamed. Add this block, with your own \
         names:\n\nmoved {{\n  from = {kind}.old_name\n  to   = {kind}.new_name\n}}"
    )
}

/// A step took longer than its limit.
pub(super) fn timed_out(what: &str, limit: Duration, awaited: &str) -> Diagnostic {
    let detail = format!(
        "Gave up {what} after {}, while waiting for {awaited}. Find out why there is no answer, or raise the limit in timeouts.",
        humantime::format_duration(limit)
    );
    Diagnostic::error("Timed out", detail).at(AttributePath::of("timeouts"))
}

/// An argument has no known value at apply.
pub(super) fn undecided() -> Diagnostic {
    let detail = "An argument of this resource has no known value at apply, or the provider could not read enough of what \
                  exists. Plan again.";
    Diagnostic::error("Unknown configuration", detail)
}

/// A state that lacks an argument which every state has.
pub(super) fn undecided_state() -> Diagnostic {
    unreadable("It lacks an argument that every state of this resource has.")
}

/// A state and the private data beside it that are not of the same object.
pub(super) fn contradiction(state: u32, stored: u32) -> Diagnostic {
    unreadable(&format!("Its oid is {state}, but the private data stored with it is about an object with oid {stored}."))
}

/// A state with values that this provider never writes. Terraform would point at a line of the configuration, which is not the
/// cause.
pub(super) fn unreadable_state(faults: Diagnostics) -> Diagnostics {
    faults.into_iter().map(|fault| unreadable(&fault.detail)).collect()
}

fn unreadable(reason: &str) -> Diagnostic {
    let detail = format!(
        "{reason}\n\nThe error is in the state, not in the configuration. Restore the state from a backup, or remove the object \
         from it (terraform state rm) and import it again."
    );
    Diagnostic::error("The stored state cannot be read", detail)
}

/// A notice from the database server that matters, for example that `wal_level` is not logical yet.
pub(crate) fn notice(notice: Notice) -> Option<Diagnostic> {
    let code = notice.sqlstate.as_str();
    if code.starts_with(SUCCESS) || code == PRIVILEGE_NOT_GRANTED {
        return None;
    }
    let rest = [notice.detail, notice.hint].into_iter().flatten();
    let detail = rest.fold(format!("{}.", notice.message), |text, more| format!("{text} {more}"));
    Some(Diagnostic::warning("Notice from the database server", printable_line(&detail)))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
