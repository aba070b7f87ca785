//! What practitioners are told about a source: each with the reason and the remedy. Pure.

use std::time::Duration;

use super::desired::RebootPolicy;
use super::operation::Operation;
use super::schema::Source;
use crate::catalogue::slot::Slot;
use crate::cluster::{ENGINE, Group, OLDEST_MAJOR, OWNER_TAG, Observed, RebootError, Unfit};
use crate::failure::Failure;
use crate::resource::change::{lines, moved};
use crate::terraform::{AttributePath, Diagnostic, Diagnostics, Severity};

/// There is no cluster at plan.
pub(super) fn absent(id: &str) -> Diagnostic {
    let detail = format!(
        "There is no cluster {id} in this region and account now. If this apply creates it, all is well; otherwise the apply fails before \
         it changes anything."
    );
    Diagnostic::warning("Cluster not found", detail).at(AttributePath::of("cluster_identifier"))
}

/// There is no cluster at apply.
pub(super) fn not_found(id: &str) -> Diagnostic {
    let detail = format!("There is no cluster {id} in this region and account. Nothing was changed.");
    Diagnostic::error("Cluster not found", detail).at(AttributePath::of("cluster_identifier"))
}

/// Why the cluster cannot be a source.
pub(super) fn unfit(id: &str, reason: &Unfit) -> Diagnostic {
    let (summary, detail) = match reason {
        Unfit::Engine { engine } => (
            "Not an Aurora PostgreSQL cluster",
            format!(
                "Cluster {id} runs the engine {engine}. This resource manages clusters of the engine {ENGINE} only; for other databases \
                 use the ClickPipe for that database."
            ),
        ),
        Unfit::ServerlessV1 => (
            "Aurora Serverless v1 has no logical replication",
            format!(
                "Cluster {id} is Aurora Serverless v1, which does not support logical replication. Move it to Serverless v2 or to \
                 provisioned instances."
            ),
        ),
        Unfit::Limitless => (
            "Aurora Limitless is not supported",
            format!(
                "Cluster {id} is an Aurora Limitless database, which ClickPipes cannot read from. Use a standard Aurora PostgreSQL cluster."
            ),
        ),
        Unfit::TooOld { version } => (
            "Engine version too old",
            format!(
                "Cluster {id} runs Aurora PostgreSQL {version}. ClickPipes needs {OLDEST_MAJOR} or later: upgrade the cluster first."
            ),
        ),
        Unfit::Replica { source_arn } => (
            "A replica cluster cannot be a source",
            format!(
                "Cluster {id} replicates {source_arn} and is read-only: a replication slot needs a writer. Use the cluster that it \
                 replicates, or promote it first."
            ),
        ),
        Unfit::Secondary { global_cluster, primary_arn } => {
            let primary = match primary_arn {
                Some(arn) => {
                    format!("the primary cluster {arn} in region {}", arn.split(':').nth(3).unwrap_or("unknown"))
                }
                None => "the primary cluster, which RDS does not name at the moment".to_owned(),
            };
            let detail = format!(
                "Cluster {id} is a secondary of the global database {global_cluster} and is read-only: a replication slot needs the \
                 writer. Use {primary}."
            );
            ("A secondary cluster of a global database cannot be a source", detail)
        }
    };
    Diagnostic::error(summary, detail).at(AttributePath::of("cluster_identifier"))
}

pub(super) fn not_modifiable(found: &Observed, parameter: &str) -> Diagnostic {
    let detail = format!(
        "{parameter} is not a modifiable DB cluster parameter of the family {}. Check its name, or leave it out.",
        found.family
    );
    Diagnostic::error(format!("Not a modifiable cluster parameter ({parameter})"), detail)
        .at(AttributePath::of("parameters").key(parameter))
}

pub(super) fn not_allowed(found: &Observed, parameter: &str, value: &str, allowed: &str) -> Diagnostic {
    let detail = format!("Parameter {parameter} of the family {} allows {allowed}; {value:?} is none of these.", found.family);
    Diagnostic::error(format!("Value not allowed ({parameter})"), detail).at(AttributePath::of("parameters").key(parameter))
}

pub(super) fn pending_values(found: &Observed) -> Diagnostic {
    let pending = found.cluster.pending_modified_values.iter().map(|value| format!("{} = {}", value.name, value.value));
    let detail = format!(
        "Attaching a parameter group to cluster {} has to be applied immediately, and that would also apply what waits for the \
         maintenance window: {}. Apply or revert these changes first.",
        found.id(),
        pending.collect::<Vec<_>>().join(", ")
    );
    Diagnostic::error("Other changes of the cluster are pending", detail).at(AttributePath::of("cluster_identifier"))
}

