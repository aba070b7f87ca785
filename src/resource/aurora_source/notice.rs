//! What a practitioner should know about a change: the outage, who is the writer, what waits for a reboot, what a run left that stopped
//! half-way. Pure.

use super::model::RebootPolicy;
use super::observe::Observed;
use super::request::{Operation, lines};
use crate::rds::ParameterGroupStatus;
use crate::terraform::{Diagnostic, Diagnostics};

/// Warnings about a change.
pub(super) fn of_change(observed: &Observed, policy: RebootPolicy, operations: &[Operation]) -> Diagnostics {
    let mut warnings = Diagnostics::new();
    let waits = operations.iter().any(Operation::needs_reboot);
    if operations.iter().any(Operation::is_reboot) {
        warnings.push(outage(observed, policy, waits));
    } else if waits && !observed.cluster.members.is_empty() {
        warnings.push(Diagnostic::warning(
            "A reboot is needed",
            format!(
                "The members of cluster {} go on with their present values until they are rebooted, and `reboot` is {}. Reboot the writer in \
                 a maintenance window, or set `reboot` to \"writer\" or \"all\".",
                observed.cluster.identifier,
                word(policy)
            ),
        ));
    }
    warnings
}

/// What waits and will go on waiting, whatever the cause.
pub(super) fn of_waiting(observed: &Observed, policy: RebootPolicy) -> Option<Diagnostic> {
    let left: Vec<&str> = observed
        .cluster
        .members
        .iter()
        .filter(|member| member.parameter_group_status == ParameterGroupStatus::PendingReboot)
        .filter(|member| match policy {
            RebootPolicy::Never => true,
            RebootPolicy::Writer => !member.writer,
            RebootPolicy::All => false,
        })
        .map(|member| member.identifier.as_str())
        .collect();
    (!left.is_empty()).then(|| {
        Diagnostic::warning(
            "Members wait for a reboot",
            format!(
                "These members of cluster {} run without the values of the parameter group until they are rebooted, and `reboot` is {}: {}. \
                 A failover to one of them can leave the cluster without logical replication.",
                observed.cluster.identifier,
                word(policy),
                left.join(", ")
            ),
        )
    })
}

/// What a create left behind that stopped half-way.
pub(super) fn of_half_made(identifier: &str, done: &[Operation]) -> Diagnostic {
    Diagnostic::warning(
        "The source was set up half-way",
        format!(
            "This was done for cluster {identifier} and stays:\n  {}\nIt is not in the state. The next apply finds it by the tags of the \
             parameter group and does only what is missing.",
            lines(done).join("\n  ")
        ),
    )
}

/// A call that was given up, or whose answer was lost.
pub(super) fn of_unanswered(operation: &Operation) -> Diagnostic {
    Diagnostic::warning(
        "A call was under way",
        format!(
            "AWS may have carried this out, or still do so:\n  {operation}\nNothing is lost by it: the next plan looks at what exists, and \
             lists only what is missing."
        ),
    )
}

/// The state after a run could not be read.
pub(super) fn of_unread(identifier: &str, done: &[Operation], reason: Option<&Diagnostics>) -> Diagnostic {
    let mut detail = format!("The state keeps what was known of cluster {identifier} before; the next plan reads it anew.");
    if !done.is_empty() {
        detail.push_str(&format!(" This was done:\n  {}", lines(done).join("\n  ")));
    }
    for fault in reason.into_iter().flatten() {
        detail.push_str(&format!("\n\n{}: {}", fault.summary, fault.detail));
    }
    Diagnostic::warning("What exists could not be read", detail)
}

fn outage(observed: &Observed, policy: RebootPolicy, by_this_change: bool) -> Diagnostic {
    let cluster = &observed.cluster;
    let writer = cluster.writer().map_or_else(|| "no member".to_owned(), |writer| writer.identifier.clone());
    let scope = match policy {
        RebootPolicy::All => "then each reader that still waits, one at a time",
        RebootPolicy::Writer | RebootPolicy::Never => "no reader",
    };
    let cause = if by_this_change {
        String::new()
    } else {
        " The reboot also puts into effect whatever else waits for one, whoever changed it.".to_owned()
    };
    Diagnostic::warning(
        "This change reboots the database",
        format!(
            "The writer of cluster {} (now {writer}) will be rebooted, {scope}. While a member restarts it takes no connections, and every \
             open connection to it breaks; on older engine versions the readers restart together with the writer.{cause}",
            cluster.identifier
        ),
    )
}

fn word(policy: RebootPolicy) -> &'static str {
    match policy {
        RebootPolicy::Never => "\"never\"",
        RebootPolicy::Writer => "\"writer\"",
        RebootPolicy::All => "\"all\"",
    }
}
