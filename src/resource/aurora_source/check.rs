//! What prevents a change, and what a practitioner should know about it: the outage, what waits for a reboot, what cannot be
//! undone. Pure.

mod modes;

use super::desired::{Desired, Mode, RebootPolicy};
use super::diff::{pending_values, successor};
use super::message;
use super::observed::{Slots, basis};
use super::operation::Operation;
use super::schema::Source;
use super::takeover::begun_mode;
use crate::cluster::{Observed, Version, unfit};
use crate::rds::cluster::Member;
use crate::resource::change::{Change, Findings};
use crate::terraform::Diagnostic;

/// Checks a change against what was seen.
pub(super) fn check(change: &Change<'_, Source>, operations: Option<&[Operation]>) -> Findings {
    let mut findings = Findings::default();
    let (Some(arguments), Some(found), Some(operations)) = (change.after.or(change.before), basis(change), operations) else {
        return findings;
    };
    let (found, policy) = (found.as_ref(), arguments.reboot);
    if found.gone {
        findings.warnings.extend((!operations.is_empty()).then(|| message::groups_left(found.id(), operations)));
        return findings;
    }
    let destroys = change.after.is_none();
    let slots = change.now.or(change.basis()).map_or(&Slots::NotAsked, |now| &now.slots);
    match slots {
        Slots::NotAsked => {}
        Slots::NoServer => findings.refusals.push(message::no_server(found)),
        Slots::OtherServer { address } => findings.refusals.push(message::other_server(found, address)),
        Slots::OutOfReach(outage) => findings.warnings.push(outage.clone().warning()),
        Slots::Found(slots) if slots.is_empty() => {}
        // The same run may destroy the pipe that reads from them.
        Slots::Found(slots) if destroys => findings.awaited.push(message::slots_exist(found, slots)),
        Slots::Found(slots) => findings.refusals.push(message::slots_exist(found, slots)),
    }
    findings.refusals.extend(taken(change, operations));
    modes::check(change, found, operations, &mut findings);
    if destroys {
        findings.warnings.extend(operations.is_empty().then(|| message::nothing_undone(found, arguments.mode)));
        if begun_mode(arguments, found) == Mode::Dedicated {
            findings.warnings.extend(previous_gone(found));
        }
        let modifies_cluster = operations.iter().any(Operation::modifies_cluster);
        findings.unmet.extend(modifies_cluster.then(|| pending_values(found, Some(false))).flatten());
    } else if change.before.is_some() && operations.is_empty() {
        findings.warnings.extend(unfit(found).iter().map(|reason| message::unfit_by_now(found.id(), reason)));
    } else if change.before.is_none() && found.attached_is_ours() && arguments.mode == Mode::Dedicated {
        findings.warnings.push(message::set_up_already(found));
    }
    if let Some(desired) = change.after {
        findings.warnings.extend(left_behind(found, desired, operations));
        findings
            .warnings
            .extend(found.version().and_then(Version::decoding_fault).map(|fault| message::decoding_fault(found, &fault)));
    }
    findings.warnings.extend(reboots(found, policy, operations, destroys));
    // If an update makes members wait, the reboots above say so.
    let says_so = change.before.is_some() && makes_members_wait(found, operations);
    if !destroys && !says_so {
        findings.warnings.extend(waiting(found, policy));
    }
    findings
}

/// A group that the plan is to create, and that exists since the last refresh or has a name that was not wanted then.
fn taken(change: &Change<'_, Source>, operations: &[Operation]) -> Option<Diagnostic> {
    let found = &change.now?.found;
    let is_created =
        |name: &str| operations.iter().any(|op| matches!(op, Operation::CreateGroup { name: created, .. } if created == name));
    let taken = found.detached.iter().find(|group| is_created(&group.name) && !group.is_ours(found.id()))?;
    let next = change.after.and_then(|desired| desired.next_group(found));
    Some(match next.as_ref() == Some(&taken.name) {
        true => message::next_name_is_taken(found, taken),
        false => message::name_is_taken(found, taken),
    })
}

/// What the group for the next major version cannot have of what is set now.
fn left_behind(found: &Observed, desired: &Desired, operations: &[Operation]) -> Option<Diagnostic> {
    let successor = successor(found, desired, operations)?;
    (!successor.left_behind.is_empty()).then(|| message::left_behind(found, &successor.catalogue, &successor.left_behind))
}

/// Members that wait for a reboot and will keep waiting, whatever the cause.
pub(super) fn waiting(found: &Observed, policy: RebootPolicy) -> Option<Diagnostic> {
    let left = found.waiting().filter(|member| match policy {
        RebootPolicy::Never => true,
        RebootPolicy::Writer => !member.writer,
        RebootPolicy::All => false,
    });
    let left: Vec<&Member> = left.collect();
    (!left.is_empty()).then(|| message::members_wait(found, policy, &left))
}

fn makes_members_wait(found: &Observed, operations: &[Operation]) -> bool {
    operations.iter().any(|operation| operation.needs_reboot(&found.attached.name))
}

