//! What prevents a change: refusals that nothing in the same apply can fix, and conditions that something else may still meet.
//! Pure.

use std::collections::BTreeSet;

use super::desired::{Desired, Publish, Scope};
use super::message;
use super::observed::{Current, Found, Met};
use super::operation::{Operation, dropped};
use super::schema::Publication;
use crate::catalogue::relation::{Kind, Named};
use crate::catalogue::slot::in_use_here;
use crate::postgres::ServerVersion;
use crate::postgres::version::{PUBLICATION_ROW_FILTERS, PUBLICATION_SCHEMAS, VIA_ROOT};
use crate::resource::change::{Change, Findings, Replacement};
use crate::terraform::{AttributePath, Diagnostics};

/// Checks a change against what was seen.
pub(super) fn check(change: &Change<'_, Publication>, operations: Option<&[Operation]>) -> Findings {
    let mut findings = Findings::default();
    let Some(desired) = change.after else {
        findings.awaited.extend(destroy(change));
        return findings;
    };
    // A change is judged by the observation it was made from, even if something was changed since.
    let recalled = change.recalled.and_then(|recalled| recalled.publication.as_ref());
    let current = recalled.map(|found| &found.current);
    if let Some(name) = operations.and_then(dropped).filter(|_| !desired.allow_scope_replacement) {
        findings.refusals.push(message::scope_cannot_be_altered(name));
    }
    let met = change.now.and_then(|now| Some((now, now.met.as_ref()?, now.version?)));
    if let Some((now, met, version)) = met {
        findings.refusals.extend(version_gates(desired, version));
        if change.before.is_none() && now.publication.is_some() {
            let exists = message::already_exists(desired);
            // Moved to another database, it is another publication that has the name there.
            let is_foreign = change.replacement == Replacement::Argument;
            if is_foreign { findings.refusals.push(exists) } else { findings.unmet.push(exists) }
        }
        tables(desired, current, met, version, &mut findings);
        findings.unmet.extend(met.missing_schemas.iter().map(|schema| message::schema_missing(desired, schema)));
        replica_identity(desired, current, recalled, met, &mut findings);
        findings.warnings.extend(later_tables(desired, current));
        if operations.is_some_and(|operations| !operations.is_empty()) && desired.publishes_nothing() {
            findings.warnings.push(message::publishes_nothing(desired));
        }
    }
    if let (Some(current), Some(operations)) = (current, operations) {
        findings.warnings.extend(consequences(desired, current, operations));
    }
    findings
}

/// Why a destroy has to wait: the same run may destroy the pipe.
fn destroy(change: &Change<'_, Publication>) -> Diagnostics {
    let (Some(arguments), Some(now)) = (change.before, change.now) else { return Diagnostics::new() };
    let slots = in_use_here(&now.slots);
    let is_refused = !slots.is_empty() && !arguments.force_destroy;
    is_refused.then(|| message::in_use(&arguments.database, &slots)).into_iter().collect()
}

/// What the change means for pipes that read the publication.
fn consequences(desired: &Desired, current: &Current, operations: &[Operation]) -> Diagnostics {
    if dropped(operations).is_some() {
        message::must_be_resynced(&current.name).into()
    } else if current.name != desired.name {
        message::renamed(&current.name, &desired.name).into()
    } else {
        Diagnostics::new()
    }
}

/// What the server's version cannot do, whatever else happens in the same apply.
fn version_gates(desired: &Desired, version: ServerVersion) -> Diagnostics {
    let mut refusals = Diagnostics::new();
    if matches!(&desired.scope, Scope::Listed { schemas, .. } if !schemas.is_empty()) && !version.has(PUBLICATION_SCHEMAS) {
        let path = AttributePath::of("schemas");
        refusals.push(message::too_old(PUBLICATION_SCHEMAS, version, "List tables instead.").at(path));
    }
    if !desired.restrictions.is_empty() && !version.has(PUBLICATION_ROW_FILTERS) {
        let remedy = "Remove table_options.";
        refusals.push(message::too_old(PUBLICATION_ROW_FILTERS, version, remedy).at(AttributePath::of("table_options")));
    }
    if desired.via_root.is_some() && !version.has(VIA_ROOT) {
        let path = AttributePath::of("publish_via_partition_root");
        refusals.push(message::too_old(VIA_ROOT, version, "Leave it unset.").at(path));
    }
    refusals
}

