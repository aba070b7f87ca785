//! What practitioners are told about a source: each with the reason and the remedy. Pure.

mod modes;
mod next_family;

use std::time::Duration;

pub(super) use modes::{
    attached_elsewhere, change_of_mode, default_in_place, gives_up, lets_go, missing_values, nothing_undone, others_unknown,
    tags_name_others, too_long_to_remember,
};
pub(super) use next_family::{LeftBehind, left_behind, next_name_is_taken, not_a_later_family, unknown_family};

use super::desired::RebootPolicy;
use super::operation::Operation;
use super::schema::Source;
use crate::aws::{Error, Place};
use crate::catalogue::logical_decoding::LogicalDecoding;
use crate::catalogue::slot::Slot;
use crate::cluster::{
    DESCRIPTION, DecodingFault, Dispute, ENGINE, Group, OLDEST_MAJOR, OWNER_TAG, Observed, PREVIOUS_TAG, RebootError, Unfit,
};
use crate::failure::{Failure, Outage};
use crate::rds::Instance;
use crate::rds::cluster::Member;
use crate::resource::change::{lines, moved};
use crate::terraform::{AttributePath, Diagnostic, Diagnostics, Severity};

/// There is no cluster at plan.
pub(super) fn absent(id: &str) -> Diagnostic {
    let detail = format!(
        "There is no cluster {id} in this region and account yet. If this apply creates the cluster, no action is needed. \
         Otherwise the apply fails before it changes anything."
    );
    Diagnostic::warning("Cluster not found", detail).at(AttributePath::of("cluster_identifier"))
}

/// There is no cluster at apply.
pub(super) fn not_found(id: &str) -> Diagnostic {
    let detail = format!(
        "There is no cluster {id} in this region and account. Nothing was changed. Create it first, or correct \
         `cluster_identifier`."
    );
    Diagnostic::error("Cluster not found", detail).at(AttributePath::of("cluster_identifier"))
}

