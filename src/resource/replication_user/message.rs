//! Messages about roles, each with the reason and the remedy. Pure; the same situation gives the same text.

use super::desired::Desired;
use super::lacking::is_new;
use super::observed::Observed;
use super::operation::Operation;
use super::schema::ReplicationUser;
use super::statement;
use crate::catalogue::reach::Reach;
use crate::catalogue::role::Role;
use crate::catalogue::schema_privilege::NAMED_AT_MOST;
use crate::catalogue::table_privilege::OwnedTable;
use crate::catalogue::validity::{Expiry, SOON, ValidUntil};
use crate::failure::describe;
use crate::postgres::{self, Identifier, QualifiedTable};
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

/// `keeps_login`: the change sets the password too, or there is none.
pub(crate) fn renamed(from: &Identifier, to: &Identifier, keeps_login: bool) -> Diagnostic {
    let password = match keeps_login {
        true => "",
        false => {
            " If its password is stored as md5 (the default up to PostgreSQL 13), the rename clears it, and the role cannot log in any more: \
             set password_wo and password_wo_version, and the same change sets it again."
        }
    };
    let detail = format!(
        "The role {from} is renamed to {to}. Logins as {from} then fail. Change credentials.username of the ClickPipes that use \
         it at the same time.{password}"
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

/// The server's notice of a rename, where nothing sets the password again.
pub(crate) fn password_cleared(role: &Identifier) -> Diagnostic {
    let detail = format!(
        "The password of {role} was stored as md5, which contains the name, so the server has cleared it with the rename: the role cannot \
         log in. Set password_wo, with another password_wo_version."
    );
    Diagnostic::warning("The password was cleared", detail).at(AttributePath::of("password_wo"))
}

/// The role that the provider itself works as.
pub(crate) fn own_login(role: &Identifier) -> Diagnostic {
    let detail = format!(
        "The provider logs in as {role}. It does not manage the role that it works as: a pipe should have no more rights than it needs, and \
         a destroy would drop it. Choose another name."
    );
    Diagnostic::error("Role of the provider itself", detail).at(AttributePath::of("name"))
}

/// Schemas and tables that are new in the configuration and do not exist.
pub(crate) fn missing(prior: Option<&Desired>, desired: &Desired, observed: &Observed, at_apply: bool) -> Diagnostics {
    let mut missing = Diagnostics::new();
    let mut push = |kind: &str, name: &str, near: Option<String>, path: AttributePath| {
        let near = near.map(|near| format!(" There is {near:?}: names are compared exactly, with upper and lower case."));
        let near = near.unwrap_or_default();
        let way_out = if at_apply {
            "Nothing was changed. Create it first, or remove it from the configuration."
        } else {
            "Create it before this plan is applied."
        };
        let detail = format!("Attribute {path}: there is no {kind} {name:?} in database {}.{near} {way_out}", desired.database);
        let summary = format!("{}{} not found ({name})", kind[..1].to_uppercase(), &kind[1..]);
        missing.push(Diagnostic::error(summary, detail).at(path));
    };
    for (index, schema) in desired.schemas.iter().enumerate() {
        let new = prior.is_none_or(|prior| !prior.schemas.contains(schema));
        if let Some(found) = observed.schemas.get(schema.as_str()).filter(|found| new && !found.exists) {
            push("schema", schema.as_str(), found.near.clone(), AttributePath::of("schemas").index(index));
        }
    }
    for (index, table) in desired.tables.iter().enumerate() {
        let new = prior.is_none_or(|prior| !prior.tables.contains(table));
        if let Some(found) = observed.tables.get(&table.name()).filter(|found| new && !found.exists) {
            let near = observed.schemas.get(table.schema.as_str()).and_then(|schema| schema.near.as_ref());
            let near = near.map(|schema| (schema.as_str(), table.table.as_str()));
            let near = near.or(found.near.as_ref().map(|near| (table.schema.as_str(), near.as_str())));
            let near = near.map(|(schema, table)| format!("{schema}.{table}"));
            push("table", &table.name(), near, AttributePath::of("tables").index(index));
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

/// The server silently skips what the admin may not grant, so each grant is checked.
pub(crate) fn verdict(
    prior: Option<&Desired>,
    desired: &Desired,
    operations: &[Operation],
    after: &Observed,
    ungranted: &[OwnedTable],
) -> Diagnostics {
    let mut faults = Diagnostics::new();
    let admin = &after.facts.current_user;
    let mut fault = |what: String, operation: &Operation| faults.extend(not_granted(&what, operation, admin));
    let role = &desired.name;
    let unreadable = ungranted.iter().filter(|table| !table.readable);
    for table in unreadable.filter(|table| table.reach != Reach::None || is_new(prior, &table.table.schema)) {
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

/// A privilege that is still missing after it was granted: the server skipped it, with at most a warning. The role may not exist, so
/// the admin is who gets the right to grant.
fn not_granted(what: &str, grant: &Operation, admin: &str) -> Option<Diagnostic> {
    let grant = statement::with_grant_option(&grant.to(Identifier::new(admin).ok()?));
    let detail = format!(
        "The server accepted the statements, but {what}, because the provider's role may not grant this privilege. Nothing was \
         changed. Let the owner run:\n\n{grant}"
    );
    Some(Diagnostic::error("Privilege was not granted", detail))
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
