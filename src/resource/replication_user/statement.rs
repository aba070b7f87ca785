//! An operation as SQL, and its line. Pure.

use std::fmt;

use super::acting::turns;
use super::observed::Observed;
use super::operation::{Operation, Owners};
use crate::catalogue::holding::{DefaultsOf, Holding, Object};
use crate::catalogue::holdings::MissingRight;
use crate::catalogue::iam::RDS_IAM;
use crate::catalogue::validity::ValidUntil;
use crate::postgres::{Identifier, Statement};
use crate::secret::Secret;

/// The line of `operations` and `drift`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&display(self))?;
        match self {
            Self::TakeBack { database: Some(database), .. } => write!(f, " (database {:?})", database.as_str()),
            _ => Ok(()),
        }
    }
}

/// The statement, as it may be shown.
pub(crate) fn display(operation: &Operation) -> String {
    statement(operation, Some(&Secret::default())).display().to_owned()
}

/// The statements of an operation, as an owner if needed.
pub(super) fn statements(operation: &Operation, verifier: Option<&Secret>, now: &Observed) -> Vec<Statement> {
    let each = turns(operation, now).into_iter().flat_map(|turn| {
        let own = statement(&turn.operation, verifier);
        match (&turn.as_owner, &turn.operation) {
            (Some(owner), _) => own.acting_as(owner),
            // The server says below WARNING that a password was cleared.
            (None, Operation::RenameRole { .. }) => vec![with_notices(true), own, with_notices(false)],
            (None, _) => vec![own],
        }
    });
    each.collect()
}

/// The statement of an operation. `verifier` is that of the new password: none leaves the password out of a created role.
pub(crate) fn statement(operation: &Operation, verifier: Option<&Secret>) -> Statement {
    let sql = match operation {
        Operation::CreateRole { role, replication, connection_limit, valid_until, password } => {
            let role =
                Statement::new(format!("CREATE ROLE {role} LOGIN{}", options(*replication, *connection_limit, *valid_until)));
            return with_password(role, verifier.filter(|_| *password));
        }
        Operation::AdoptRole { role, replication, connection_limit, valid_until, password } => {
            let role =
                Statement::new(format!("ALTER ROLE {role} LOGIN{}", options(*replication, *connection_limit, *valid_until)));
            return with_password(role, verifier.filter(|_| *password));
        }
        Operation::SetPassword { role } => return with_password(Statement::new(format!("ALTER ROLE {role}")), verifier),
        Operation::RenameRole { from, to } => format!("ALTER ROLE {from} RENAME TO {to}"),
        Operation::AllowLogin { role } => format!("ALTER ROLE {role} LOGIN"),
        Operation::AllowReplication { role } => format!("ALTER ROLE {role} REPLICATION"),
        Operation::GrantReplication { role } => format!("GRANT \"rds_replication\" TO {role}"),
        Operation::GrantIam { role } => format!("GRANT \"{RDS_IAM}\" TO {role}"),
        Operation::RevokeIam { role, granted_by } => {
            let by = granted_by.as_ref().map(|grantor| format!(" GRANTED BY {grantor}")).unwrap_or_default();
            format!("REVOKE \"{RDS_IAM}\" FROM {role}{by}")
        }
        Operation::ClearPassword { role } => format!("ALTER ROLE {role} PASSWORD NULL"),
        Operation::LimitConnections { role, limit } => format!("ALTER ROLE {role} CONNECTION LIMIT {limit}"),
        Operation::SetValidUntil { role, valid_until } => format!("ALTER ROLE {role}{}", validity(*valid_until)),
        Operation::GrantConnect { database, role } => format!("GRANT CONNECT ON DATABASE {database} TO {role}"),
        Operation::GrantUsage { schema, role } => format!("GRANT USAGE ON SCHEMA {schema} TO {role}"),
        Operation::GrantSelectOnAll { schema, role } => format!("GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}"),
        Operation::GrantSelect { table, role } => format!("GRANT SELECT ON TABLE {table} TO {role}"),
        Operation::GrantDefaults { owners, schema, role } => {
            let owner = match owners {
                Owners::Each => format!("<each table owner of {schema}>"),
                Owners::Named(owner) => owner.to_string(),
            };
            format!("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role}")
        }
        Operation::RevokeDefaults { owner, schema, role } => {
            format!("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} REVOKE SELECT ON TABLES FROM {role}")
        }
        Operation::RevokeSelectOnAll { schema, role } => format!("REVOKE SELECT ON ALL TABLES IN SCHEMA {schema} FROM {role}"),
        Operation::RevokeSelect { table, role } => format!("REVOKE SELECT ON TABLE {table} FROM {role}"),
        Operation::RevokeUsage { schema, role } => format!("REVOKE USAGE ON SCHEMA {schema} FROM {role}"),
        // These two are lines only: `remaining` has expanded them before anything runs.
        Operation::ClearSchema { schema, role } => format!("REVOKE everything from {role} on tables of schema {schema}"),
        Operation::ClearDatabase { database, role } => format!("REVOKE everything from {role} in database {database}"),
        Operation::TakeBack { holding, role, .. } => take_back(holding, &role.to_string(), &[]),
        Operation::DropRole { role } => format!("DROP ROLE {role}"),
    };
    Statement::new(sql)
}

