//! What prevents a change: refusals that nothing in the same apply can fix, and conditions that something else may still meet.
//! Pure.

use super::desired::{Desired, index};
use super::message;
use super::observed::{Before, Met, Observed};
use super::operation::Operation;
use super::schema::ReplicaIdentityOfTable;
use crate::catalogue::publisher::{Objection, Publisher};
use crate::catalogue::reach::Reach;
use crate::catalogue::relation::Kind;
use crate::catalogue::table_identity::{ReplicaIdentity, RowKey, Table};
use crate::resource::change::{Change, Findings};

/// Checks a change against what was seen.
pub(super) fn check(change: &Change<'_, ReplicaIdentityOfTable>, operations: Option<&[Operation]>) -> Findings {
    let mut findings = Findings::default();
    let Some(now) = change.now else { return findings };
    let Some(met) = &now.met else { return findings };
    match (change.before, change.after) {
        (Some(arguments), None) => destroy(arguments, now, met, operations.unwrap_or_default(), &mut findings),
        (_, Some(desired)) if operations != Some(&[]) => set(desired, met, &mut findings),
        _ => {}
    }
    findings
}

/// Whether the wanted replica identity will identify rows, as far as that can be told: its index may still be created.
pub(super) fn identifies_rows(desired: &Desired, seen: &Observed) -> bool {
    let table = seen.met.as_ref().and_then(|met| met.table.as_ref());
    table.is_some_and(|table| table.key(&desired.identity) != Some(RowKey::Nothing))
}

fn set(desired: &Desired, met: &Met, findings: &mut Findings) {
    let Some(table) = &met.table else {
        findings.unmet.push(message::table_missing(desired));
        return;
    };
    if !table.has_identity() {
        findings.refusals.push(message::no_table(desired, table));
        return;
    }
    if table.kind == Kind::PartitionedTable {
        findings.warnings.push(message::only_the_root(desired, table));
    }
    if table.identity == desired.identity {
        // Nothing will have to run.
        return;
    }
    if table.reach == Reach::None {
        findings.unmet.push(message::not_owned(desired, table));
    }
    if let Some(name) = index(&desired.identity) {
        match table.index(name).map(|index| (index, index.unfit())) {
            None => findings.unmet.push(message::index_missing(desired, name)),
            Some((_, Some(unfit))) => findings.refusals.push(message::index_unfit(desired, name, &unfit)),
            Some((_, None)) => {}
        }
    }
    let exposed = newly_exposed(met, table, &desired.identity);
    if !exposed.is_empty() {
        findings.refusals.push(message::stops_writes(desired, &desired.identity, &exposed));
    }
    if desired.identity == ReplicaIdentity::Full && table.kind != Kind::PartitionedTable {
        findings.warnings.push(message::cost_of_full(desired, table));
    }
}

/// What a destroy does not restore, or not yet: the same run may destroy the publication.
fn destroy(arguments: &Desired, now: &Observed, met: &Met, operations: &[Operation], findings: &mut Findings) {
    let Some(table) = met.table.as_ref().filter(|table| table.has_identity()) else { return };
    match &now.before {
        Before::Unknown => findings.warnings.push(message::not_known_before(arguments, table)),
        Before::Lost(before) if *before != table.identity => {
            findings.warnings.push(message::index_lost(arguments, table, before))
        }
        Before::Known(_) | Before::Lost(_) => {}
    }
    for Operation::Set { to, .. } in operations {
        if *to == table.identity {
            continue;
        }
        if table.reach == Reach::None {
            findings.unmet.push(message::not_owned(arguments, table));
        }
        let exposed = newly_exposed(met, table, to);
        if !exposed.is_empty() {
            findings.awaited.push(message::restoring_stops_writes(arguments, to, &exposed));
        }
    }
}

/// The publications that would newly make UPDATE or DELETE on the table fail, each with the reason.
fn newly_exposed<'a>(met: &'a Met, table: &Table, to: &ReplicaIdentity) -> Vec<(&'a Publisher, Objection)> {
    // That of an index which does not exist yet is checked at apply.
    let Some(key) = table.key(to) else { return Vec::new() };
    let present = table.key(&table.identity).unwrap_or(RowKey::Nothing);
    let objection = |publisher: &Publisher, key: &RowKey| publisher.share.objection(&table.generated, key, met.version);
    let new = met.publishers.iter().filter(|publisher| objection(publisher, &present).is_none());
    new.filter_map(|publisher| Some((publisher, objection(publisher, &key)?))).collect()
}

#[cfg(test)]
mod tests;
