//! Verdicts on logins as the pipe's role. Pure.

use super::check::{Verdict, Verdicts, fail, pass};
use super::facts::{Facts, LoginFacts};

/// The verdicts.
pub(super) fn verdicts(login: &LoginFacts, facts: &Facts) -> Verdicts {
    let role = facts.pipe.role.as_ref().map(|role| role.as_str()).unwrap_or_default();
    let verdict = |result: &Result<(), String>, done: &str, advice: &str| -> Verdict {
        match result {
            Ok(()) => pass(format!("Role {role:?} {done}.")),
            Err(reason) => fail(reason.clone(), advice),
        }
    };
    Verdicts::from([
        (
            "auth.login_as_pipe_user",
            verdict(
                &login.plain,
                "logged in",
                "Give the role this password, or the password that it has; see the other checks of the role.",
            ),
        ),
        (
            "auth.replication_login",
            verdict(
                &login.replication,
                "opened a replication connection",
                "See the other checks of the role, param.wal_level and param.max_wal_senders.",
            ),
        ),
    ])
}
