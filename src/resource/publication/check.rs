//! What prevents a change: refusals that nothing in the same apply can fix, and conditions that something else may still meet.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::desired::{Desired, Publish, Scope};
use super::lacking;
use super::message;
use super::observed::{Current, Found, Met, Observed};
use super::operation::{Operation, dropped};
use super::schema::Publication;
use crate::catalogue::publication_right::Rights;
use crate::catalogue::relation::{Kind, Named};
use crate::catalogue::slot::in_use_here;
use crate::postgres::version::{PUBLICATION_ROW_FILTERS, PUBLICATION_SCHEMAS, PUBLISHED_GENERATED_COLUMNS, VIA_ROOT};
use crate::postgres::{QualifiedTable, ServerVersion};
use crate::resource::change::{Change, Findings, Replacement};
use crate::terraform::{AttributePath, Diagnostics};

/// Checks a change against what was seen.
pub(super) fn check(change: &Change<'_, Publication>, operations: Option<&[Operation]>) -> Findings {
    let mut findings = Findings::default();
    let Some(desired) = change.after else {
        findings.awaited.extend(destroy(change));
        let lacking = change.before.zip(change.now).zip(operations);
        findings.unmet.extend(
            lacking.map(|((arguments, now), operations)| lacking::lacking(arguments, now, operations)).unwrap_or_default(),
        );
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
        let operations = operations.unwrap_or_default();
        findings.unmet.extend(lacking::lacking(desired, now, operations));
        tables(desired, current, now, operations, &mut findings);
        findings.unmet.extend(met.missing_schemas.iter().map(|schema| message::schema_missing(desired, schema)));
        replica_identity(desired, current, recalled, met, &mut findings);
        findings.warnings.extend(later_tables(desired, current));
        findings.warnings.extend(met.left_out.warnings());
        if !operations.is_empty() && desired.publishes_nothing() {
            findings.warnings.push(message::publishes_nothing(desired));
        }
    } else if let Some(found) = recalled {
        findings.warnings.extend(as_last_seen(desired, found));
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
    if desired.generated.is_some() && !version.has(PUBLISHED_GENERATED_COLUMNS) {
        let path = AttributePath::of("publish_generated_columns");
        refusals.push(message::too_old(PUBLISHED_GENERATED_COLUMNS, version, "Leave it unset.").at(path));
    }
    if desired.via_root.is_some() && !version.has(VIA_ROOT) {
        let path = AttributePath::of("publish_via_partition_root");
        refusals.push(message::too_old(VIA_ROOT, version, "Leave it unset.").at(path));
    }
    refusals
}

/// What every plan says of a publication that nothing changes.
fn as_last_seen(desired: &Desired, found: &Found) -> Diagnostics {
    let mut warnings = found.left_out.warnings();
    let publish = desired.publish.unwrap_or(found.current.publish);
    if publish.needs_identity() && !found.without_identity.is_empty() {
        let exposed: Vec<&String> = found.without_identity.iter().collect();
        warnings.push(message::exposed_already(&exposed, &BTreeMap::new()));
    }
    warnings
}

fn tables(desired: &Desired, current: Option<&Current>, now: &Observed, operations: &[Operation], findings: &mut Findings) {
    let (Some(met), Some(version)) = (&now.met, now.version) else { return };
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
    // A table whose filter or list changes is added again.
    let put_back: BTreeSet<_> = operations.iter().flat_map(put_back).collect();
    // Whoever adds tables must own them.
    let acts_as_owner = now.rights.as_ref().is_some_and(Rights::acts_as_owner) && dropped(operations).is_none();
    let owner = now.publication.as_ref().filter(|_| acts_as_owner && current.is_some());
    let owner = owner.and_then(|found| found.current.owner.as_ref());
    let is_added = |named: &&Named| !published.contains(&named.table) || put_back.contains(&named.table);
    for Named { table, found, near } in met.tables.iter().filter(is_added) {
        let name = table.name();
        match found {
            None => {
                findings.unmet.push(message::table_missing(desired, &name, near.as_deref().map(|near| (&table.schema, near))))
            }
            Some(found) if !found.can_be_published() => findings.refusals.push(message::not_publishable(desired, &name, found)),
            Some(found) if found.kind == Kind::PartitionedTable && !version.has(VIA_ROOT) => {
                findings.refusals.push(message::partitioned(desired, &name, version));
            }
            Some(found) => match owner {
                Some(owner) if !found.owned_by_other => {
                    findings.unmet.push(message::not_owned_by_owner(desired, &name, found, owner, version));
                }
                None if !found.owned => findings.unmet.push(message::not_owned(desired, &name, found, version)),
                _ => {}
            },
        }
    }
}

fn put_back(operation: &Operation) -> &[QualifiedTable] {
    match operation {
        Operation::PutBack { tables, .. } => tables,
        _ => &[],
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
