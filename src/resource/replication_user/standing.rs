//! What is said at every plan of a role that exists: what the provider cannot restore, what is gone, what a pipe would miss. None of it
//! is in the way of a change. Pure; the same situation gives the same text.

use std::collections::{BTreeMap, BTreeSet};

use super::desired::Desired;
use super::diff::adds_owner;
use super::observed::Observed;
use super::operation::Operation;
use super::statement;
use crate::catalogue::reach::Reach;
use crate::catalogue::schema_privilege::NAMED_AT_MOST;
use crate::postgres::{Flavour, Identifier, QualifiedTable};
use crate::terraform::{AttributePath, Diagnostic, Diagnostics};

/// Lost privileges that only others can restore: said at every plan, and in the way of nothing else.
pub(super) fn cannot_be_restored(before: &Desired, desired: &Desired, observed: &Observed) -> Diagnostics {
    let mut lost: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let role = &desired.name;
    let mut more = 0;
    for schema in before.schemas.iter().filter(|schema| desired.schemas.contains(schema)) {
        let Some(found) = observed.schemas.get(schema.as_str()).filter(|found| found.exists) else { continue };
        more += found.lost_total - i64::try_from(found.lost.len()).unwrap_or(i64::MAX);
        if let (false, Reach::None, Some(owner)) = (found.usage, found.reach, &found.owner) {
            lost.entry(owner).or_default().push(statement::usage_by_the_owner(schema, role));
        }
        for (table, owner) in &found.lost {
            let Ok(table) = Identifier::new(table.clone()) else { continue };
            let table = QualifiedTable { schema: schema.clone(), table };
            lost.entry(owner).or_default().extend(statement::for_the_owner(&[table], role));
        }
        let wanted = found.effective_owners(desired.table_owners.as_deref());
        for (name, _) in
            found.owners.iter().filter(|(name, owner)| wanted.contains(*name) && !owner.covered && owner.reach == Reach::None)
        {
            lost.entry(name).or_default().push(statement::defaults_by_the_owner(schema, role));
        }
    }
    let used_before = before.single_table_schemas();
    for schema in desired.single_table_schemas().into_iter().filter(|schema| used_before.contains(schema)) {
        let Some(found) = observed.schemas.get(schema.as_str()).filter(|found| found.exists && !found.usage) else { continue };
        if let (Reach::None, Some(owner)) = (found.reach, &found.owner) {
            lost.entry(owner).or_default().push(statement::usage_by_the_owner(schema, role));
        }
    }
    let database = &observed.database;
    if database.reach == Reach::None && observed.role.as_ref().is_some_and(|found| !found.connect) {
        let grant = statement::connect_by_the_owner(&desired.database, role);
        lost.entry(&database.owner).or_default().push(grant);
    }
    for table in desired.single_tables().filter(|table| before.tables.contains(table)) {
        let found = observed.tables.get(&table.name()).filter(|found| found.exists && !found.select);
        if let Some((Reach::None, Some(owner))) = found.map(|found| (found.reach, &found.owner)) {
            lost.entry(owner).or_default().extend(statement::for_the_owner(std::slice::from_ref(table), role));
        }
    }
    let more = if more > 0 { format!("\n\n(and {more} more tables)") } else { String::new() };
    let said = lost.into_iter().map(|(owner, statements)| {
        let detail = format!(
            "{role} lacks privileges that the provider cannot restore, because {:?} may not act for {owner:?}. A pipe cannot \
             read the tables concerned. Let {owner:?} run:\n\n{}{more}",
            observed.facts.current_user,
            statements.join("\n")
        );
        Diagnostic::warning(format!("Privileges that cannot be restored ({owner})"), detail)
    });
    said.chain(replication_lost(desired, observed)).chain(owners_gone(before, desired, observed)).collect()
}

/// Configured owners that were dropped.
fn owners_gone(before: &Desired, desired: &Desired, observed: &Observed) -> Option<Diagnostic> {
    let kept = desired.schemas.iter().filter(|schema| before.schemas.contains(schema));
    let mut found = kept.filter_map(|schema| observed.schemas.get(schema.as_str()).filter(|found| found.exists)).peekable();
    found.peek()?;
    let known: BTreeSet<&String> = found.flat_map(|found| found.owners.keys()).collect();
    let owners = desired.table_owners.iter().flatten().filter(|owner| !adds_owner(before, desired, owner));
    let gone: Vec<String> =
        owners.filter(|owner| !known.contains(&owner.as_str().to_owned())).map(|owner| owner.to_string()).collect();
    let detail = format!(
        "There is no role {}. So nobody creates tables under that name that could become readable. Remove it from the configuration.",
        gone.join(", ")
    );
    (!gone.is_empty()).then(|| Diagnostic::warning("Owners not found", detail).at(AttributePath::of("table_owners")))
}