/// The reboots of a change, or the warning that members need one which it does not include.
fn reboots(found: &Observed, policy: RebootPolicy, operations: &[Operation], destroys: bool) -> Option<Diagnostic> {
    let waits = makes_members_wait(found, operations);
    if operations.iter().any(Operation::is_reboot) {
        return Some(message::outage(found, operations, waits, destroys));
    }
    (waits && !found.cluster.members.is_empty()).then(|| message::reboot_needed(found, policy, destroys))
}

/// A destroy that cannot attach the previous group again.
fn previous_gone(found: &Observed) -> Option<Diagnostic> {
    let recorded = found.attached.recorded_previous().filter(|_| found.attached_is_ours())?;
    let instead = found.previous_name();
    (*recorded != instead).then(|| message::previous_gone(found, recorded, &instead))
}

#[cfg(test)]
mod tests {
    use super::super::diff::{diff, turns_logical_replication_off};
    use super::super::fixture::desired;
    use super::super::observed::Observed as Seen;
    use super::*;
    use crate::catalogue::slot::Slot;
    use crate::cluster::fixture::*;
    use crate::resource::change::lines;
    use crate::terraform::Diagnostics;

    struct Undo {
        operations: Vec<String>,
        turns_logical_replication_off: bool,
        warnings: Diagnostics,
        refusals: Diagnostics,
        awaited: Diagnostics,
    }

    /// The destroy of a source.
    fn undo(now: impl Into<Seen>, reboot: &str) -> Undo {
        let (now, before) = (now.into(), desired(reboot, &[]));
        let change = Change::destroy(&before, &now);
        let operations = diff(&change).unwrap().unwrap();
        let Findings { warnings, refusals, awaited, .. } = check(&change, Some(&operations));
        let turns_logical_replication_off = turns_logical_replication_off(&change);
        Undo { operations: lines(&operations), turns_logical_replication_off, warnings, refusals, awaited }
    }

    #[test]
    fn the_previous_group_comes_back_and_ours_goes() {
        let undo = undo(settled(), "writer");
        assert_eq!(
            undo.operations,
            [
                "ModifyDBCluster shop: parameter group default.aurora-postgresql16, immediately",
                "RebootDBInstance <the writer of shop>",
                "DeleteDBClusterParameterGroup clickpipes-shop-aurora-postgresql16",
            ]
        );
        assert!(undo.turns_logical_replication_off);
        assert!(undo.warnings.iter().all(|warning| warning.summary == "This destroy reboots the database"));
    }

    #[test]
    fn logical_replication_that_was_on_before_stays_on() {
        let on = group("shop-custom", &[("rds.logical_replication", "1")]);
        let undo = undo(Observed { previous: Some(on), ..settled() }, "never");
        assert!(!undo.turns_logical_replication_off);
        assert_eq!(undo.operations[0], "ModifyDBCluster shop: parameter group shop-custom, immediately");
    }

    #[test]
    fn a_previous_group_that_is_gone_is_replaced_by_the_default_with_a_warning() {
        let ours = our_group(OURS, "shop-custom", &[("rds.logical_replication", "1")]);
        let undo = undo(Observed { previous: Some(group(DEFAULT, &[])), ..observed(ours) }, "never");
        assert!(undo.warnings.iter().any(|warning| warning.detail.contains("shop-custom")), "{:?}", undo.warnings);
    }

    #[test]
    fn nothing_done_means_nothing_undone() {
        let own = observed(group("shop-custom", &[("rds.logical_replication", "1"), ("wal_sender_timeout", "0")]));
        let undo = undo(own, "all");
        assert!(undo.operations.is_empty() && !undo.turns_logical_replication_off);
        let summaries: Vec<&str> = undo.warnings.iter().map(|warning| warning.summary.as_str()).collect();
        assert_eq!(summaries, ["Destroying changes nothing"]);
    }

    #[test]
    fn a_group_of_ours_that_somebody_detached_is_deleted_only() {
        let detached = Observed { detached: vec![our_group(OURS, DEFAULT, &[])], ..observed(group(DEFAULT, &[])) };
        let undo = undo(detached, "all");
        assert_eq!(undo.operations, ["DeleteDBClusterParameterGroup clickpipes-shop-aurora-postgresql16"]);
    }

    #[test]
    fn a_logical_slot_stands_against_turning_logical_replication_off() {
        let slot = Slot { name: "pipe".to_owned(), active: true, here: false };
        let undone = |slots| undo(Seen { slots, ..settled().into() }, "never");
        let with = |slots| undone(slots).refusals;
        assert!(with(Slots::Found(Vec::new())).is_empty() && undone(Slots::Found(Vec::new())).awaited.is_empty());
        // The same run may destroy the pipe.
        assert!(undone(Slots::Found(vec![slot])).awaited.iter().any(|awaited| awaited.detail.contains("pipe (active)")));
        assert!(with(Slots::NoServer).has_errors() && with(Slots::OtherServer { address: "db:5432".to_owned() }).has_errors());
    }
}