fn tables(desired: &Desired, current: Option<&Current>, met: &Met, version: ServerVersion, findings: &mut Findings) {
    let published: BTreeSet<_> = match current {
        Some(Current { scope: Scope::Listed { tables, .. }, .. }) => tables.iter().collect(),
        _ => BTreeSet::new(),
    };
    let via_root = desired.via_root.or(current.and_then(|current| current.via_root)).unwrap_or(true);
    for Named { table, .. } in met.tables.iter().filter(|named| !via_root && is_partitioned(named)) {
        if desired.restrictions.contains_key(table) {
            findings.refusals.push(message::restricted_root(&table.name()));
        }
    }
    for Named { table, found, near } in met.tables.iter().filter(|named| !published.contains(&named.table)) {
        let name = table.name();
        match found {
            None => {
                findings.unmet.push(message::table_missing(desired, &name, near.as_deref().map(|near| (&table.schema, near))))
            }
            Some(found) if !found.can_be_published() => findings.refusals.push(message::not_publishable(desired, &name, found)),
            Some(found) if found.kind == Kind::PartitionedTable && !version.has(VIA_ROOT) => {
                findings.refusals.push(message::partitioned(desired, &name, version));
            }
            Some(found) if !found.owned => findings.unmet.push(message::not_owned(desired, &name, found, version)),
            Some(_) => {}
        }
    }
}

fn is_partitioned(named: &Named) -> bool {
    named.found.as_ref().is_some_and(|found| found.kind == Kind::PartitionedTable)
}

/// A change that newly makes the application's own UPDATE and DELETE fail is refused; tables on which they already fail only
/// cause a warning.
fn replica_identity(desired: &Desired, current: Option<&Current>, recalled: Option<&Found>, met: &Met, findings: &mut Findings) {
    let publish = desired.publish.or(current.map(|current| current.publish)).unwrap_or(Publish::ALL);
    if !publish.needs_identity() {
        return;
    }
    let exposed = recalled.map(|found| found.without_identity.as_slice()).unwrap_or_default();
    let (old, new): (Vec<&String>, Vec<&String>) = met.without_identity.keys().partition(|name| exposed.contains(name));
    if !old.is_empty() {
        findings.warnings.push(message::exposed_already(&old, &met.without_identity));
    }
    let (first, new): (Vec<&String>, Vec<&String>) = new.into_iter().partition(|name| met.identified_first.contains(*name));
    if !first.is_empty() {
        findings.warnings.push(message::identified_first(desired, &first));
    }
    if new.is_empty() {
        return;
    }
    if desired.allow_tables_without_replica_identity {
        findings.warnings.push(message::accepted_exposure(desired, &new, &met.without_identity));
    } else {
        findings.refusals.push(message::newly_exposed(desired, &new, &met.without_identity));
    }
}

/// A scope that includes tables which do not exist yet.
fn later_tables(desired: &Desired, current: Option<&Current>) -> Diagnostics {
    let mut warnings = Diagnostics::new();
    let is_new = |scope: &Scope| current.is_none_or(|current| current.scope != *scope);
    match &desired.scope {
        Scope::AllTables if is_new(&desired.scope) => warnings.push(message::all_later_tables()),
        Scope::Listed { schemas, .. } if !schemas.is_empty() && is_new(&desired.scope) => {
            warnings.push(message::later_tables_of_schemas());
        }
        _ => {}
    }
    warnings
}

#[cfg(test)]
mod tests;
