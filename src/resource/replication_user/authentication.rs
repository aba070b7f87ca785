//! How a role logs in: what has to be tried, what prevents a change of it, and what the practitioner should know. Pure; the same situation
//! gives the same text.

use super::desired::{Authentication, Desired};
use super::observed::Observed;
use super::operation::Operation;
use super::schema::ReplicationUser;
use super::statement::display;
use crate::catalogue::admin::SUPERUSER_OF_RDS;
use crate::catalogue::iam::RDS_IAM;
use crate::catalogue::reach::Reach;
use crate::catalogue::schema_privilege::NAMED_AT_MOST;
use crate::failure::describe;
use crate::postgres::version::MEMBERSHIP_OPTIONS;
use crate::postgres::{Flavour, Identifier};
use crate::printable::printable_line;
use crate::resource::change::{Change, Findings, Refused, Trial};
use crate::terraform::{AttributePath, Diagnostic, Diagnostics};

fn path() -> AttributePath {
    AttributePath::of("authentication")
}

/// A membership in `rds_iam` that the admin shares with the role: whether the server still lets it in with its password can only be tried.
pub(super) fn trial(now: &Observed, run: &[Operation]) -> Option<Trial<Operation>> {
    let grant = run.iter().find(|operation| matches!(operation, Operation::GrantIam { .. }));
    let Some(Operation::GrantIam { role }) = grant.filter(|_| now.closer.joins) else { return None };
    let create = run.iter().find(|operation| matches!(operation, Operation::CreateRole { .. }));
    let undo = match create {
        // It has nothing else yet.
        Some(_) => Operation::DropRole { role: role.clone() },
        None => Operation::RevokeIam { role: role.clone(), granted_by: None },
    };
    Some(Trial { first: create.into_iter().chain(grant).cloned().collect(), undo: vec![undo] })
}

/// A trial that was refused.
pub(super) fn refused(role: &Identifier, refused: &Refused<'_>) -> Diagnostic {
    let cause = format!(
        "The provider's role is a member of {role} (from PostgreSQL 16 on, whoever creates a role is), and became a member of {RDS_IAM} \
         with it"
    );
    let (title, detail) = match refused {
        Refused::TakenBack(error) => (
            "The provider would be kept out",
            format!(
                "{cause}. The server then refused a new login of the provider with its password: {}\n\nThe membership was taken back. \
                 Nothing was changed. Let the provider itself log in with an IAM token (postgres.iam_auth), which this does not affect, or \
                 keep authentication = \"password\".",
                error.server_error().map(|refusal| printable_line(&refusal.message)).unwrap_or_default()
            ),
        ),
        Refused::Left(why) => (
            "The provider may be kept out",
            format!(
                "{cause}. This could not be taken back:\n\n{}\n\nAs long as it is so, the server may refuse the password of the provider's \
                 role. If it does, let another administrator run:\n\n{};",
                describe(why),
                display(&Operation::RevokeIam { role: role.clone(), granted_by: None })
            ),
        ),
    };
    Diagnostic::error(title, detail).at(path())
}

