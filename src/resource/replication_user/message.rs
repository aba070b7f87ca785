//! Messages about roles, each with the reason and the remedy. Pure; the same situation gives the same text.

use std::collections::{BTreeMap, BTreeSet};

use super::desired::Desired;
use super::diff::adds_owner;
use super::observed::Observed;
use super::operation::Operation;
use super::schema::ReplicationUser;
use super::statement;
use crate::catalogue::holdings::{Holding, MissingRight, Obstacle};
use crate::catalogue::reach::Reach;
use crate::catalogue::role::Role;
use crate::catalogue::schema_privilege::NAMED_AT_MOST;
use crate::catalogue::table_privilege::OwnedTable;
use crate::catalogue::validity::{Expiry, SOON, ValidUntil};
use crate::failure::describe;
use crate::postgres::{self, Identifier, QualifiedTable};
use crate::printable::printable_line;
use crate::resource::change::{self, lines};
use crate::terraform::{AttributePath, Diagnostic, Diagnostics};

/// A new role without a password.
pub(crate) fn password_missing() -> Diagnostic {
    let detail = "A new role needs a password to log in. Set password_wo, and password_wo_version = 1.";
    Diagnostic::error("Password missing", detail).at(AttributePath::of("password_wo"))
}

/// A role is to be adopted without a password, and there is none.
pub(crate) fn nothing_to_adopt(role: &Identifier) -> Diagnostic {
    let detail = format!(
        "There is no role {role} to adopt, and a new role needs a password to log in with. Set password_wo, with \
         password_wo_version = 1, or create the role first."
    );
    Diagnostic::error("Password missing", detail).at(AttributePath::of("password_wo"))
}

/// The role already exists.
pub(crate) fn already_exists(desired: &Desired, existing: &Role) -> Diagnostic {
    let opening = format!(
        "The role {} already exists (oid {}). A role belongs to the whole server, so only one resource can manage it, in one \
         database.",
        desired.name, existing.oid,
    );
    let closing = "Or set adopt_existing = true to take it over on create. If another resource or configuration manages it, \
                   choose another name.";
    change::already_exists::<ReplicationUser>(&opening, &desired.id(), closing).at(AttributePath::of("name"))
}

/// An adopted role is used elsewhere.
pub(crate) fn used_elsewhere(desired: &Desired, databases: &[String]) -> Diagnostic {
    let databases: Vec<String> = databases.iter().map(|name| format!("{name:?}")).collect();
    let detail = format!(
        "The role {} already has privileges in the database {}. Only one resource can manage a role, in one database. A second \
         resource would undo the work of the first, for example when it is destroyed. Choose another name for the role in \
         database {}.",
        desired.name,
        databases.join(", "),
        desired.database,
    );
    Diagnostic::error("Role is used in another database", detail).at(AttributePath::of("name"))
}

/// A role to be adopted was dropped between plan and apply.
pub(crate) fn role_gone(role: &Identifier) -> Diagnostic {
    let detail = format!("The role {role} no longer exists. Plan again; the new plan will create it.");
    Diagnostic::error("Role not found", detail).at(AttributePath::of("name"))
}

pub(crate) fn renamed(from: &Identifier, to: &Identifier) -> Diagnostic {
    let detail = format!(
        "The role {from} is renamed to {to}. Logins as {from} then fail. Change credentials.username of the ClickPipes that use \
         it at the same time."
    );
    Diagnostic::warning("Pipes log in with this name", detail).at(AttributePath::of("name"))
}

/// A password that is not accepted any more, or not for long.
pub(crate) fn expiry(role: &Identifier, valid_until: ValidUntil, expiry: Expiry) -> Option<Diagnostic> {
    let (title, when) = match expiry {
        Expiry::Far => return None,
        Expiry::Soon => ("Password expires soon", format!("until {valid_until}, less than {SOON} from now. From then on")),
        Expiry::Passed => ("Password has expired", format!("until {valid_until}, which has passed:")),
    };
    let detail = format!(
        "The password of {role} is valid {when} PostgreSQL refuses every login with it, and a ClickPipe cannot connect. A new password \
         changes nothing about that. Set valid_until to a later time, or to \"infinity\", and apply. Without Terraform, an \
         administrator runs:\n\n{}",
        statement::end_expiry(role)
    );
    Some(Diagnostic::warning(title, detail).at(AttributePath::of("valid_until")))
}

