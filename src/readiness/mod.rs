//! Whether a pipe will work, before there is one: a catalogue of checks, each with its verdict on facts. Pure.
//!
//! Knows nothing of Terraform. The checks repeat what ClickPipes validates when a pipe is created, and bring forward what it would only
//! meet later.

mod catalogue;
mod check;
mod cluster;
mod facts;
#[cfg(test)]
mod fixture;
mod login;
mod network;
mod parameter;
mod publication;
mod role;
mod server;
mod slot;
mod table;

use catalogue::{CATALOGUE, Origin};
pub(crate) use check::Check;
use check::{Severity, Verdict, Verdicts, skip, unknown};
pub(crate) use facts::{
    Answer, Authentication, Barrier, Block, Facts, LoginFacts, Pipe, PublicationFacts, Rule, ServerFacts, TableFacts,
};
pub(crate) use parameter::SETTINGS;

/// All checks, in the order of the catalogue.
pub(crate) fn checks(facts: &Facts) -> Vec<Check> {
    let cluster = answered(&facts.cluster, Origin::Cluster, |cluster| cluster::verdicts(cluster, facts));
    let server = answered(&facts.server, Origin::Server, |server| server::verdicts(server, facts));
    let role = answered(&facts.role, Origin::Role, |role| role::verdicts(role.as_ref(), facts));
    let tables = answered(&facts.tables, Origin::Tables, |tables| table::verdicts(tables, facts));
    let publication = answered(&facts.publication, Origin::Publication, |found| publication::verdicts(found.as_ref(), facts));
    let login = answered(&facts.login, Origin::Login, |login| login::verdicts(login, facts));
    let mut verdicts: Verdicts = [cluster, server, role, tables, publication, network::verdicts(facts), login]
        .into_iter()
        .flatten()
        .chain(facts.barrier.map(server::barred))
        .collect();
    let check = |entry: &catalogue::Entry| {
        let Verdict { status, is_mild, message, remedy } =
            verdicts.remove(entry.id).unwrap_or_else(|| unknown("It was not looked at."));
        let severity = if is_mild { Severity::Warning } else { entry.severity };
        Check { id: entry.id, severity, status, message, remedy }
    };
    CATALOGUE.iter().map(check).collect()
}

/// The verdicts on known facts; without them each check of the origin says why there is none.
fn answered<T>(answer: &Answer<T>, origin: Origin, verdicts: impl FnOnce(&T) -> Verdicts) -> Verdicts {
    let each = |verdict: Verdict| {
        CATALOGUE.iter().filter(|entry| entry.origin == origin).map(|entry| (entry.id, verdict.clone())).collect()
    };
    match answer {
        Answer::Known(facts) => verdicts(facts),
        Answer::Skipped(reason) => each(skip(reason)),
        Answer::Unknown(reason) => each(unknown(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::check::Status;
    use super::fixture::{fit, nothing_known};
    use super::*;

    #[test]
    fn a_fit_source_passes_and_every_check_has_a_verdict() {
        for check in checks(&fit()) {
            assert!(matches!(check.status, Status::Pass | Status::Skipped), "{check:#?}");
            assert!(check.message != "It was not looked at.", "{}", check.id);
            assert!(!check.blocks() && check.remedy.is_none(), "{check:#?}");
        }
    }

    #[test]
    fn what_is_not_known_blocks_where_it_matters() {
        let checks = checks(&nothing_known());
        assert_eq!(checks.len(), CATALOGUE.len());
        let blocks = |id: &str| checks.iter().find(|check| check.id == id).unwrap().blocks();
        assert!(blocks("param.wal_level") && blocks("cluster.available"));
        assert!(!blocks("slot.retained_bytes") && !blocks("net.sg_allows"));
    }
}