/// What is known before a change.
pub(super) fn check(
    change: &Change<'_, ReplicationUser>,
    desired: &Desired,
    operations: Option<&[Operation]>,
    findings: &mut Findings,
) {
    if let Some(before) = change.before.filter(|before| before.authentication != desired.authentication) {
        findings.warnings.push(switched(&desired.name, desired.authentication));
        if (before.authentication, desired.has_password) == (Authentication::Iam, false) {
            findings.refusals.push(password_needed_again());
        }
    }
    if let Some(now) = change.now.filter(|now| !now.closer.members.is_empty()) {
        findings.warnings.push(kept_out_too(&desired.name, &now.closer.members));
    }
    let (seen, grants) = (change.basis().or(change.now), operations.unwrap_or_default());
    let Some(seen) = seen else { return };
    match desired.authentication {
        Authentication::Password => findings.warnings.extend(token_only(change.before, desired, seen)),
        Authentication::Iam => {
            let site = change.now.and_then(|now| now.site.as_ref()).or(seen.site.as_ref());
            let is_off = site.and_then(|site| site.iam_authentication) == Some(false);
            findings.warnings.extend(is_off.then(|| off(&desired.name)));
            let grants = grants.iter().any(|operation| matches!(operation, Operation::GrantIam { .. }));
            let lost = seen.role.as_ref().is_some_and(|role| !role.iam.is_effective()) && !grants && change.before.is_some();
            match seen.admin.iam {
                None => findings.refusals.push(no_such_role(seen)),
                Some(Reach::None) if grants => findings.unmet.push(may_not_grant(seen)),
                Some(Reach::None) if lost => findings.warnings.push(lost_for_good(&desired.name, seen)),
                Some(_) => {}
            }
        }
    }
}

/// Who logs in the other way does not get in any more.
fn switched(role: &Identifier, to: Authentication) -> Diagnostic {
    let detail = match to {
        Authentication::Iam => format!(
            "{role} becomes a member of {RDS_IAM}, and its password is deleted: Amazon RDS then lets it log in with IAM tokens only. Change the \
             ClickPipes that use it to IAM authentication at the same time. To come back later, set password_wo."
        ),
        Authentication::Password => format!(
            "{role} is taken out of {RDS_IAM} and gets the password: logins with IAM tokens then fail. Change the ClickPipes that use it at \
             the same time."
        ),
    };
    Diagnostic::warning("Pipes log in another way", detail).at(path())
}

