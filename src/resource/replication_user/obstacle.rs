//! What prevents a role from being dropped, each with who must run what. Pure.

use super::statement;
use crate::catalogue::holding::Holding;
use crate::catalogue::holdings::{MissingRight, Obstacle, ShutBy};
use crate::catalogue::role::Role;
use crate::postgres::Identifier;
use crate::printable::printable_line;
use crate::terraform::Diagnostic;

/// What prevents a destroy.
pub(super) fn in_the_way(role: &Role, admin: &str, obstacles: &[&Obstacle], at_apply: bool) -> Diagnostic {
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
            let statement = match columns[..] {
                [] => taken_back(holding, grantee.as_ref()),
                _ => printable_line(&statement::take_back(holding, &grantee_name(grantee.as_ref()), columns)),
            };
            let grantee = grantee_name(grantee.as_ref());
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
        Obstacle::OwnsDefaults { holding, grantees, database } => {
            let resets = statement::reset_defaults(holding, &name(role), grantees);
            let resets: Vec<String> = resets.iter().map(|reset| format!("{};", printable_line(reset))).collect();
            format!(
                "it has default privileges for objects that it creates. An administrator acts for it with SET ROLE {}. Let {role:?} run, \
                 in database {database:?}: {}",
                name(role),
                resets.join(" ")
            )
        }
        Obstacle::Maps { server, database } => format!(
            "it has a user mapping. Let the owner of server {server} run, in database {database:?}: {};",
            printable_line(&statement::drop_mapping(&name(role), server))
        ),
        Obstacle::InPolicy { policy, table, owner, others, database } => format!(
            "a policy applies to it. Let {owner:?} run, in database {database:?}: {};",
            printable_line(&statement::leave_policy(policy, table, others))
        ),
        Obstacle::Shut { database, held, owned, cause } => shut(database, *held, *owned, cause, &name(role), &name(admin)),
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

fn grantee_name(grantee: Option<&Identifier>) -> String {
    grantee.map_or_else(|| "PUBLIC".to_owned(), Identifier::to_string)
}

fn taken_back(holding: &Holding, grantee: Option<&Identifier>) -> String {
    printable_line(&statement::take_back(holding, &grantee_name(grantee), &[]))
}

/// A database into which the provider cannot look. What the role holds there is counted from outside.
fn shut(database: &Identifier, held: i64, owned: i64, cause: &ShutBy, role: &str, admin: &str) -> String {
    let there = match (held, owned) {
        (held, 0) => format!("privileges on {held} objects"),
        (0, owned) => format!("{owned} objects of its own"),
        (held, owned) => format!("privileges on {held} objects, and {owned} objects of its own,"),
    };
    let opening = format!("it has {there} in database {database}, into which {admin} cannot look");
    match cause {
        ShutBy::NoConnections => format!(
            "{opening}: it accepts no connections. Let the owner of the database, or a superuser, run: ALTER DATABASE {database} \
             ALLOW_CONNECTIONS true;"
        ),
        ShutBy::NoConnect => format!(
            "{opening}: it lacks CONNECT. Let the owner of the database, or a superuser, run: GRANT CONNECT ON DATABASE {database} TO \
             {admin};"
        ),
        ShutBy::Refused(error) if owned == 0 => format!(
            "{opening}: {}. Let the server admit it, or a superuser run, in that database: DROP OWNED BY {role}; (the role owns nothing \
             there, so this only revokes)",
            printable_line(error)
        ),
        ShutBy::Refused(error) => format!("{opening}: {}. Let the server admit it", printable_line(error)),
    }
}
