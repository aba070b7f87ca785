//! Verdicts on the server: what it is, and what it is busy with. Pure.

use postgres_protocol::escape::escape_literal;

use super::check::{Verdict, Verdicts, fail, judge, listed, pass, unknown, warn};
use super::facts::{Barrier, Facts, ServerFacts};
use super::{parameter, slot};
use crate::catalogue::activity::LONG;
use crate::cluster::{OLDEST_MAJOR, Version};
use crate::postgres::Flavour;

/// The verdicts.
pub(super) fn verdicts(server: &ServerFacts, facts: &Facts) -> Verdicts {
    let version = Version { major: server.version.major(), minor: server.version.minor() };
    let mut verdicts = parameter::verdicts(server);
    verdicts.extend(slot::verdicts(server, facts));
    verdicts.extend([
        ("server.is_aurora", is_aurora(server, facts)),
        ("server.version", is_new_enough(version)),
        ("server.version_known_bad", known_bad(version)),
        ("server.is_writer", pass("The server is a writer.")),
        ("connection.no_pooler", pass("No pooler or proxy is in between.")),
        ("tx.prepared", prepared(server)),
        ("long_transactions", long_transactions(server)),
    ]);
    verdicts
}

/// The verdict on what kept the provider's session from being used.
pub(super) fn barred(barrier: Barrier) -> (&'static str, Verdict) {
    match barrier {
        Barrier::Reader => (
            "server.is_writer",
            fail(
                "The server is a reader, which has no logical slots of its own.",
                "Connect to the writer: set postgres.cluster_identifier of the provider block, or postgres.host to the cluster endpoint.",
            ),
        ),
        Barrier::Pooler => (
            "connection.no_pooler",
            fail(
                "A pooler or proxy is in between. ClickPipes cannot replicate through RDS Proxy or PgBouncer.",
                "Connect to the cluster itself: set postgres.host of the provider block to the cluster endpoint.",
            ),
        ),
    }
}

fn is_aurora(server: &ServerFacts, facts: &Facts) -> Verdict {
    let what = match facts.flavour {
        Some(Flavour::Rds) => "RDS for PostgreSQL",
        _ => "another PostgreSQL",
    };
    judge(server.activity.is_aurora, "The server is Aurora.", || {
        fail(format!("The server is {what}, not Aurora."), "Use this data source for Aurora PostgreSQL only.")
    })
}

fn is_new_enough(version: Version) -> Verdict {
    let major = version.major;
    judge(major >= OLDEST_MAJOR, format!("The server is PostgreSQL {version}."), || {
        fail(
            format!("The server is PostgreSQL {version}, and ClickPipes needs {OLDEST_MAJOR} or later."),
            format!("Upgrade the cluster to {OLDEST_MAJOR} or later."),
        )
    })
}

fn known_bad(version: Version) -> Verdict {
    match version.decoding_fault() {
        None => pass(format!("No fault of logical decoding is known in {version}.")),
        Some(fault) => warn(
            format!("Logical decoding of {version} may end with {:?}.", fault.error),
            format!("Upgrade the cluster to {} or later.", fault.fixed),
        ),
    }
}

fn prepared(server: &ServerFacts) -> Verdict {
    let prepared = &server.activity.prepared;
    judge(prepared.is_empty(), "No prepared transaction is waiting.", || {
        let names: Vec<String> =
            prepared.iter().map(|one| format!("{:?} of database {:?}", one.gid, one.database.as_str())).collect();
        let ends = prepared.iter().map(|one| {
            format!(
                "-- in database {}, unless it is to be committed:\nROLLBACK PREPARED {};",
                one.database,
                escape_literal(&one.gid)
            )
        });
        warn(
            format!("Prepared transactions hold up every new slot until they are ended: {}.", listed(&names)),
            ends.collect::<Vec<_>>().join("\n"),
        )
    })
}

fn long_transactions(server: &ServerFacts) -> Verdict {
    let activity = &server.activity;
    let names: Vec<String> = activity
        .long
        .iter()
        .map(|one| format!("pid {} of role {:?} in database {:?} since {}", one.pid, one.role, one.database, one.since))
        .collect();
    match (names.is_empty(), activity.hidden) {
        (true, 0) => pass(format!("No transaction that writes has been open for more than {LONG}.")),
        (true, hidden) => unknown(format!(
            "{hidden} transactions are open of which the provider's role may not see since when. Grant it pg_read_all_stats to find out."
        )),
        (false, _) => warn(
            format!("A new slot waits for transactions that are open for long: {}.", listed(&names)),
            activity
                .long
                .iter()
                .map(|one| format!("-- if it may be rolled back:\nSELECT pg_catalog.pg_terminate_backend({});", one.pid))
                .collect::<Vec<_>>()
                .join("\n"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::super::fixture::{fit, server};
    use super::*;
    use crate::postgres::ServerVersion;

    #[test]
    fn a_version_is_too_old_or_has_a_known_fault() {
        let with = |number| verdicts(&ServerFacts { version: ServerVersion::from_number(number), ..server() }, &fit());
        assert_eq!(with(110_022)["server.version"].status, Status::Fail);
        assert!(with(170_005)["server.version_known_bad"].message.contains("invalid memory"));
        assert_eq!(with(170_006)["server.version_known_bad"].status, Status::Pass);
    }

    #[test]
    fn what_is_hidden_is_not_called_fine() {
        let mut facts = server();
        facts.activity.hidden = 2;
        assert_eq!(long_transactions(&facts).status, Status::Unknown);
    }
}
