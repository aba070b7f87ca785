//! What a server is busy with, as far as it holds up a replication slot that is to be created, or takes its place.

use super::relation::identifier;
use crate::postgres::{Error, Identifier, Reader, Row};

/// How long a transaction may be open before it is worth a word, for a person and in SQL.
pub(crate) const LONG: &str = "30 seconds";

/// What concerns the whole server. How long the transactions of others have been open is hidden from a role that may not see it.
const ACTIVITY: &str = "\
SELECT pg_catalog.to_regproc('pg_catalog.aurora_version') IS NOT NULL AS is_aurora,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication) AS senders,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a
         WHERE a.backend_xid IS NOT NULL AND a.xact_start IS NULL AND a.pid <> pg_catalog.pg_backend_pid()) AS hidden";

/// Transactions that have written something and have been open for long.
const LONG_TRANSACTIONS: &str = "\
SELECT a.pid, COALESCE(a.usename::text, '') AS role, COALESCE(a.datname::text, '') AS database, a.xact_start::text AS since
  FROM pg_catalog.pg_stat_activity a
 WHERE a.backend_xid IS NOT NULL AND a.pid <> pg_catalog.pg_backend_pid() AND a.xact_start < pg_catalog.now() - '30 seconds'::interval
 ORDER BY a.xact_start";

/// Prepared transactions. Each holds up every new slot until it is ended, in its own database.
const PREPARED_TRANSACTIONS: &str = "\
SELECT x.gid, x.database::text AS database FROM pg_catalog.pg_prepared_xacts x ORDER BY x.prepared, x.gid";

/// What a server is busy with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    /// Whether it is Aurora.
    pub(crate) is_aurora: bool,
    /// Connections that stream WAL now.
    pub(crate) senders: i64,
    /// Transactions that have written something, and of which it is not shown since when.
    pub(crate) hidden: i64,
    /// Transactions that have written something and have been open for more than [`LONG`].
    pub(crate) long: Vec<LongTransaction>,
    pub(crate) prepared: Vec<PreparedTransaction>,
}

/// An open transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LongTransaction {
    pub(crate) pid: i32,
    pub(crate) role: String,
    pub(crate) database: String,
    pub(crate) since: String,
}

/// A transaction that waits for its second phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreparedTransaction {
    pub(crate) gid: String,
    pub(crate) database: Identifier,
}

/// What the server is busy with now.
pub(crate) async fn activity(reader: &Reader) -> Result<Activity, Error> {
    let (whole, long, prepared) = tokio::try_join!(
        reader.query(ACTIVITY, &[]),
        reader.query(LONG_TRANSACTIONS, &[]),
        reader.query(PREPARED_TRANSACTIONS, &[]),
    )?;
    let mut found = Activity { is_aurora: false, senders: 0, hidden: 0, long: Vec::new(), prepared: Vec::new() };
    if let Some(row) = whole.first() {
        found = Activity { is_aurora: row.bool("is_aurora")?, senders: row.i64("senders")?, hidden: row.i64("hidden")?, ..found };
    }
    let transaction = |row: &Row| {
        Ok::<_, Error>(LongTransaction {
            pid: row.i32("pid")?,
            role: row.text("role")?,
            database: row.text("database")?,
            since: row.text("since")?,
        })
    };
    let waiting =
        |row: &Row| Ok::<_, Error>(PreparedTransaction { gid: row.text("gid")?, database: identifier(row.text("database")?)? });
    found.long = long.iter().map(transaction).collect::<Result<_, _>>()?;
    found.prepared = prepared.iter().map(waiting).collect::<Result<_, _>>()?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_long_for_a_person_and_in_sql_after_the_same_time() {
        assert!(LONG_TRANSACTIONS.contains(LONG));
    }
}