/// What takes back a privilege from a role, which is quoted already, or from PUBLIC; on a table, the whole of it or that on columns.
pub(crate) fn take_back(holding: &Holding, role: &str, columns: &[Identifier]) -> String {
    let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
    let columns = if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
    match holding {
        Holding::Defaults { owner, schema, objects } => {
            let schema = schema.as_ref().map(|schema| format!(" IN SCHEMA {schema}")).unwrap_or_default();
            format!("ALTER DEFAULT PRIVILEGES FOR ROLE {owner}{schema} REVOKE ALL ON {} FROM {role}", objects.sql())
        }
        Holding::Privileges(object) => match object {
            Object::AllTables(schema) => format!("REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"),
            Object::Table(table) => format!("REVOKE ALL{columns} ON TABLE {table} FROM {role}"),
            Object::Sequence(sequence) => format!("REVOKE ALL ON SEQUENCE {sequence} FROM {role}"),
            Object::Schema(schema) => format!("REVOKE ALL ON SCHEMA {schema} FROM {role}"),
            Object::Database(database) => format!("REVOKE ALL ON DATABASE {database} FROM {role}"),
            Object::Routine(identity) => format!("REVOKE ALL ON ROUTINE {identity} FROM {role}"),
            Object::Other { kind, identity } => format!("REVOKE ALL ON {} {} FROM {role}", kind.sql(), kind.quoted(identity)),
        },
    }
}

/// What removes the default privileges of a role, which is quoted already, for these (`None`: PUBLIC). Those that are not for one schema
/// count until they are what is built in: all for the role itself, and for PUBLIC to execute routines and use types.
pub(crate) fn reset_defaults(holding: &Holding, role: &str, grantees: &[Option<Identifier>]) -> Vec<String> {
    let Holding::Defaults { owner, schema, objects } = holding else { return Vec::new() };
    let built_in = match objects {
        _ if schema.is_some() => None,
        DefaultsOf::Routines => Some("EXECUTE"),
        DefaultsOf::Types => Some("USAGE"),
        DefaultsOf::Tables | DefaultsOf::Sequences | DefaultsOf::Schemas | DefaultsOf::LargeObjects => None,
    };
    let others = grantees.iter().filter(|grantee| grantee.is_some() || built_in.is_none());
    let revokes = others.map(|grantee| {
        let grantee = grantee.as_ref().map_or_else(|| "PUBLIC".to_owned(), Identifier::to_string);
        take_back(holding, &grantee, &[])
    });
    let grant = |privileges: &str, to: &str| {
        format!("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT {privileges} ON {} TO {to}", objects.sql())
    };
    let own = schema.is_none().then(|| grant("ALL", role));
    revokes.chain(own).chain(built_in.map(|privilege| grant(privilege, "PUBLIC"))).collect()
}

fn with_notices(all: bool) -> Statement {
    Statement::new(format!("SET LOCAL client_min_messages = {}", if all { "notice" } else { "warning" }))
}

/// What the owner of tables that the admin cannot reach must run.
pub(crate) fn for_the_owner(tables: &[crate::postgres::QualifiedTable], role: &Identifier) -> Vec<String> {
    tables.iter().map(|table| format!("GRANT SELECT ON TABLE {table} TO {role};")).collect()
}

/// What the owner of later tables must run.
pub(crate) fn defaults_by_the_owner(schema: &Identifier, role: &Identifier) -> String {
    format!("ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role};")
}

