//! All checks: names, severities and meaning, in the order in which they are answered. Pure.

use super::check::Severity::{self, Error, Info, Warning};

/// Where the facts for a check come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// RDS.
    Cluster,
    /// The database server.
    Server,
    /// The pipe's role.
    Role,
    /// The tables to replicate.
    Tables,
    /// The publication.
    Publication,
    /// The arguments.
    Network,
    /// A login as the pipe's role.
    Login,
}

/// A check that can be made.
pub(super) struct Entry {
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    pub(super) origin: Origin,
}

const fn entry(id: &'static str, severity: Severity, origin: Origin) -> Entry {
    Entry { id, severity, origin }
}

/// The checks. Their names are part of what practitioners rely on.
pub(super) const CATALOGUE: [Entry; 62] = [
    entry("cluster.available", Error, Origin::Cluster),
    entry("cluster.not_serverless_v1", Error, Origin::Cluster),
    entry("cluster.not_limitless", Error, Origin::Cluster),
    entry("cluster.not_global_secondary", Error, Origin::Cluster),
    entry("cluster.babelfish_version", Error, Origin::Cluster),
    entry("cluster.iam_authentication", Error, Origin::Cluster),
    entry("param.group.family_matches", Error, Origin::Cluster),
    entry("param.group.in_sync", Error, Origin::Cluster),
    entry("param.rds.iam_auth_for_replication", Error, Origin::Cluster),
    entry("server.is_aurora", Error, Origin::Server),
    entry("server.version", Error, Origin::Server),
    entry("server.version_known_bad", Warning, Origin::Server),
    entry("server.is_writer", Error, Origin::Server),
    entry("connection.no_pooler", Error, Origin::Server),
    entry("param.rds.logical_replication", Error, Origin::Server),
    entry("param.wal_level", Error, Origin::Server),
    entry("param.max_wal_senders", Error, Origin::Server),
    entry("param.max_replication_slots", Error, Origin::Server),
    entry("param.wal_sender_timeout", Warning, Origin::Server),
    entry("param.max_slot_wal_keep_size", Warning, Origin::Server),
    entry("param.idle_replication_slot_timeout", Warning, Origin::Server),
    entry("param.logical_decoding_work_mem", Info, Origin::Server),
    entry("tls.force_ssl", Info, Origin::Server),
    entry("tx.prepared", Warning, Origin::Server),
    entry("long_transactions", Warning, Origin::Server),
    entry("slot.name_free", Error, Origin::Server),
    entry("slot.wal_status", Error, Origin::Server),
    entry("slot.retained_bytes", Warning, Origin::Server),
    entry("slot.inactive_peerflow", Warning, Origin::Server),
    entry("upgrade.slots", Info, Origin::Server),
    entry("role.exists", Error, Origin::Role),
    entry("role.login", Error, Origin::Role),
    entry("role.not_expired", Error, Origin::Role),
    entry("role.connlimit", Error, Origin::Role),
    entry("role.member(rds_replication)", Error, Origin::Role),
    entry("role.member(rds_iam)", Error, Origin::Role),
    entry("role.not_superuser", Warning, Origin::Role),
    entry("db.connect", Error, Origin::Role),
    entry("table.exists", Error, Origin::Tables),
    entry("table.kind", Error, Origin::Tables),
    entry("table.name_has_no_dot", Error, Origin::Tables),
    entry("table.replica_identity", Error, Origin::Tables),
    entry("table.identity_on_all_partitions", Error, Origin::Tables),
    entry("table.inheritance_children", Warning, Origin::Tables),
    entry("table.generated_columns", Warning, Origin::Tables),
    entry("table.toast_without_full", Warning, Origin::Tables),
    entry("schema.usage", Error, Origin::Tables),
    entry("table.select", Error, Origin::Tables),
    entry("table.rls", Warning, Origin::Tables),
    entry("default_privileges", Warning, Origin::Tables),
    entry("publication.exists", Error, Origin::Publication),
    entry("publication.owner", Warning, Origin::Publication),
    entry("publication.not_empty", Error, Origin::Publication),
    entry("publication.covers_tables", Error, Origin::Publication),
    entry("publication.operations", Warning, Origin::Publication),
    entry("publication.viaroot", Error, Origin::Publication),
    entry("publication.breaks_writes", Error, Origin::Publication),
    entry("publication.columns_cover_key", Error, Origin::Publication),
    entry("publication.filter_covered_by_identity", Error, Origin::Publication),
    entry("net.sg_allows", Error, Origin::Network),
    entry("auth.login_as_pipe_user", Error, Origin::Login),
    entry("auth.replication_login", Error, Origin::Login),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_page_lists_every_check_with_its_severity() {
        let page = include_str!("../../docs/templates/data-sources/readiness.md");
        let rows: Vec<String> = page.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect();
        let begins = CATALOGUE.iter().map(|entry| format!("| `{}` | {} | ", entry.id, entry.severity.word()));
        let wrong: Vec<(String, &String)> = begins.zip(&rows).filter(|(begin, row)| !row.starts_with(begin)).collect();
        assert_eq!((wrong, rows.len()), (Vec::new(), CATALOGUE.len()));
    }

    #[test]
    fn no_name_is_given_twice() {
        let names: BTreeSet<&str> = CATALOGUE.iter().map(|entry| entry.id).collect();
        assert_eq!(names.len(), CATALOGUE.len());
    }
}