/// A role that may not connect even once.
pub(crate) fn no_connections(role: &Identifier) -> Diagnostic {
    let detail = format!(
        "The connection limit of {role} is 0: PostgreSQL refuses every login as it, and a ClickPipe cannot connect. Set connection_limit \
         to -1 (no limit) or to a positive number, and apply. Without Terraform, an administrator runs:\n\n{}",
        statement::end_limit(role)
    );
    Diagnostic::warning("Role may not connect", detail).at(AttributePath::of("connection_limit"))
}

/// Schemas and tables that are new in the configuration and do not exist.
pub(crate) fn missing(prior: Option<&Desired>, desired: &Desired, observed: &Observed, at_apply: bool) -> Diagnostics {
    let mut missing = Diagnostics::new();
    let mut push = |kind: &str, name: &str, path: AttributePath| {
        let way_out = if at_apply {
            "Nothing was changed. Create it first, or remove it from the configuration."
        } else {
            "Create it before this plan is applied."
        };
        let detail = format!("Attribute {path}: there is no {kind} {name:?} in database {}. {way_out}", desired.database);
        let summary = format!("{}{} not found ({name})", kind[..1].to_uppercase(), &kind[1..]);
        missing.push(Diagnostic::error(summary, detail).at(path));
    };
    for (index, schema) in desired.schemas.iter().enumerate() {
        let new = prior.is_none_or(|prior| !prior.schemas.contains(schema));
        if new && observed.schemas.get(schema.as_str()).is_some_and(|found| !found.exists) {
            push("schema", schema.as_str(), AttributePath::of("schemas").index(index));
        }
    }
    for (index, table) in desired.tables.iter().enumerate() {
        let new = prior.is_none_or(|prior| !prior.tables.contains(table));
        if new && observed.tables.get(&table.name()).is_some_and(|found| !found.exists) {
            push("table", &table.name(), AttributePath::of("tables").index(index));
        }
    }
    missing
}

/// The owners that the line with `<each table owner of ...>` stands for now.
pub(crate) fn owners_found(schemas: &[&Identifier], desired: &Desired, observed: &Observed) -> Diagnostics {
    if desired.table_owners.is_some() {
        return Diagnostics::new();
    }
    let found = schemas.iter().filter_map(|schema| {
        let owners = observed.schemas.get(schema.as_str()).filter(|found| found.exists)?.effective_owners(None);
        let detail = if owners.is_empty() {
            format!(
                "The schema {schema} has no tables, so there are no table owners whose later tables could become readable. \
                 Tables created later show up as drift. To avoid this, name their future owners in table_owners."
            )
        } else {
            let owners: Vec<String> = owners.iter().map(|owner| format!("{owner:?}")).collect();
            format!("<each table owner of {schema}> stands for {} now.", owners.join(", "))
        };
        let title = format!("Owners of tables found now (schema {})", schema.as_str());
        Some(Diagnostic::warning(title, detail).at(AttributePath::of("schemas")))
    });
    found.collect()
}

/// Whether a configuration adds a schema.
fn is_new(prior: Option<&Desired>, schema: &Identifier) -> bool {
    prior.is_none_or(|prior| !prior.schemas.contains(schema))
}

/// Lost privileges that only others can restore: said at every plan, and in the way of nothing else.
pub(crate) fn cannot_be_restored(before: &Desired, desired: &Desired, observed: &Observed) -> Diagnostics {
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
    if let Some(found) = observed.role.as_ref().filter(|found| !found.connect && !found.connect_grantable) {
        let grant = statement::connect_by_the_owner(&desired.database, role);
        lost.entry(&found.database_owner).or_default().push(grant);
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
            "{role} lacks privileges that the provider cannot restore, because {:?} is not a member of {owner:?}. A pipe cannot \
             read the tables concerned. Let {owner:?} run:\n\n{}{more}",
            observed.facts.current_user,
            statements.join("\n")
        );
        Diagnostic::warning(format!("Privileges that cannot be restored ({owner})"), detail)
    });
    said.chain(owners_gone(before, desired, observed)).collect()
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