/// What the owner of a schema that the admin cannot reach must run.
pub(crate) fn usage_by_the_owner(schema: &Identifier, role: &Identifier) -> String {
    let (schema, role) = (schema.clone(), role.clone());
    format!("{};", display(&Operation::GrantUsage { schema, role }))
}

/// What the owner of a database that the admin cannot reach must run.
pub(crate) fn connect_by_the_owner(database: &Identifier, role: &Identifier) -> String {
    let (database, role) = (database.clone(), role.clone());
    format!("{};", display(&Operation::GrantConnect { database, role }))
}

/// What an administrator runs so that a password does not expire.
pub(crate) fn end_expiry(role: &Identifier) -> String {
    let (role, valid_until) = (role.clone(), ValidUntil::Infinity);
    format!("{};", display(&Operation::SetValidUntil { role, valid_until }))
}

/// What an administrator runs so that a role may connect any number of times.
pub(crate) fn end_limit(role: &Identifier) -> String {
    format!("{};", display(&Operation::LimitConnections { role: role.clone(), limit: -1 }))
}

/// What gives the admin the right to drop a role. The names are quoted already.
pub(crate) fn right_to_drop(missing: MissingRight, role: &str, admin: &str) -> String {
    match missing {
        MissingRight::Superuser => format!("ALTER ROLE {role} NOSUPERUSER;"),
        MissingRight::CreateRole => format!("ALTER ROLE {admin} CREATEROLE;"),
        MissingRight::AdminOption => format!("GRANT {role} TO {admin} WITH ADMIN OPTION;"),
    }
}

/// What lets a role, which an operation names in place of the user, pass a privilege on.
pub(crate) fn with_grant_option(grant: &Operation) -> String {
    format!("{} WITH GRANT OPTION;", display(grant))
}

/// What takes a role, which is quoted already, off a foreign server.
pub(crate) fn drop_mapping(role: &str, server: &Identifier) -> String {
    format!("DROP USER MAPPING FOR {role} SERVER {server}")
}

/// What takes a role out of a policy that applies to `others` too.
pub(crate) fn leave_policy(policy: &Identifier, table: &crate::postgres::QualifiedTable, others: &[Identifier]) -> String {
    let names: Vec<String> = others.iter().map(ToString::to_string).collect();
    match names[..] {
        [] => format!("DROP POLICY {policy} ON {table}"),
        _ => format!("ALTER POLICY {policy} ON {table} TO {}", names.join(", ")),
    }
}

fn options(replication: bool, connection_limit: Option<i64>, valid_until: Option<ValidUntil>) -> String {
    let limit = connection_limit.map(|limit| format!(" CONNECTION LIMIT {limit}")).unwrap_or_default();
    let validity = valid_until.map(validity).unwrap_or_default();
    format!("{}{limit}{validity}", if replication { " REPLICATION" } else { "" })
}

/// The text of a time has no character that would need an escape.
fn validity(valid_until: ValidUntil) -> String {
    format!(" VALID UNTIL '{valid_until}'")
}

