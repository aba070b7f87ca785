//! What stands against a change: refusals that nothing in the same apply can mend, and conditions that something else may still meet.
//! Pure; the plan warns of the latter, apply refuses them.

use std::collections::BTreeSet;

use super::catalogue::{ListedTable, Lookup};
use super::diff::{Current, replaces_scope};
use super::model::{Desired, Scope};
use super::schema::PublicationModel;
use crate::postgres::version::{Gate, PUBLICATION_SCHEMAS, VIA_ROOT};
use crate::postgres::{ServerVersion, import_id};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// How many names a message lists before it only counts.
const NAMES_SHOWN: usize = 20;

/// The findings about a change.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Errors at plan and at apply.
    pub(super) refusals: Diagnostics,
    /// Warnings at plan, errors at apply.
    pub(super) unmet: Diagnostics,
    /// Warnings.
    pub(super) warnings: Diagnostics,
}

/// A change as the checks see it.
pub(super) struct Change<'a> {
    pub(super) model: &'a PublicationModel,
    pub(super) desired: &'a Desired,
    /// What exists according to the state; `None` on create.
    pub(super) current: Option<&'a Current>,
    /// Tables that the state says are exposed already.
    pub(super) exposed: &'a [String],
}

/// Checks a change against what was looked up.
pub(super) fn check(change: &Change<'_>, lookup: &Lookup) -> Findings {
    let mut findings = Findings::default();
    findings.refusals.extend(scope_replacement(change));
    findings.refusals.extend(version_gates(change.desired, lookup.version));
    if change.current.is_none() && lookup.existing.is_some() {
        findings.unmet.push(already_exists(change.model));
    }
    tables(change, lookup, &mut findings);
    for schema in &lookup.missing_schemas {
        let detail = format!("There is no schema {schema:?} in database {}. Create it first.", database(change.model));
        findings.unmet.push(Diagnostic::error("Schema not found", detail).at(AttributePath::of("schemas")));
    }
    replica_identity(change, lookup, &mut findings);
    if matches!(change.desired.scope, Scope::AllTables) && change.current.is_none_or(|current| current.scope != Scope::AllTables)
    {
        let detail = "all_tables = true also publishes every table made later. One without a primary key then loses its UPDATEs and \
                      DELETEs at once, and ClickPipes is billed for the traffic of all tables. Listing tables avoids both.";
        findings
            .warnings
            .push(Diagnostic::warning("Tables made later are published too", detail).at(AttributePath::of("all_tables")));
    }
    if let Scope::Listed { schemas, .. } = &change.desired.scope
        && !schemas.is_empty()
        && change.current.is_none_or(|current| current.scope != change.desired.scope)
    {
        let detail = "Tables made later in a published schema are published too. One without a primary key then loses its UPDATEs and \
                      DELETEs at once.";
        findings
            .warnings
            .push(Diagnostic::warning("Tables made later are published too", detail).at(AttributePath::of("schemas")));
    }
    findings
}

/// Checks that need no database.
pub(super) fn scope_replacement(change: &Change<'_>) -> Option<Diagnostic> {
    let current = change.current.filter(|current| replaces_scope(&current.scope, &change.desired.scope))?;
    if may_be_true(&change.model.allow_scope_replacement) {
        return None;
    }
    let detail = format!(
        "PostgreSQL cannot turn a publication of all tables into one of listed tables, or back. Publication {} would be dropped and \
         created anew in one transaction; a pipe that reads it must then be resynced, which copies all its tables again. To accept \
         that, set allow_scope_replacement = true.",
        current.name
    );
    Some(Diagnostic::error("The scope cannot be altered", detail).at(AttributePath::of("all_tables")))
}

/// What the server's version cannot do, whatever else happens in the same apply.
fn version_gates(desired: &Desired, version: ServerVersion) -> Diagnostics {
    let mut refusals = Diagnostics::new();
    if matches!(&desired.scope, Scope::Listed { schemas, .. } if !schemas.is_empty()) && !version.has(PUBLICATION_SCHEMAS) {
        refusals.push(too_old(PUBLICATION_SCHEMAS, version, "List tables instead.").at(AttributePath::of("schemas")));
    }
    if desired.via_root.is_some() && !version.has(VIA_ROOT) {
        let refusal = too_old(VIA_ROOT, version, "Leave it unset.");
        refusals.push(refusal.at(AttributePath::of("publish_via_partition_root")));
    }
    refusals
}

fn too_old(gate: Gate, version: ServerVersion, way_out: &str) -> Diagnostic {
    let detail = format!("{} needs PostgreSQL {}, and this server is {version}. {way_out}", gate.feature, gate.since);
    Diagnostic::error("Server is too old", detail)
}

fn already_exists(model: &PublicationModel) -> Diagnostic {
    let name = model.name.known_or(String::new());
    let id = import_id(&database(model), &name);
    let detail = format!(
        "Database {} already has a publication {name:?}. To manage it here, import it:\n\nimport {{\n  to = \
         clickpipes_publication.<name of this resource>\n  id = {id:?}\n}}",
        database(model)
    );
    Diagnostic::error("Publication already exists", detail).at(AttributePath::of("name"))
}