/// Privileges that are left after a revocation: REVOKE takes back only what the acting role granted.
pub(crate) fn still_readable(desired: &Desired, ran: &[Operation], readable: &[OwnedTable]) -> Diagnostics {
    let is_granted = |table: &QualifiedTable| {
        let grants = |operation: &Operation| match operation {
            Operation::GrantSelect { table: granted, .. } => granted == table,
            Operation::GrantSelectOnAll { schema, .. } => *schema == table.schema,
            _ => false,
        };
        ran.iter().any(grants)
    };
    let is_revoked = |table: &QualifiedTable| {
        let revokes = |operation: &Operation| match operation {
            Operation::RevokeSelect { table: revoked, .. } => revoked == table,
            Operation::RevokeSelectOnAll { schema, .. } => *schema == table.schema,
            _ => false,
        };
        ran.iter().any(revokes)
    };
    let left: Vec<&OwnedTable> = readable.iter().filter(|found| is_revoked(&found.table) && !is_granted(&found.table)).collect();
    if left.is_empty() {
        return Diagnostics::new();
    }
    let shown = left.iter().take(NAMED_AT_MOST).map(|found| format!("{} (of {:?})", found.table, found.owner));
    let detail = format!(
        "{} can still read {}{}: another role than the one that the provider acts as granted SELECT on it too. What others granted is \
         kept. If it is to go, let that role or the owner run REVOKE SELECT ON TABLE ... FROM {}.",
        desired.name,
        shown.collect::<Vec<_>>().join(", "),
        if left.len() > NAMED_AT_MOST { " and others" } else { "" },
        desired.name
    );
    Diagnostic::warning("Tables are still readable", detail).into()
}

/// Owners and tables for which the admin cannot act.
pub(crate) fn out_of_reach(
    prior: Option<&Desired>,
    schemas: &[&Identifier],
    desired: &Desired,
    observed: &Observed,
    unreadable: &[OwnedTable],
    at_apply: bool,
) -> Diagnostics {
    let mut tables: BTreeMap<&str, Vec<QualifiedTable>> = BTreeMap::new();
    for found in unreadable.iter().filter(|found| found.reach == Reach::None && is_new(prior, &found.table.schema)) {
        tables.entry(&found.owner).or_default().push(found.table.clone());
    }
    for table in desired.single_tables().filter(|table| prior.is_none_or(|prior| !prior.tables.contains(table))) {
        if let Some(found) = observed.tables.get(&table.name()).filter(|found| found.exists && !found.select)
            && let (Reach::None, Some(owner)) = (found.reach, &found.owner)
        {
            tables.entry(owner).or_default().push(table.clone());
        }
    }
    let mut defaults: BTreeMap<&str, Vec<&Identifier>> = BTreeMap::new();
    for schema in schemas {
        let Some(found) = observed.schemas.get(schema.as_str()) else { continue };
        let wanted = found.effective_owners(desired.table_owners.as_deref());
        for (name, owner) in found.owners.iter().filter(|(name, _)| wanted.contains(*name)) {
            let is_added = |prior: &Desired| Identifier::new(name.clone()).is_ok_and(|name| adds_owner(prior, desired, &name));
            let is_asked_for = is_new(prior, schema) || prior.is_some_and(is_added);
            if !owner.covered && owner.reach == Reach::None && is_asked_for {
                defaults.entry(name).or_default().push(schema);
            }
        }
    }
    let owners: BTreeSet<&str> = tables.keys().chain(defaults.keys()).copied().collect();
    let messages = owners.into_iter().filter_map(|owner| {
        let tables = tables.remove(owner).unwrap_or_default();
        let schemas = defaults.remove(owner).unwrap_or_default();
        unreached(&Identifier::new(owner).ok()?, &tables, &schemas, desired, &observed.facts.current_user, at_apply)
    });
    messages.collect()
}