/// A role that may not replicate any more, and an admin who cannot change that.
fn replication_lost(desired: &Desired, observed: &Observed) -> Option<Diagnostic> {
    observed.role.as_ref().filter(|role| !role.replication && observed.admin.replication == Reach::None)?;
    let role = desired.name.clone();
    let (who, restore) = match observed.facts.flavour {
        Flavour::Rds => ("an administrator with ADMIN OPTION on rds_replication", Operation::GrantReplication { role }),
        Flavour::Plain => ("a superuser", Operation::AllowReplication { role }),
    };
    let detail = format!(
        "{} may not replicate any more, and the provider, which works as {:?}, cannot change that. A pipe stops. Let {who} run:\n\n{};",
        desired.name,
        observed.facts.current_user,
        statement::display(&restore)
    );
    Some(Diagnostic::warning("Replication cannot be restored", detail))
}

/// Configured schemas and tables that were dropped, or have another name now.
pub(super) fn gone(before: &Desired, desired: &Desired, observed: &Observed) -> Diagnostics {
    let say = |kind: &str, name: &str, path: AttributePath| {
        let detail = format!(
            "Attribute {path}: there is no {kind} {name:?} in database {} any more. The rest of the configuration is not affected. Remove \
             it from the configuration; or create it again, and the next plan grants what is missing on it.",
            desired.database
        );
        Diagnostic::warning(format!("{}{} not found ({name})", kind[..1].to_uppercase(), &kind[1..]), detail).at(path)
    };
    let schemas = desired.schemas.iter().enumerate().filter(|(_, schema)| before.schemas.contains(schema));
    let schemas = schemas.filter(|(_, schema)| observed.schemas.get(schema.as_str()).is_some_and(|found| !found.exists));
    let schemas = schemas.map(|(index, schema)| say("schema", schema.as_str(), AttributePath::of("schemas").index(index)));
    let tables = desired.tables.iter().enumerate().filter(|(_, table)| before.tables.contains(table));
    let tables = tables.filter(|(_, table)| observed.tables.get(&table.name()).is_some_and(|found| !found.exists));
    let tables = tables.map(|(index, table)| say("table", &table.name(), AttributePath::of("tables").index(index)));
    schemas.chain(tables).collect()
}

/// A role that may read nothing.
pub(super) fn reads_nothing(desired: &Desired) -> Option<Diagnostic> {
    let detail = format!(
        "Neither schemas nor tables is set, so {} may read no table, unless somebody else grants it, and the initial copy of a pipe \
         fails. Add what the pipe replicates.",
        desired.name
    );
    let is_empty = desired.schemas.is_empty() && desired.tables.is_empty();
    is_empty.then(|| Diagnostic::warning("The role reads nothing", detail).at(AttributePath::of("schemas")))
}

/// Tables with row level security: a role that does not bypass it reads without an error, and may get no rows.
pub(super) fn hidden_rows(desired: &Desired, seen: &[&Observed]) -> Option<Diagnostic> {
    if seen.iter().any(|seen| seen.role.as_ref().is_some_and(|role| role.bypasses)) {
        return None;
    }
    let mut names = BTreeSet::new();
    let mut more = 0;
    for schema in &desired.schemas {
        let Some(found) = seen.iter().find_map(|seen| seen.schemas.get(schema.as_str())) else { continue };
        let of_schema = found.secured.iter().filter_map(|table| Identifier::new(table.clone()).ok());
        names.extend(of_schema.map(|table| QualifiedTable { schema: schema.clone(), table }));
        more += found.secured_total - i64::try_from(found.secured.len()).unwrap_or(i64::MAX);
    }
    for table in desired.single_tables() {
        if seen.iter().find_map(|seen| seen.tables.get(&table.name())).is_some_and(|found| found.secured) {
            names.insert(table.clone());
        }
    }
    let first = names.first()?;
    let shown = names.iter().take(NAMED_AT_MOST).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    more += i64::try_from(names.len().saturating_sub(NAMED_AT_MOST)).unwrap_or(i64::MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let role = &desired.name;
    let detail = format!(
        "Row level security is on for {shown}{more}, and {role} does not bypass it: the initial copy of a pipe then lacks rows, without an \
         error. Let a superuser run (once the role exists):\n\nALTER ROLE {role} BYPASSRLS;\n\nor the owner of each table:\n\n\
         CREATE POLICY {role} ON {first} FOR SELECT TO {role} USING (true);"
    );
    Some(Diagnostic::warning("Rows may be hidden from the role", detail))
}