const ANOTHER_GROUP: &str = "Set `parameter_group.name` to another name, or delete that group if nobody needs it.";

pub(super) fn name_is_taken(found: &Observed, group: &Group) -> Diagnostic {
    let owner = match group.tags.get(OWNER_TAG) {
        Some(cluster) => format!("it was made for cluster {cluster}"),
        None => format!("it has no tag {OWNER_TAG}"),
    };
    let detail =
        format!("Parameter group {} exists and was not made for cluster {}: {owner}. {ANOTHER_GROUP}", group.name, found.id());
    Diagnostic::error("Parameter group name is taken", detail).at(AttributePath::of("parameter_group").attribute("name"))
}

pub(super) fn another_family(found: &Observed, group: &Group) -> Diagnostic {
    let detail = format!(
        "Parameter group {} is of the family {}, and cluster {} needs {}. {ANOTHER_GROUP}",
        group.name,
        group.family,
        found.id(),
        found.family
    );
    Diagnostic::error("Parameter group of another family", detail).at(AttributePath::of("parameter_group").attribute("name"))
}

pub(super) fn group_gone(name: &str) -> Diagnostic {
    Diagnostic::error("Parameter group not found", format!("Parameter group {name} was there a moment ago."))
}

/// A cluster that can no longer be a source. What was set up stays, and can be destroyed.
pub(super) fn unfit_by_now(id: &str, reason: &Unfit) -> Diagnostic {
    let fault = unfit(id, reason);
    let detail = format!("{} Nothing is changed in it any more. It can still be destroyed.", fault.detail);
    Diagnostic { severity: Severity::Warning, detail, ..fault }
}

/// A create of what is there already.
pub(super) fn set_up_already(found: &Observed) -> Diagnostic {
    let detail = format!(
        "Parameter group {} was made for cluster {} and is attached to it, so this create takes it over and does only what is missing.\n\n{}",
        found.attached.name,
        found.id(),
        moved::<Source>()
    );
    Diagnostic::warning("The source is set up already", detail)
}

/// The reboots of a change.
pub(super) fn outage(found: &Observed, operations: &[Operation], by_this_change: bool, destroys: bool) -> Diagnostic {
    let reboots_writer = operations.iter().any(|operation| matches!(operation, Operation::RebootWriter { .. }));
    let reboots_others = operations.iter().any(|operation| matches!(operation, Operation::RebootOthers { .. }));
    let id = found.id();
    let writer = found.cluster.writer().map_or("none", |writer| &writer.identifier);
    let together =
        if found.readers_restart_with_writer() { " Its readers restart together with it on this engine version." } else { "" };
    let who = match (reboots_writer, reboots_others) {
        (true, true) => format!(
            "The writer of cluster {id} (now {writer}) is rebooted, then each reader that still waits, one at a time.{together}"
        ),
        (true, false) => format!("The writer of cluster {id} (now {writer}) is rebooted, and no reader.{together}"),
        (false, _) => {
            let readers = found.waiting().filter(|member| !member.writer).map(|member| member.identifier.as_str());
            format!(
                "Each reader of cluster {id} that waits for a reboot is rebooted, one at a time (now {}). The writer (now {writer}) is not.",
                readers.collect::<Vec<_>>().join(", ")
            )
        }
    };
    let cause =
        if by_this_change { "" } else { " The reboot also puts into effect whatever else waits for one, whoever changed it." };
    let detail =
        format!("{who} While a member restarts it accepts no connections, and every open connection to it breaks.{cause}");
    let title = if destroys { "This destroy reboots the database" } else { "This change reboots the database" };
    Diagnostic::warning(title, detail)
}

pub(super) fn reboot_needed(found: &Observed, policy: RebootPolicy) -> Diagnostic {
    let detail = format!(
        "The members of cluster {} go on with their present values until they are rebooted, and `reboot` is {}. Reboot the writer in a \
         maintenance window, or set `reboot` to \"writer\" or \"all\".",
        found.id(),
        word(policy)
    );
    Diagnostic::warning("A reboot is needed", detail)
}

pub(super) fn members_wait(found: &Observed, policy: RebootPolicy, members: &[&str]) -> Diagnostic {
    let detail = format!(
        "These members of cluster {} run without the values of the parameter group until they are rebooted, and `reboot` is {}: {}. \
         A failover to one of them can leave the cluster without logical replication.",
        found.id(),
        word(policy),
        members.join(", ")
    );
    Diagnostic::warning("Members wait for a reboot", detail)
}

fn word(policy: RebootPolicy) -> &'static str {
    match policy {
        RebootPolicy::Never => "\"never\"",
        RebootPolicy::Writer => "\"writer\"",
        RebootPolicy::All => "\"all\"",
    }
}