fn unreached(
    owner: &Identifier,
    tables: &[QualifiedTable],
    schemas: &[&Identifier],
    desired: &Desired,
    admin: &str,
    at_apply: bool,
) -> Option<Diagnostic> {
    let shown = &tables[..tables.len().min(NAMED_AT_MOST)];
    let mut statements = statement::for_the_owner(shown, &desired.name);
    if tables.len() > shown.len() {
        statements.push(format!("-- and {} more tables", tables.len() - shown.len()));
    }
    statements.extend(schemas.iter().map(|schema| statement::defaults_by_the_owner(schema, &desired.name)));
    let admin = Identifier::new(admin).ok()?;
    let names: Vec<String> = shown.iter().map(QualifiedTable::to_string).collect();
    let what = if names.is_empty() {
        "tables that it creates later".to_owned()
    } else {
        format!("the tables {}{}", names.join(", "), if tables.len() > shown.len() { " and others" } else { "" })
    };
    let outcome = if at_apply { "Nothing was changed." } else { "Applying this plan would fail." };
    let detail = format!(
        "The provider works as {admin}, which is not a member of {owner} and cannot grant SELECT on {what}. {outcome}\n\nEither \
         let an administrator make {admin} a member of the owner's role:\n\n{}\n\nor create the role {} without these first, and \
         let {owner} run:\n\n{}",
        statement::reach_the_owner(owner, &admin),
        desired.name,
        statements.join("\n"),
    );
    Some(Diagnostic::error(format!("Tables of an owner out of reach ({})", owner.as_str()), detail))
}

/// The server silently skips what the admin may not grant, so each grant is checked.
pub(crate) fn verdict(
    prior: Option<&Desired>,
    desired: &Desired,
    operations: &[Operation],
    after: &Observed,
    unreadable: &[OwnedTable],
) -> Diagnostics {
    let mut faults = Diagnostics::new();
    let mut fault = |what: String, operation: &Operation| {
        faults.push(not_granted(&what, &operation.to_string()));
    };
    let role = &desired.name;
    for table in unreadable.iter().filter(|table| table.reach != Reach::None || is_new(prior, &table.table.schema)) {
        let grant = Operation::GrantSelect { table: table.table.clone(), role: role.clone() };
        fault(format!("{role} still cannot read {}, which belongs to {:?}", table.table, table.owner), &grant);
    }
    for operation in operations {
        match operation {
            Operation::GrantConnect { database, .. } if !after.role.as_ref().is_some_and(|role| role.connect) => {
                fault(format!("{role} still cannot connect to database {database}"), operation);
            }
            Operation::GrantUsage { schema, .. }
                if after.schemas.get(schema.as_str()).is_some_and(|found| found.exists && !found.usage) =>
            {
                fault(format!("{role} still cannot use schema {schema}"), operation);
            }
            Operation::GrantSelect { table, .. }
                if after.tables.get(&table.name()).is_some_and(|found| found.exists && !found.select) =>
            {
                fault(format!("{role} still cannot read {table}"), operation);
            }
            _ => {}
        }
    }
    faults
}

/// A privilege that is still missing after it was granted: the server skipped it, with at most a warning.
fn not_granted(what: &str, statement: &str) -> Diagnostic {
    let detail = format!(
        "The server accepted the statements, but {what}, because the provider's role may not grant this privilege. Nothing was \
         changed. Let the owner run:\n\n{statement}"
    );
    Diagnostic::error("Privilege was not granted", detail)
}

/// What prevents a destroy.
pub(crate) fn in_the_way(role: &Role, admin: &str, obstacles: &[&Obstacle], at_apply: bool) -> Diagnostic {
    let outcome = if at_apply { "cannot be dropped" } else { "cannot be dropped until this is resolved" };
    let reasons: Vec<String> = obstacles.iter().map(|obstacle| reason(obstacle, &role.name, admin)).collect();
    let role = &role.name;
    let detail = format!(
        "The role {role:?} {outcome}:\n\n- {}\n\nThe provider does not reassign or drop these objects itself. Stop the ClickPipe \
         that uses the role, give its objects another owner or drop them, then try again.",
        reasons.join("\n- ")
    );
    Diagnostic::error("Role is in use", detail)
}