/// Why the cluster cannot be a source.
pub(super) fn unfit(id: &str, reason: &Unfit) -> Diagnostic {
    let (summary, detail) = match reason {
        Unfit::Engine { engine } => (
            "Not an Aurora PostgreSQL cluster",
            format!(
                "Cluster {id} runs the engine {engine}. This resource only manages clusters with the engine {ENGINE}. For \
                 another database, use the ClickPipe for that database."
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
        Unfit::Babelfish { version } => (
            "Babelfish without logical replication",
            format!(
                "Cluster {id} has Babelfish, and Aurora PostgreSQL {version} has no logical replication beside it. Upgrade the cluster to 15.7, 16.3 or a later version first."
            ),
        ),
        Unfit::TooOld { version } => (
            "Engine version too old",
            format!(
                "Cluster {id} runs Aurora PostgreSQL {version}. ClickPipes needs version {OLDEST_MAJOR} or later. Upgrade the \
                 cluster first."
            ),
        ),
        Unfit::Replica { source_arn } => (
            "A replica cluster cannot be a source",
            format!(
                "Cluster {id} is a read-only replica of {source_arn}, and a replication slot needs a writer. Use the source \
                 cluster, or promote this one first."
            ),
        ),
        Unfit::Secondary { global_cluster, primary_arn } => {
            let primary = match primary_arn {
                Some(arn) => {
                    format!("the primary cluster {arn} in region {}", arn.split(':').nth(3).unwrap_or("unknown"))
                }
                None => "the primary cluster, which RDS does not report at the moment".to_owned(),
            };
            let detail = format!(
                "Cluster {id} is a read-only secondary cluster of the global database {global_cluster}, and a replication slot \
                 needs a writer. Use {primary}."
            );
            ("A secondary cluster of a global database cannot be a source", detail)
        }
    };
    Diagnostic::error(summary, detail).at(AttributePath::of("cluster_identifier"))
}

/// The identifier is that of an instance.
pub(super) fn is_an_instance(id: &str, instance: &Instance) -> Diagnostic {
    let detail = match &instance.cluster {
        Some(cluster) => format!(
            "{id} is an instance of the cluster {cluster}, and a source is a whole cluster. Set `cluster_identifier` to \"{cluster}\"."
        ),
        None => format!(
            "{id} is an RDS instance with the engine {} outside any Aurora cluster. This resource only manages Aurora clusters. Set the parameters in the instance's own parameter group.",
            instance.engine
        ),
    };
    Diagnostic::error("An instance is not a cluster", detail).at(AttributePath::of("cluster_identifier"))
}

/// The engine version has a known fault.
pub(super) fn decoding_fault(found: &Observed, fault: &DecodingFault) -> Diagnostic {
    let detail = format!(
        "Cluster {} runs Aurora PostgreSQL {}. Logical decoding can fail in this version (\"{}\"), and the pipe then stops. Upgrade the cluster to {} or a later version.",
        found.id(),
        found.cluster.engine_version,
        fault.error,
        fault.fixed
    );
    Diagnostic::warning("Known fault of logical decoding in this version", detail).at(AttributePath::of("cluster_identifier"))
}

pub(super) fn not_modifiable(family: &str, parameter: &str) -> Diagnostic {
    let detail =
        format!("{parameter} is not a modifiable DB cluster parameter in the family {family}. Check the name, or remove it.");
    Diagnostic::error(format!("Not a modifiable cluster parameter ({parameter})"), detail)
        .at(AttributePath::of("parameters").key(parameter))
}

pub(super) fn not_allowed(family: &str, parameter: &str, value: &str, allowed: &str) -> Diagnostic {
    let detail = format!(
        "Parameter {parameter} in the family {family} allows {allowed}, but the value is {value:?}. Use an allowed value."
    );
    Diagnostic::error(format!("Value not allowed ({parameter})"), detail).at(AttributePath::of("parameters").key(parameter))
}

/// Changes that others left pending, as `name = value`.
pub(super) fn pending_values(id: &str, pending: &[String]) -> Diagnostic {
    let detail = format!(
        "The change of cluster {id} must be applied immediately. That would also apply the changes that wait for the \
         maintenance window: {}. Apply or revert these changes first.",
        pending.join(", ")
    );
    Diagnostic::error("Other changes to the cluster are pending", detail).at(AttributePath::of("cluster_identifier"))
}

/// A cluster that was deleted, and of which parameter groups are left.
pub(super) fn groups_left(id: &str, operations: &[Operation]) -> Diagnostic {
    let detail = format!(
        "Cluster {id} was deleted. What was done for it is undone before the source is created again, or with the destroy:\n  {}",
        lines(operations).join("\n  ")
    );
    Diagnostic::warning("Parameter groups of a deleted cluster are left", detail).at(AttributePath::of("cluster_identifier"))
}

/// The cluster was looked for in another region or account than that of the state.
pub(super) fn looked_elsewhere(id: &str, arn: &str, place: &Place) -> Diagnostic {
    let detail = format!(
        "The state says that cluster {id} is {arn}, but the provider looked in {place}, where there is no such cluster. So the provider \
         cannot tell whether it still exists. Correct the region or the account of the provider's `aws`. If the source is no longer \
         needed, remove it from the state (terraform state rm)."
    );
    Diagnostic::error("Cluster looked for in the wrong place", detail).at(AttributePath::of("cluster_identifier"))
}

/// The cluster has another identifier now.
pub(super) fn renamed(id: &str, resource_id: &str, now: &str) -> Diagnostic {
    let detail = format!(
        "The state says that the cluster with the resource id {resource_id} has the identifier {id}, but it was renamed to {now}. Nothing \
         was changed. Rename it back. Or set `cluster_identifier` to {now} and the tag {OWNER_TAG} of its parameter group to {now}, \
         remove the source from the state (terraform state rm) and import it with the id {now}."
    );
    Diagnostic::error("The cluster was renamed", detail).at(AttributePath::of("cluster_identifier"))
}

/// The cluster is in another region or account than the one in the state.
pub(super) fn another_arn(id: &str, expected: &str, found: &str) -> Diagnostic {
    let detail = format!(
        "The state says that cluster {id} is {expected}, but AWS answers with {found}. Nothing was changed. Correct the region or the \
         account of the provider's `aws`. If the state is wrong, remove the source from it (terraform state rm) and import it again."
    );
    Diagnostic::error("Another cluster has this identifier", detail).at(AttributePath::of("cluster_identifier"))
}

/// Under the identifier there is another cluster than the one that the change was decided for.
pub(super) fn another_cluster(id: &str, expected: &str, found: &str) -> Diagnostic {
    let detail = format!(
        "The cluster with the identifier {id} has the resource id {found}, but the state or the plan is about {expected}: the \
         cluster was deleted or renamed, and another one has its identifier now. Nothing was changed in it. Plan again."
    );
    Diagnostic::error("Another cluster has this identifier", detail).at(AttributePath::of("cluster_identifier"))
}

const ANOTHER_GROUP: &str = "Set `parameter_group.name` to another name, or delete that group if it is unused.";

pub(super) fn name_is_taken(found: &Observed, group: &Group) -> Diagnostic {
    let owner = match group.tags.get(OWNER_TAG) {
        Some(cluster) => format!("its tag {OWNER_TAG} is {cluster:?}"),
        None => format!("it has no tag {OWNER_TAG}"),
    };
    let restore = match group.tags.contains_key(OWNER_TAG) || group.description != DESCRIPTION {
        true => String::new(),
        false => format!(
            " If it was created for this cluster and lost its tags, set {OWNER_TAG} to {} and {PREVIOUS_TAG} to the group that was \
             attached before.",
            found.id()
        ),
    };
    let remedy = match group.name == found.attached.name {
        true => {
            "It is attached to the cluster, but this resource only changes a group that it has created. Set \
                 `parameter_group.name` to another name."
        }
        false => ANOTHER_GROUP,
    };
    let detail = format!(
        "Parameter group {} already exists and was not created for cluster {}: {owner}. {remedy}{restore}",
        group.name,
        found.id()
    );
    Diagnostic::error("Parameter group name is taken", detail).at(AttributePath::of("parameter_group").attribute("name"))
}

/// Tags and state contradict each other.
pub(super) fn disputed(id: &str, dispute: &Dispute) -> Diagnostic {
    let Dispute { group, tags, against } = dispute;
    let detail = format!(
        "The tags {OWNER_TAG} and {PREVIOUS_TAG} of parameter group {group} say: {tags}. But {against}. Nothing is changed in cluster \
         {id} while these contradict each other. Correct the tags, or remove them if the group was not created for this source. If \
         the tags are right, remove the source from the state (terraform state rm) and import it again."
    );
    Diagnostic::error("Tags and state contradict each other", detail).at(AttributePath::of("cluster_identifier"))
}

pub(super) fn another_family(found: &Observed, group: &Group) -> Diagnostic {
    let detail = format!(
        "Parameter group {} has the family {}, but cluster {} needs {}. {ANOTHER_GROUP}",
        group.name,
        group.family,
        found.id(),
        found.family
    );
    Diagnostic::error("Parameter group has another family", detail).at(AttributePath::of("parameter_group").attribute("name"))
}

pub(super) fn group_gone(name: &str) -> Diagnostic {
    Diagnostic::error(
        "Parameter group not found",
        format!("Parameter group {name} existed a moment ago and was deleted since. Plan again."),
    )
}

/// A cluster that can no longer be a source. What was set up is kept and can be destroyed.
pub(super) fn unfit_by_now(id: &str, reason: &Unfit) -> Diagnostic {
    let fault = unfit(id, reason);
    let detail = format!("{} The provider no longer changes the cluster. You can still destroy this resource.", fault.detail);
    Diagnostic { severity: Severity::Warning, detail, ..fault }
}

/// A create of a source that already exists.
pub(super) fn set_up_already(found: &Observed) -> Diagnostic {
    let detail = format!(
        "Parameter group {} was created for cluster {} and is attached to it, so this create takes it over and only does what is \
         missing.\n\n{}",
        found.attached.name,
        found.id(),
        moved::<Source>()
    );
    Diagnostic::warning("The source is already set up", detail)
}

/// The reboots of a change.
pub(super) fn outage(found: &Observed, operations: &[Operation], by_this_change: bool, destroys: bool) -> Diagnostic {
    let reboots_writer = operations.iter().any(Operation::reboots_writer);
    let is_conditional = operations.iter().any(|operation| matches!(operation, Operation::RebootWriterIfWaiting { .. }));
    let condition = if is_conditional { ", if it waits for that when the apply gets there" } else { "" };
    let reboots_others = operations.iter().any(|operation| matches!(operation, Operation::RebootOthers { .. }));
    let id = found.id();
    let writer = found.cluster.writer().map_or("none", |writer| &writer.identifier);
    let together = found.readers_restart_with_writer();
    let who = match (reboots_writer, reboots_others) {
        (true, _) if together => format!(
            "The writer of cluster {id} (now {writer}) is rebooted{condition}, and on this engine version its readers restart with it."
        ),
        (true, true) => format!(
            "The writer of cluster {id} (now {writer}) is rebooted{condition}, then each reader that still waits for a reboot, one at a time."
        ),
        (true, false) => {
            format!("The writer of cluster {id} (now {writer}) is rebooted{condition}. Readers are not rebooted.")
        }
        (false, _) => {
            let readers = found.waiting().filter(|member| !member.writer).map(|member| member.identifier.as_str());
            format!(
                "Each reader of cluster {id} that waits for a reboot is rebooted, one at a time (now {}). The writer (now \
                 {writer}) is not rebooted.",
                readers.collect::<Vec<_>>().join(", ")
            )
        }
    };
    let cause = if by_this_change {
        ""
    } else {
        " The reboot also puts all other pending parameter changes into effect, including those made outside Terraform."
    };
    let elsewhere = match found.secondaries().filter(|_| reboots_writer) {
        Some((global, true)) => {
            format!(" The readers in the secondary regions of the global database {global} restart with it.")
        }
        Some((global, false)) => {
            format!(" The readers in the secondary regions of the global database {global} keep running.")
        }
        None => String::new(),
    };
    let detail = format!(
        "{who}{elsewhere} While a member restarts, it accepts no connections, and all open connections to it break.{cause}"
    );
    let title = if destroys { "This destroy reboots the database" } else { "This change reboots the database" };
    Diagnostic::warning(title, detail)
}

/// Members wait for a reboot that this change does not make.
pub(super) fn reboot_needed(found: &Observed, policy: RebootPolicy, destroys: bool) -> Diagnostic {
    let (who, policy) = match found.is_read_only() {
        true => ("its members", ""),
        false => ("the writer", if policy == RebootPolicy::Never { ", and `reboot` is \"never\"" } else { "" }),
    };
    let or = if destroys || found.is_read_only() { "" } else { ", or set `reboot` to \"writer\" or \"all\"" };
    let detail = format!(
        "The members of cluster {} keep their current values until they are rebooted{policy}. Reboot {who} in a maintenance \
         window{or}.",
        found.id()
    );
    Diagnostic::warning("A reboot is needed", detail)
}

pub(super) fn members_wait(found: &Observed, policy: RebootPolicy, members: &[&Member]) -> Diagnostic {
    let readers: Vec<&str> = members.iter().filter(|member| !member.writer).map(|member| member.identifier.as_str()).collect();
    let failover = match readers.is_empty() {
        true => String::new(),
        false => format!(" After a failover to {}, the cluster can be without logical replication.", readers.join(" or ")),
    };
    let members = members.iter().map(|member| match member.writer {
        true => format!("{} (the writer)", member.identifier),
        false => member.identifier.clone(),
    });
    let detail = format!(
        "These members of cluster {} run without the values of the parameter group until they are rebooted, and `reboot` is {}: \
         {}.{failover} Reboot them, or set `reboot` to \"all\".",
        found.id(),
        word(policy),
        members.collect::<Vec<_>>().join(", ")
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

/// A reboot that failed.
pub(super) fn reboot(error: RebootError) -> Failure {
    match error {
        RebootError::Aws(Error::AnotherCluster { cluster, expected, found }) => {
            another_cluster(&cluster, &expected, &found).into()
        }
        RebootError::Aws(error) => error.into(),
        RebootError::NoWriter { cluster } => {
            let detail = format!(
                "Cluster {cluster} has no writer to reboot. A failover may be in progress. Wait until it is over, then plan and \
                 apply again."
            );
            Diagnostic::error("The cluster has no writer", detail).into()
        }
        RebootError::WriterWaits { cluster, writer, status } => {
            let detail = format!(
                "The writer of cluster {cluster} is now {writer}. It does not run with the new values yet ({status}), and its \
                 reboot was not planned. Plan and apply again."
            );
            Diagnostic::error("The new writer still waits for a reboot", detail).into()
        }
    }
}

pub(super) fn previous_gone(found: &Observed, recorded: &str, instead: &str) -> Diagnostic {
    let detail = format!(
        "Parameter group {recorded} was attached to cluster {} before. It no longer exists, or it has another family. {instead} \
         is attached instead.",
        found.id()
    );
    Diagnostic::warning("The previous parameter group cannot be attached again", detail)
}

const SLOTS_REMEDY: &str = "Remove the ClickPipe and drop the slots first (SELECT pg_drop_replication_slot(...)), or set \
                            `force_destroy` = true and apply that first.";

pub(super) fn slots_exist(found: &Observed, slots: &[Slot]) -> Diagnostic {
    let slots = slots.iter().map(|slot| format!("{}{}", slot.name, if slot.active { " (active)" } else { "" }));
    let detail = format!(
        "This turns off logical replication in cluster {}. The database would not start again while these logical replication \
         slots exist: {}. {SLOTS_REMEDY}",
        found.id(),
        slots.collect::<Vec<_>>().join(", ")
    );
    Diagnostic::error("Logical replication slots exist", detail)
}

/// The writer could not be asked. Without the reason nobody would expect a login here.
pub(super) fn needed_for_slots(failure: Failure) -> Failure {
    explained(
        failure,
        "The provider connects to the writer to look for replication slots, because this turns off logical replication. To skip that, set \
         `force_destroy` = true and apply that first.",
    )
}

/// The same after a change.
pub(super) fn needed_to_verify(failure: Failure) -> Failure {
    explained(
        failure,
        "The provider connects to the writer to verify that logical replication is on, because its `postgres` block leads to this \
         cluster. What was changed before is kept.",
    )
}

fn explained(failure: Failure, why: &str) -> Failure {
    let explained = |diagnostic: Diagnostic| Diagnostic { detail: format!("{}\n\n{why}", diagnostic.detail), ..diagnostic };
    match failure {
        Failure::Diagnosed(diagnostics) => Failure::Diagnosed(diagnostics.into_iter().map(explained).collect()),
        Failure::Unreachable(outage) => Failure::Unreachable(Outage { diagnostic: explained(outage.diagnostic), ..outage }),
        Failure::Missing(diagnostic) => Failure::Missing(explained(diagnostic)),
        Failure::NoCluster(diagnostic) => Failure::NoCluster(explained(diagnostic)),
        Failure::Cancelled { awaited, diagnostic } => Failure::Cancelled { awaited, diagnostic: explained(diagnostic) },
        Failure::ConfigurationUnknown => failure,
    }
}

/// AWS and the writer contradict each other.
pub(super) fn not_logical(found: &Observed, address: &str, seen: &LogicalDecoding) -> Diagnostic {
    let of_rds = seen.of_rds.as_deref().unwrap_or("not known");
    let detail = format!(
        "AWS says that the writer of cluster {} runs with every wanted value. But on {address}, `rds.logical_replication` is {of_rds} and \
         `wal_level` is {}. AWS may report with a delay that the writer waits for a reboot: plan and apply again. If that does not help, \
         reboot the writer.",
        found.id(),
        seen.wal_level
    );
    Diagnostic::error("The writer runs without logical replication", detail)
}

pub(super) fn no_server(found: &Observed) -> Diagnostic {
    cannot_tell(found, "the provider cannot check for slots, because its `postgres` block names no server")
}

pub(super) fn other_server(found: &Observed, address: &str) -> Diagnostic {
    cannot_tell(
        found,
        &format!(
            "the provider cannot check for slots, because the server {address} in its `postgres` block is not known to be this \
             cluster's writer"
        ),
    )
}

fn cannot_tell(found: &Observed, why: &str) -> Diagnostic {
    let detail = format!(
        "This turns off logical replication in cluster {}. The database would not start again while a logical replication slot \
         exists, and {why}. {SLOTS_REMEDY}",
        found.id()
    );
    Diagnostic::error("Cannot tell whether logical replication slots exist", detail)
}

/// A create that stopped. If it left a state, that would be tainted, and the next apply would replace everything, with two more
/// outages.
pub(super) fn half_made(id: &str, done: &[Operation], under_way: Option<&Operation>) -> Diagnostics {
    if done.is_empty() {
        return under_way.map(unanswered).into_iter().collect();
    }
    let under_way = under_way.map_or_else(String::new, |operation| {
        format!("\nThis call was in progress; AWS may have carried it out or may still do so:\n  {operation}")
    });
    let detail = format!(
        "This was done for cluster {id} and is kept:\n  {}{under_way}\nIt is not in the state. The next apply finds it by the \
         tags of the parameter group and only does what is missing.",
        lines(done).join("\n  ")
    );
    Diagnostic::warning("The source is only partly set up", detail).into()
}

/// A call that was abandoned, or whose answer was lost.
pub(super) fn unanswered(operation: &Operation) -> Diagnostic {
    let detail = format!(
        "AWS may have carried this out, or may still do so:\n  {operation}\nThis is safe: the next plan reads what exists and \
         only lists what is missing."
    );
    Diagnostic::warning("An AWS call was in progress", detail)
}

/// The state after a run could not be read.
pub(super) fn unread(id: &str, done: &[Operation], reason: Diagnostics) -> Diagnostic {
    let mut detail = format!("The state of cluster {id} is kept as it was before. The next plan reads the cluster again.");
    if !done.is_empty() {
        detail.push_str(&format!(" This was done:\n  {}", lines(done).join("\n  ")));
    }
    for fault in reason {
        detail.push_str(&format!("\n\n{}: {}", fault.summary, fault.detail));
    }
    Diagnostic::warning("The result could not be read", detail)
}

/// The last look at the result of a run timed out.
pub(super) fn last_look_timed_out(id: &str, limit: Duration) -> Diagnostic {
    let limit = humantime::format_duration(limit);
    Diagnostic::error("Timed out", format!("AWS did not describe cluster {id} within {limit}."))
}