fn with_password(statement: Statement, verifier: Option<&Secret>) -> Statement {
    match verifier {
        Some(verifier) => statement.then(" PASSWORD ").then_secret(verifier),
        None => statement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifier(name: &str) -> Identifier {
        Identifier::new(name).unwrap()
    }

    #[test]
    fn every_operation_is_one_statement_with_quoted_names() {
        let (role, schema) = (identifier("u\"r"), identifier("My S"));
        let table = crate::postgres::QualifiedTable { schema: schema.clone(), table: identifier("t") };
        let owner = identifier("own");
        let time: ValidUntil = "2027-01-31T01:00:00+01:00".parse().unwrap();
        let cases = [
            (
                Operation::CreateRole {
                    role: role.clone(),
                    replication: true,
                    connection_limit: Some(5),
                    valid_until: Some(time),
                    password: true,
                },
                "CREATE ROLE \"u\"\"r\" LOGIN REPLICATION CONNECTION LIMIT 5 VALID UNTIL '2027-01-31T00:00:00Z' PASSWORD '<redacted>'",
            ),
            (
                Operation::AdoptRole {
                    role: role.clone(),
                    replication: false,
                    connection_limit: None,
                    valid_until: None,
                    password: true,
                },
                "ALTER ROLE \"u\"\"r\" LOGIN PASSWORD '<redacted>'",
            ),
            (Operation::RenameRole { from: role.clone(), to: owner.clone() }, "ALTER ROLE \"u\"\"r\" RENAME TO \"own\""),
            (Operation::SetPassword { role: role.clone() }, "ALTER ROLE \"u\"\"r\" PASSWORD '<redacted>'"),
            (Operation::AllowLogin { role: role.clone() }, "ALTER ROLE \"u\"\"r\" LOGIN"),
            (Operation::AllowReplication { role: role.clone() }, "ALTER ROLE \"u\"\"r\" REPLICATION"),
            (Operation::GrantReplication { role: role.clone() }, "GRANT \"rds_replication\" TO \"u\"\"r\""),
            (Operation::GrantIam { role: role.clone() }, "GRANT \"rds_iam\" TO \"u\"\"r\""),
            (Operation::RevokeIam { role: role.clone(), granted_by: None }, "REVOKE \"rds_iam\" FROM \"u\"\"r\""),
            (
                Operation::RevokeIam { role: role.clone(), granted_by: Some(owner.clone()) },
                "REVOKE \"rds_iam\" FROM \"u\"\"r\" GRANTED BY \"own\"",
            ),
            (Operation::ClearPassword { role: role.clone() }, "ALTER ROLE \"u\"\"r\" PASSWORD NULL"),
            (Operation::LimitConnections { role: role.clone(), limit: -1 }, "ALTER ROLE \"u\"\"r\" CONNECTION LIMIT -1"),
            (
                Operation::SetValidUntil { role: role.clone(), valid_until: ValidUntil::Infinity },
                "ALTER ROLE \"u\"\"r\" VALID UNTIL 'infinity'",
            ),
            (
                Operation::GrantConnect { database: schema.clone(), role: role.clone() },
                "GRANT CONNECT ON DATABASE \"My S\" TO \"u\"\"r\"",
            ),
            (
                Operation::GrantUsage { schema: schema.clone(), role: role.clone() },
                "GRANT USAGE ON SCHEMA \"My S\" TO \"u\"\"r\"",
            ),
            (
                Operation::GrantSelectOnAll { schema: schema.clone(), role: role.clone() },
                "GRANT SELECT ON ALL TABLES IN SCHEMA \"My S\" TO \"u\"\"r\"",
            ),
            (
                Operation::GrantSelect { table: table.clone(), role: role.clone() },
                "GRANT SELECT ON TABLE \"My S\".\"t\" TO \"u\"\"r\"",
            ),
            (
                Operation::GrantDefaults { owners: Owners::Each, schema: schema.clone(), role: role.clone() },
                "ALTER DEFAULT PRIVILEGES FOR ROLE <each table owner of \"My S\"> IN SCHEMA \"My S\" GRANT SELECT ON TABLES TO \"u\"\"r\"",
            ),
            (
                Operation::GrantDefaults { owners: Owners::Named(owner.clone()), schema: schema.clone(), role: role.clone() },
                "ALTER DEFAULT PRIVILEGES FOR ROLE \"own\" IN SCHEMA \"My S\" GRANT SELECT ON TABLES TO \"u\"\"r\"",
            ),
            (
                Operation::RevokeDefaults { owner, schema: schema.clone(), role: role.clone() },
                "ALTER DEFAULT PRIVILEGES FOR ROLE \"own\" IN SCHEMA \"My S\" REVOKE SELECT ON TABLES FROM \"u\"\"r\"",
            ),
            (
                Operation::RevokeSelectOnAll { schema: schema.clone(), role: role.clone() },
                "REVOKE SELECT ON ALL TABLES IN SCHEMA \"My S\" FROM \"u\"\"r\"",
            ),
            (Operation::RevokeSelect { table, role: role.clone() }, "REVOKE SELECT ON TABLE \"My S\".\"t\" FROM \"u\"\"r\""),
            (Operation::RevokeUsage { schema, role }, "REVOKE USAGE ON SCHEMA \"My S\" FROM \"u\"\"r\""),
        ];
        for (operation, sql) in cases {
            assert_eq!(display(&operation), sql);
        }
    }

    #[test]
    fn a_role_can_be_adopted_without_a_password() {
        let (role, valid_until) = (identifier("u"), None);
        let adopt = Operation::AdoptRole { role, replication: true, connection_limit: None, valid_until, password: false };
        assert_eq!(display(&adopt), "ALTER ROLE \"u\" LOGIN REPLICATION");
    }
}