fn reason(obstacle: &Obstacle, role: &str, admin: &str) -> String {
    // These names are from the catalogue, so they are valid.
    let name = |text: &str| Identifier::new(text).map_or_else(|_| text.to_owned(), |name| name.to_string());
    let revoke = |holding: &Holding, from: &str, columns: &[Identifier]| {
        let statement =
            Identifier::new(from).map(|from| statement::take_back(holding, &from.to_string(), columns)).unwrap_or_default();
        printable_line(&statement)
    };
    match obstacle {
        Obstacle::GrantedBy { grantor, holding, columns, database } => format!(
            "{grantor:?} granted it a privilege, and {admin:?} cannot act as {grantor:?}. Let {grantor:?} run, in database \
             {database:?}: {};",
            revoke(holding, role, columns)
        ),
        Obstacle::Stuck { grantor, owner, holding, database } => format!(
            "{grantor:?} granted it a privilege and now has the privileges of {owner:?}, with which REVOKE overlooks that grant. Take \
             {owner:?} from {grantor:?} for a moment, and then let {grantor:?} run, in database {database:?}: {};",
            revoke(holding, role, &[])
        ),
        Obstacle::ShutOut { grantor, owner, holding, database } => format!(
            "{grantor:?} granted it a privilege, and may not use the schema any more. Let {owner:?} run, in database {database:?}: \
             {} CASCADE;",
            revoke(holding, grantor, &[])
        ),
        Obstacle::GrantedOn { grantee, holding, columns, database } => {
            let grantee = grantee.as_ref().map_or_else(|| "PUBLIC".to_owned(), Identifier::to_string);
            let statement = printable_line(&statement::take_back(holding, &grantee, columns));
            format!(
                "it granted a privilege to {grantee}. An administrator acts for it with SET ROLE {}. Let {role:?} run, in database \
                 {database:?}: {statement};",
                name(role)
            )
        }
        Obstacle::MayNotDrop(missing) => {
            let right = statement::right_to_drop(*missing, &name(role), &name(admin));
            match missing {
                MissingRight::Superuser => format!("it is a superuser. Let a superuser run: {right}"),
                MissingRight::CreateRole | MissingRight::AdminOption => {
                    format!("{admin:?} may not drop it. Let an administrator run: {right}")
                }
            }
        }
        Obstacle::Owns { object, database } => format!("it owns {} (database {database:?})", printable_line(object)),
        Obstacle::HoldsPrivileges { object, database } => {
            format!("it holds privileges on {} (database {database:?})", printable_line(object))
        }
        Obstacle::IsReferredTo { object, database } => {
            format!("{} depends on it (database {database:?})", printable_line(object))
        }
        Obstacle::Replicates { pid, application } => {
            format!("it has an open replication connection (pid {pid}, application {application:?})")
        }
    }
}

/// A destroy that failed in one database after it had cleared others.
pub(crate) fn partly_done(failure: Diagnostics, cleared: &[Operation]) -> Diagnostics {
    let partly = |diagnostic: Diagnostic| {
        // The messages were written for one transaction, in which a failure changes nothing.
        let detail = diagnostic.detail.replace("Nothing was changed.", "In this database nothing was changed.");
        let done = lines(cleared).join("\n  ");
        let detail = format!("{detail}\n\nIn other databases this was done before, and need not be done again:\n  {done}");
        Diagnostic { detail, ..diagnostic }
    };
    failure.into_iter().map(partly).collect()
}

/// A statement that failed because a privilege is missing.
pub(crate) fn insufficient_privilege(error: &postgres::Error, admin: &str) -> Diagnostic {
    let detail = format!(
        "{}\n\nNothing was changed. The provider's role {admin:?} needs CREATEROLE and ADMIN OPTION on rds_replication (a member \
         of rds_superuser has it). It must also be a member of the owners of the schemas and tables concerned, or have the \
         privileges on them WITH GRANT OPTION.",
        describe(error)
    );
    Diagnostic::error("Missing privilege", detail)
}