fn tables(change: &Change<'_>, lookup: &Lookup, findings: &mut Findings) {
    let published: BTreeSet<_> = match change.current {
        Some(Current { scope: Scope::Listed { tables, .. }, .. }) => tables.iter().collect(),
        _ => BTreeSet::new(),
    };
    let added = lookup.tables.iter().filter(|listed| !published.contains(&listed.table));
    for ListedTable { table, found } in added {
        let name = table.name();
        let path = table_path(change.model, &name);
        match found {
            None => {
                let detail = format!("There is no table {name} in database {}. Create it first.", database(change.model));
                findings.unmet.push(Diagnostic::error("Table not found", detail).at(path));
            }
            Some(found) if !["r", "p"].contains(&found.kind.as_str()) || found.persistence != "p" => {
                let detail =
                    format!("{name} is {}. Only permanent tables and partitioned tables can be published.", kind_name(found));
                findings.refusals.push(Diagnostic::error("Not a table that can be published", detail).at(path));
            }
            Some(found) if found.kind == "p" && !lookup.version.has(VIA_ROOT) => {
                let detail = format!(
                    "{name} is a partitioned table. Publishing one needs PostgreSQL {}, and this server is {}. List its partitions \
                     instead.",
                    VIA_ROOT.since, lookup.version
                );
                findings.refusals.push(Diagnostic::error("Server is too old", detail).at(path));
            }
            Some(found) if !found.owned => {
                let detail = format!(
                    "Only the owner of a table can publish it. {name} belongs to {:?}, and the provider works as {:?}. Whoever may \
                     grant that role runs: GRANT {} TO {}",
                    found.owner,
                    found.admin,
                    quoted(&found.owner),
                    quoted(&found.admin)
                );
                findings.unmet.push(Diagnostic::error("Not the owner of a table", detail).at(path));
            }
            Some(_) => {}
        }
    }
}

fn kind_name(found: &super::catalogue::FoundTable) -> &'static str {
    match (found.kind.as_str(), found.persistence.as_str()) {
        ("v", _) => "a view",
        ("m", _) => "a materialized view",
        ("f", _) => "a foreign table",
        ("S", _) => "a sequence",
        (_, "u") => "an unlogged table",
        (_, "t") => "a temporary table",
        _ => "no table",
    }
}

fn quoted(role: &str) -> String {
    crate::postgres::Identifier::new(role).map_or_else(|_| role.to_owned(), |role| role.to_string())
}

/// A change that newly makes the application's own UPDATE and DELETE fail is refused; what fails already is only said.
fn replica_identity(change: &Change<'_>, lookup: &Lookup, findings: &mut Findings) {
    let publish = change.desired.publish.or(change.current.map(|current| current.publish)).unwrap_or(super::model::Publish::ALL);
    if !publish.needs_identity() {
        return;
    }
    let (old, new): (Vec<&String>, Vec<&String>) = lookup.without_identity.iter().partition(|name| change.exposed.contains(name));
    if !old.is_empty() {
        let detail = format!("UPDATEs and DELETEs already fail on: {}. {}", listed(&old), identity_remedy());
        findings.warnings.push(Diagnostic::warning("Published tables without a replica identity", detail));
    }
    if new.is_empty() {
        return;
    }
    let summary = "Tables without a replica identity";
    let detail =
        format!("Once published, the application's own UPDATE and DELETE would fail on: {}. {}", listed(&new), identity_remedy());
    let path = new.first().map_or_else(AttributePath::root, |name| table_path(change.model, name));
    if may_be_true(&change.model.allow_tables_without_replica_identity) {
        findings.warnings.push(Diagnostic::warning(summary, detail).at(path));
    } else {
        let detail = format!("{detail} Or accept it with allow_tables_without_replica_identity = true.");
        findings.refusals.push(Diagnostic::error(summary, detail).at(path));
    }
}

/// Consent that is known only at apply does not stand in the way of a plan.
fn may_be_true(consent: &Attr<bool>) -> bool {
    matches!(consent, Attr::Known(true) | Attr::Unknown)
}

fn identity_remedy() -> &'static str {
    "Give each a primary key, or run ALTER TABLE ... REPLICA IDENTITY FULL (or USING INDEX), or leave updates and deletes out of publish. \
     From PostgreSQL 18 on the identity must have no generated column, so FULL does not do for a table with one."
}

fn listed(names: &[&String]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_SHOWN).map(|name| name.as_str()).collect();
    match names.len().checked_sub(NAMES_SHOWN) {
        Some(more) if more > 0 => format!("{} and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}

/// Where a table stands in the configuration: its place in `tables`, or the attribute that covers it.
fn table_path(model: &PublicationModel, name: &str) -> AttributePath {
    let position = model.tables.known().and_then(|tables| tables.iter().position(|table| table == name));
    match position {
        Some(index) => AttributePath::of("tables").index(index),
        None if model.all_tables.known_or(false) => AttributePath::of("all_tables"),
        None if !model.schemas.is_null() => AttributePath::of("schemas"),
        None => AttributePath::of("tables"),
    }
}

fn database(model: &PublicationModel) -> String {
    model.database.known_or(String::new())
}

/// Why a destroy is refused.
pub(super) fn destroy_refusal(model: &PublicationModel, active_slots: &[String]) -> Option<Diagnostic> {
    if active_slots.is_empty() || model.force_destroy.known_or(false) {
        return None;
    }
    let detail = format!(
        "Replication slots of database {} are in use: {}. A pipe that reads this publication would stop at once and need a resync. \
         Remove the pipe first, or set force_destroy = true and apply that before the destroy.",
        model.database.known_or(String::new()),
        active_slots.join(", ")
    );
    Some(Diagnostic::error("Publication may be in use", detail).at(AttributePath::of("name")))
}

#[cfg(test)]
mod tests;
