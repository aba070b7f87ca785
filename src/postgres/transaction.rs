//! A transaction: the only way to change anything on a server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::postgres::error::{Cause, Error};
use crate::postgres::notice::Notice;
use crate::postgres::pool::{Pool, Turn};
use crate::postgres::reader::Reader;
use crate::postgres::statement::Statement;

/// Key of the advisory lock that a process holds while it changes a database with this provider; such locks are per database.
const ADVISORY_LOCK: &str = "SELECT pg_catalog.pg_advisory_xact_lock(4845617391021417)";
/// Stated explicitly: with a role's default of a frozen snapshot, the catalogue would look as it did before the wait for the
/// advisory lock.
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE";
/// How long to wait for the answer to a COMMIT after Terraform asked to stop. At the end of the step's own time there is no wait.
const COMMIT_PATIENCE: Duration = Duration::from_secs(20);
/// From this version on, a setting of the admin may give him INHERIT and SET on each role that he creates. Not on ours.
const SELF_GRANT: u32 = 16;
/// The longest time for which a statement waits for a lock on an object.
const LOCK_TIMEOUT: Duration = Duration::from_secs(15);
/// When to look up who holds it: after the wait there is no trace of it.
const LOOK_AFTER: Duration = Duration::from_secs(10);

/// An open transaction. Dropped without [`Transaction::commit`], it is rolled back.
///
/// It uses one of the server's connections: with `max_connections = 1` it waits until all readers are done.
pub struct Transaction {
    reader: Reader,
    open: bool,
    /// When its time is up.
    ends: Instant,
}

impl Transaction {
    pub(super) async fn write(
        pool: &Arc<Pool>,
        database: &str,
        timeout: Duration,
        cancel: &CancellationToken,
    ) -> Result<Self, Error> {
        let started = Instant::now();
        let turn = tokio::time::timeout(timeout, pool.turn(database, cancel))
            .await
            .unwrap_or_else(|_| Err(Error::Busy { database: database.to_owned(), waited: timeout, holders: Vec::new() }))?;
        let mut transaction = Self::begin(pool, turn, database, cancel).await?;
        transaction.ends = started + timeout;
        transaction.take_advisory_lock(timeout).await?;
        Ok(transaction)
    }

    async fn begin(pool: &Arc<Pool>, turn: Turn, database: &str, cancel: &CancellationToken) -> Result<Self, Error> {
        let mut lease = pool.lease(turn, database, cancel).await?;
        // An idle session may have died unnoticed, for instance in a reboot of the server, or the server may no longer be the
        // writer.
        if let Err(Error::ConnectionLost { .. } | Error::Statement { .. }) =
            lease.session()?.run(BEGIN_WRITE, BEGIN_WRITE, cancel).await
        {
            lease.reconnect(cancel).await?;
            lease.session()?.run(BEGIN_WRITE, BEGIN_WRITE, cancel).await?;
        }
        lease.session()?.take_notices();
        Ok(Self { reader: Reader::new(Arc::new(lease), cancel), open: true, ends: Instant::now() })
    }

    /// A reader that sees what this transaction sees.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The lock is waited for without `lock_timeout`, which cancels advisory waits too; it is set afterwards.
    async fn take_advisory_lock(&mut self, timeout: Duration) -> Result<(), Error> {
        let milliseconds = |time: Duration| time.as_millis().clamp(1, i32::MAX as u128);
        let remaining = self.left();
        let patience = format!("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = {}", milliseconds(remaining));
        self.run(&patience).await?;
        let look_after = remaining.saturating_sub(LOCK_TIMEOUT - LOOK_AFTER).min(remaining / 3 * 2);
        let (result, holders) = self.reader.watched(self.run(ADVISORY_LOCK), look_after).await;
        match result {
            Err(error) if error.cause() == Some(Cause::QueryCanceled) => {
                return Err(Error::Busy { database: self.reader.lease.database().to_owned(), waited: timeout, holders });
            }
            other => other?,
        }
        let left = self.left();
        // A lock that is awaited until the very end would be reported as a statement that took too long.
        self.reader.lock_timeout = LOCK_TIMEOUT.min(left / 10 * 9);
        let own_grants =
            if self.reader.lease.session()?.major() >= SELF_GRANT { "; SET LOCAL createrole_self_grant = ''" } else { "" };
        let limits = format!(
            "SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}{own_grants}",
            milliseconds(self.reader.lock_timeout),
            milliseconds(left),
        );
        self.run(&limits).await
    }

    fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    /// Changes something.
    ///
    /// # Errors
    /// A lock that cannot be obtained in time is [`Error::Locked`], with its holders.
    pub async fn execute(&self, statement: &Statement) -> Result<(), Error> {
        self.reader.use_own_search_path(true).await?;
        tracing::info!(statement = statement.display(), database = self.reader.lease.database(), "running");
        let session = self.reader.lease.session()?;
        let running = session.run(statement.text(), statement.display(), &self.reader.cancel);
        match self.reader.watched(running, LOOK_AFTER.min(self.reader.lock_timeout / 3 * 2)).await {
            (Err(Error::Statement { statement, source }), holders)
                if source.sqlstate.cause() == Some(Cause::LockNotAvailable) =>
            {
                Err(Error::Locked { statement, waited: self.reader.lock_timeout, holders, source })
            }
            (result, _) => result,
        }
    }

    /// Commits, and returns the server's notices. Once COMMIT is sent, a cancellation does not end the wait for the answer:
    /// committed changes must not count as not done.
    ///
    /// # Errors
    /// [`Error::Uncertain`] if the answer did not come.
    pub async fn commit(mut self) -> Result<Vec<Notice>, Error> {
        if self.reader.cancel.is_cancelled() {
            return Err(Error::Cancelled { awaited: "the start of a COMMIT".to_owned() });
        }
        let patience = || if Instant::now() < self.ends { COMMIT_PATIENCE } else { Duration::ZERO };
        let committed = self.reader.lease.session()?.run_to_the_end("COMMIT", &self.reader.cancel, patience).await;
        committed.map_err(|error| error.of_commit(self.reader.lease.database()))?;
        self.open = false;
        Ok(self.reader.lease.session()?.take_notices())
    }

    async fn run(&self, sql: &str) -> Result<(), Error> {
        self.reader.run(sql).await
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.open
            && let Ok(session) = self.reader.lease.session()
        {
            session.roll_back_later();
        }
    }
}