/// A reboot that did not lead where it should.
pub(super) fn reboot(error: RebootError) -> Failure {
    match error {
        RebootError::Aws(error) => error.into(),
        RebootError::NoWriter { cluster } => {
            let detail = format!("Cluster {cluster} has no writer to reboot: a failover may be under way.");
            Diagnostic::error("The cluster has no writer", detail).into()
        }
        RebootError::WriterWaits { cluster, writer, status } => {
            let detail = format!(
                "The writer of cluster {cluster} is {writer} now, which does not run with the new values ({status}), and its reboot was \
                 not planned. Plan and apply again."
            );
            Diagnostic::error("The writer moved to a member that waits for a reboot", detail).into()
        }
    }
}

pub(super) fn nothing_undone(found: &Observed) -> Diagnostic {
    let detail =
        format!("No parameter group was made for cluster {}, so nothing is undone: its parameters stay as they are.", found.id());
    Diagnostic::warning("Destroying changes nothing", detail)
}

pub(super) fn previous_gone(found: &Observed, recorded: &str, instead: &str) -> Diagnostic {
    let detail = format!(
        "Parameter group {recorded} was attached to cluster {} before; it is gone, or of another family. {instead} is attached instead.",
        found.id()
    );
    Diagnostic::warning("The previous parameter group cannot be attached again", detail)
}

const SLOTS_REMEDY: &str = "Remove the ClickPipe and drop the slots first (SELECT pg_drop_replication_slot(...)), or set `force_destroy` = \
                            true and apply that before.";

pub(super) fn slots_exist(found: &Observed, slots: &[Slot]) -> Diagnostic {
    let slots = slots.iter().map(|slot| format!("{}{}", slot.name, if slot.active { " (active)" } else { "" }));
    let detail = format!(
        "This turns logical replication off in cluster {}, and with logical replication slots left the database would not start again: \
         {}. {SLOTS_REMEDY}",
        found.id(),
        slots.collect::<Vec<_>>().join(", ")
    );
    Diagnostic::error("Logical replication slots exist", detail)
}

pub(super) fn no_server(found: &Observed) -> Diagnostic {
    cannot_tell(found, "the provider's `postgres` names no server to ask")
}

pub(super) fn other_server(found: &Observed, address: &str) -> Diagnostic {
    cannot_tell(found, &format!("the server {address} of the provider's `postgres` is not known to be this cluster's writer"))
}

fn cannot_tell(found: &Observed, why: &str) -> Diagnostic {
    let detail = format!(
        "This turns logical replication off in cluster {}. While a logical replication slot exists the database would not start again, \
         and {why}. {SLOTS_REMEDY}",
        found.id()
    );
    Diagnostic::error("Cannot tell whether logical replication slots exist", detail)
}

/// A create that stopped. A state of it would be tainted, and the next apply would tear everything down with two more outages.
pub(super) fn half_made(id: &str, done: &[Operation], under_way: Option<&Operation>) -> Diagnostics {
    if done.is_empty() {
        return under_way.map(unanswered).into_iter().collect();
    }
    let under_way = under_way.map_or_else(String::new, |operation| {
        format!("\nThis call was under way, and AWS may have carried it out or still do so:\n  {operation}")
    });
    let detail = format!(
        "This was done for cluster {id} and stays:\n  {}{under_way}\nIt is not in the state. The next apply finds it by the tags of the \
         parameter group and does only what is missing.",
        lines(done).join("\n  ")
    );
    Diagnostic::warning("The source was set up half-way", detail).into()
}

/// A call that was given up, or whose answer was lost.
pub(super) fn unanswered(operation: &Operation) -> Diagnostic {
    let detail = format!(
        "AWS may have carried this out, or still do so:\n  {operation}\nNothing is lost by it: the next plan looks at what exists, and lists \
         only what is missing."
    );
    Diagnostic::warning("A call was under way", detail)
}

/// The state after a run could not be read.
pub(super) fn unread(id: &str, done: &[Operation], reason: Diagnostics) -> Diagnostic {
    let mut detail = format!("The state keeps what was known of cluster {id} before; the next plan reads it anew.");
    if !done.is_empty() {
        detail.push_str(&format!(" This was done:\n  {}", lines(done).join("\n  ")));
    }
    for fault in reason {
        detail.push_str(&format!("\n\n{}: {}", fault.summary, fault.detail));
    }
    Diagnostic::warning("What exists could not be read", detail)
}

/// The last look at what a run left came to no end.
pub(super) fn last_look_timed_out(id: &str, limit: Duration) -> Diagnostic {
    let limit = humantime::format_duration(limit);
    Diagnostic::error("Timed out", format!("AWS did not describe cluster {id} within {limit}."))
}