/// Others who come to `rds_iam` with the role.
fn kept_out_too(role: &Identifier, members: &[String]) -> Diagnostic {
    let shown: Vec<String> = members.iter().take(NAMED_AT_MOST).map(|name| printable_line(&format!("{name:?}"))).collect();
    let more = members.len().saturating_sub(NAMED_AT_MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let detail = format!(
        "These roles are members of {role}, and become members of {RDS_IAM} with it: {}{more}. Amazon RDS then lets them log in with IAM \
         tokens only, which may stop what logs in as one with a password. If that must not be, take them out of {role} first: REVOKE {role} \
         FROM each.",
        shown.join(", ")
    );
    Diagnostic::warning("Members of the role need tokens too", detail).at(path())
}

/// A password that turned out to be given when the plan was applied.
pub(super) fn password_given() -> Diagnostic {
    let detail = "With authentication = \"iam\" the role logs in with tokens only, and has no password. Nothing was changed. Remove password_wo, \
                  or set authentication = \"password\".";
    Diagnostic::error("Password beside IAM authentication", detail).at(AttributePath::of("password_wo"))
}

fn password_needed_again() -> Diagnostic {
    let detail = "The role has no password: it was deleted when authentication became \"iam\", or is not known. Set password_wo, with \
                  password_wo_version, for authentication = \"password\".";
    Diagnostic::error("Password missing", detail).at(AttributePath::of("password_wo"))
}

fn off(role: &Identifier) -> Diagnostic {
    let detail = format!(
        "IAM database authentication is off for the cluster, so {role} cannot log in with a token, and members of {RDS_IAM} cannot log in with \
         a password. Unless something else in this run turns it on, set iam_authentication = true in clickpipes_aurora_source, which also \
         allows replication with a token, or iam_database_authentication_enabled = true in aws_rds_cluster."
    );
    Diagnostic::warning("IAM authentication is off", detail).at(path())
}

fn no_such_role(seen: &Observed) -> Diagnostic {
    let kind = match seen.facts.flavour {
        Flavour::Rds => "The server",
        Flavour::Plain => "This is no server of Amazon RDS or Aurora: it",
    };
    let detail = format!(
        "{kind} has no role {RDS_IAM}, so nobody logs in with an IAM token there. Set authentication = \"password\", with password_wo and \
         password_wo_version."
    );
    Diagnostic::error("No IAM authentication on this server", detail).at(path())
}

fn may_not_grant(seen: &Observed) -> Diagnostic {
    let admin = Identifier::new(seen.facts.current_user.clone())
        .map_or_else(|_| seen.facts.current_user.clone(), |name| name.to_string());
    let (needs, statement) = match (seen.facts.flavour, seen.facts.version.has(MEMBERSHIP_OPTIONS)) {
        (_, false) => ("CREATEROLE".to_owned(), format!("ALTER ROLE {admin} CREATEROLE;")),
        (Flavour::Rds, true) => {
            (format!("the privileges of {SUPERUSER_OF_RDS}"), format!("GRANT \"{SUPERUSER_OF_RDS}\" TO {admin};"))
        }
        // ADMIN OPTION would make it a member, which may keep it out.
        (Flavour::Plain, true) => ("to be a superuser".to_owned(), format!("ALTER ROLE {admin} SUPERUSER;")),
    };
    let detail = format!(
        "The provider works as {admin}, which may not make a role a member of {RDS_IAM}: it needs {needs}. Let an administrator \
         run:\n\n{statement}"
    );
    Diagnostic::error("Missing privilege", detail).at(path())
}

fn lost_for_good(role: &Identifier, seen: &Observed) -> Diagnostic {
    let detail = format!(
        "{role} is no member of {RDS_IAM} any more, so it cannot log in with a token, and the provider, which works as {:?}, cannot change \
         that. Let an administrator run:\n\n{};",
        seen.facts.current_user,
        display(&Operation::GrantIam { role: role.clone() })
    );
    Diagnostic::warning("IAM login cannot be restored", detail).at(path())
}

/// A role that should log in with a password, and is a member of `rds_iam` by somebody else's doing.
fn token_only(before: Option<&Desired>, desired: &Desired, seen: &Observed) -> Option<Diagnostic> {
    let iam = before
        .filter(|before| before.authentication == Authentication::Password)
        .and(seen.role.as_ref())
        .map(|role| &role.iam)?;
    let role = &desired.name;
    let end = if iam.is_direct() {
        "The provider takes back what was granted to the role itself.".to_owned()
    } else {
        let groups: Vec<String> = iam.through.iter().map(|group| format!("{group:?}")).collect();
        let ends = iam.through.iter().filter_map(|group| Identifier::new(group.clone()).ok());
        let ends: Vec<String> = ends.map(|group| format!("REVOKE {group} FROM {role};")).collect();
        format!(
            "It is one as a member of {}, which the provider does not change. Let an administrator run:\n\n{}\n\n",
            groups.join(", "),
            ends.join("\n")
        )
    };
    let detail = format!(
        "{role} is a member of {RDS_IAM}, though authentication is \"password\": Amazon RDS refuses its password. {end} If the pipe logs in \
         with IAM tokens, set authentication = \"iam\" instead."
    );
    iam.is_effective().then(|| Diagnostic::warning("The password is refused", detail).at(path()))
}

/// The server skips, with a warning at most, what another role granted.
pub(super) fn verdict(desired: &Desired, ran: &[Operation], after: &Observed) -> Diagnostics {
    let Some(role) = &after.role else { return Diagnostics::new() };
    let revokes = ran.iter().any(|operation| matches!(operation, Operation::RevokeIam { .. }));
    if !revokes || !role.iam.is_direct() {
        return Diagnostics::new();
    }
    let revoke = Operation::RevokeIam { role: desired.name.clone(), granted_by: None };
    let detail = format!(
        "The server accepted the statements, but {} is still a member of {RDS_IAM}, because another role made it one. Nothing was changed. \
         Let that role run:\n\n{};",
        desired.name,
        display(&revoke)
    );
    Diagnostic::error("Membership was not revoked", detail).at(path()).into()
}
