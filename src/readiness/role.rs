//! Verdicts on the role that the pipe logs in as. Pure.

use super::catalogue::{CATALOGUE, Origin};
use super::check::{Verdict, Verdicts, fail, judge, pass, skip, warn};
use super::facts::{Answer, Authentication, Facts};
use crate::catalogue::pipe_role::PipeRole;
use crate::catalogue::validity::{Expiry, SOON};
use crate::postgres::{Flavour, Identifier};

/// The verdicts; without a role there is one, and the rest is skipped.
pub(super) fn verdicts(found: Option<&PipeRole>, facts: &Facts) -> Verdicts {
    let Some(name) = &facts.pipe.role else { return Verdicts::new() };
    let Some(role) = found else {
        let missing = fail(
            format!("There is no role {:?}.", name.as_str()),
            format!("resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = {:?}\n  # ...\n}}", name.as_str()),
        );
        let rest = CATALOGUE.iter().filter(|entry| entry.origin == Origin::Role);
        let rest = rest.map(|entry| (entry.id, skip(format!("There is no role {:?}.", name.as_str()))));
        return rest.chain([("role.exists", missing)]).collect();
    };
    let shown = format!("Role {:?}", name.as_str());
    Verdicts::from([
        ("role.exists", pass(format!("{shown} exists."))),
        (
            "role.login",
            judge(role.login, format!("{shown} may log in."), || {
                fail(format!("{shown} may not log in."), format!("ALTER ROLE {name} LOGIN;"))
            }),
        ),
        ("role.not_expired", expiry(&shown, name, role)),
        ("role.connlimit", connection_limit(&shown, name, role.connection_limit)),
        ("role.member(rds_replication)", replicates(&shown, name, role, facts.flavour)),
        ("role.member(rds_iam)", in_iam(&shown, name, role, facts)),
        (
            "role.not_superuser",
            judge(!role.superuser, format!("{shown} is no superuser."), || {
                warn(
                    format!("{shown} is a superuser, which a pipe does not need to be."),
                    format!("ALTER ROLE {name} NOSUPERUSER;"),
                )
            }),
        ),
        ("db.connect", connect(&shown, name, role, facts)),
    ])
}

fn expiry(shown: &str, name: &Identifier, role: &PipeRole) -> Verdict {
    let remedy = format!("ALTER ROLE {name} VALID UNTIL 'infinity';");
    match role.expiry {
        Expiry::Far => pass(format!("The password of {shown} does not expire within {SOON}.")),
        Expiry::Soon => warn(format!("The password of {shown} expires within {SOON}."), remedy),
        Expiry::Passed => fail(format!("The password of {shown} has expired."), remedy),
    }
}

/// A pipe has a connection that replicates, and others that copy and look up.
fn connection_limit(shown: &str, name: &Identifier, limit: i32) -> Verdict {
    const FEW: i32 = 10;
    let remedy = format!("ALTER ROLE {name} CONNECTION LIMIT -1;");
    match limit {
        -1 => pass(format!("{shown} has no connection limit.")),
        limit if limit < 2 => {
            fail(format!("The connection limit of {shown} is {limit}; a pipe has at least two connections."), remedy)
        }
        limit if limit < FEW => warn(
            format!("The connection limit of {shown} is {limit}, and an initial copy opens one for each of its threads."),
            remedy,
        ),
        limit => pass(format!("The connection limit of {shown} is {limit}.")),
    }
}

fn replicates(shown: &str, name: &Identifier, role: &PipeRole, flavour: Option<Flavour>) -> Verdict {
    if flavour == Some(Flavour::Plain) {
        return judge(role.replication || role.superuser, format!("{shown} has the attribute REPLICATION."), || {
            fail(format!("{shown} lacks the attribute REPLICATION."), format!("ALTER ROLE {name} REPLICATION;"))
        });
    }
    judge(role.in_replication, format!("{shown} is a member of rds_replication."), || {
        fail(
            format!("{shown} is not a member of rds_replication, so it may not open a replication connection."),
            format!("GRANT rds_replication TO {name};"),
        )
    })
}

fn in_iam(shown: &str, name: &Identifier, role: &PipeRole, facts: &Facts) -> Verdict {
    match (facts.pipe.authentication, role.in_iam) {
        (Authentication::Password, false) => pass(format!("{shown} logs in with a password.")),
        (Authentication::Iam, true) => pass(format!("{shown} logs in with a token.")),
        (Authentication::Password, true) => fail(
            format!("{shown} is a member of rds_iam, so Aurora does not accept its password."),
            format!("REVOKE rds_iam FROM {name};"),
        ),
        (Authentication::Iam, false) => fail(
            format!("{shown} is not a member of rds_iam, so Aurora accepts no token for it."),
            format!("GRANT rds_iam TO {name};"),
        ),
    }
}

fn connect(shown: &str, name: &Identifier, role: &PipeRole, facts: &Facts) -> Verdict {
    let Answer::Known(server) = &facts.server else { return pass(format!("{shown} may connect.")) };
    let database = &server.database;
    judge(role.connect, format!("{shown} may connect to database {:?}.", database.as_str()), || {
        fail(
            format!("{shown} may not connect to database {:?}.", database.as_str()),
            format!("GRANT CONNECT ON DATABASE {database} TO {name};"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::super::fixture::{fit, role};
    use super::*;

    #[test]
    fn each_fault_of_a_role_is_its_own_check() {
        let failing = |change: &dyn Fn(&mut PipeRole)| {
            let mut found = role();
            change(&mut found);
            let all = verdicts(Some(&found), &fit());
            let failing = all.into_iter().filter(|(_, verdict)| verdict.status == Status::Fail);
            failing.map(|(id, verdict)| (id, verdict.is_mild)).collect::<Vec<_>>()
        };
        assert_eq!(failing(&|_| ()), []);
        assert_eq!(failing(&|role| role.login = false), [("role.login", false)]);
        assert_eq!(failing(&|role| role.expiry = Expiry::Soon), [("role.not_expired", true)]);
        assert_eq!(failing(&|role| role.expiry = Expiry::Passed), [("role.not_expired", false)]);
        assert_eq!(failing(&|role| role.connection_limit = 1), [("role.connlimit", false)]);
        assert_eq!(failing(&|role| role.connection_limit = 9), [("role.connlimit", true)]);
        assert_eq!(failing(&|role| role.in_replication = false), [("role.member(rds_replication)", false)]);
        assert_eq!(failing(&|role| role.in_iam = true), [("role.member(rds_iam)", false)]);
        assert_eq!(failing(&|role| role.superuser = true), [("role.not_superuser", true)]);
        assert_eq!(failing(&|role| role.connect = false), [("db.connect", false)]);
    }

    #[test]
    fn a_role_that_is_missing_is_one_failure() {
        let all = verdicts(None, &fit());
        assert_eq!(all.len(), 8);
        assert_eq!(all.iter().filter(|(_, verdict)| verdict.status == Status::Fail).count(), 1);
    }

    #[test]
    fn plain_postgresql_asks_for_the_attribute() {
        let facts = Facts { flavour: Some(Flavour::Plain), ..fit() };
        let verdict = &verdicts(Some(&role()), &facts)["role.member(rds_replication)"];
        assert!(verdict.remedy.as_ref().is_some_and(|remedy| remedy.contains("REPLICATION")), "{verdict:?}");
    }
}
