//! A transaction: the only way to change anything on a server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::postgres::error::{Cause, Error};
use crate::postgres::lock_holder::{BLOCKING, LockHolder};
use crate::postgres::notice::Notice;
use crate::postgres::pool::{Pool, Turn};
use crate::postgres::reader::Reader;
use crate::postgres::row::{Parameter, Row};
use crate::postgres::statement::Statement;

/// Key of the advisory lock that a process holds while it changes a database with this provider; such locks are per database.
const ADVISORY_LOCK: &str = "SELECT pg_catalog.pg_advisory_xact_lock(4845617391021417)";
/// Stated explicitly: with a role's default of a frozen snapshot, the catalogue would look as it did before the wait for the
/// advisory lock.
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE";
/// How long a statement waits for a lock on an object.
const LOCK_TIMEOUT: Duration = Duration::from_secs(15);
/// When to look up who holds it: after the wait there is no trace of it.
const LOOK_AFTER: Duration = Duration::from_secs(10);

/// An open transaction. Dropped without [`Transaction::commit`], it is rolled back.
///
/// It uses one of the server's connections: with `max_connections = 1` it waits until all readers are done.
pub struct Transaction {
    reader: Reader,
    open: bool,
    pid: Option<i32>,
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
        let remaining = timeout.saturating_sub(started.elapsed());
        let mut transaction = tokio::time::timeout(remaining, Self::begin(pool, turn, database, cancel))
            .await
            .unwrap_or_else(|_| Err(Error::ConnectTimeout { address: pool.settings.address(), after: remaining }))?;
        transaction.take_advisory_lock(timeout.saturating_sub(started.elapsed()), timeout).await?;
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
        Ok(Self { reader: Reader::new(Arc::new(lease), cancel), open: true, pid: None })
    }

    /// A reader that sees what this transaction sees.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The lock is waited for without `lock_timeout`, which cancels advisory waits too; it is set afterwards.
    async fn take_advisory_lock(&mut self, remaining: Duration, timeout: Duration) -> Result<(), Error> {
        let milliseconds = |time: Duration| time.as_millis().clamp(1, i32::MAX as u128);
        let patience = format!("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = {}", milliseconds(remaining));
        self.run(&patience).await?;
        let pid = self.reader.query("SELECT pg_catalog.pg_backend_pid() AS pid", &[]).await?;
        self.pid = pid.first().map(|row| row.i32("pid")).transpose()?;
        let look_after = remaining.saturating_sub(LOCK_TIMEOUT - LOOK_AFTER).min(remaining / 3 * 2);
        let (result, holders) = self.watched(self.run(ADVISORY_LOCK), look_after).await;
        match result {
            Err(error) if error.cause() == Some(Cause::QueryCanceled) => {
                return Err(Error::Busy { database: self.reader.lease.database().to_owned(), waited: timeout, holders });
            }
            other => other?,
        }
        let limits = format!(
            "SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}",
            milliseconds(LOCK_TIMEOUT),
            milliseconds(timeout),
        );
        self.run(&limits).await
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
        match self.watched(running, LOOK_AFTER).await {
            (Err(Error::Statement { statement, source }), holders)
                if source.sqlstate.cause() == Some(Cause::LockNotAvailable) =>
            {
                Err(Error::Locked { statement, waited: LOCK_TIMEOUT, holders, source })
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
            return Err(Error::Cancelled);
        }
        let committed = self.reader.lease.session()?.run_to_the_end("COMMIT", &self.reader.cancel).await;
        committed.map_err(|error| error.of_commit(self.reader.lease.database()))?;
        self.open = false;
        Ok(self.reader.lease.session()?.take_notices())
    }

    async fn run(&self, sql: &str) -> Result<(), Error> {
        self.reader.run(sql).await
    }

    /// Runs something that may wait for a lock; after a while, looks up from another session who holds it.
    async fn watched<T>(&self, work: impl Future<Output = T>, look_after: Duration) -> (T, Vec<LockHolder>) {
        tokio::pin!(work);
        let look = async {
            tokio::time::sleep(look_after).await;
            self.holders().await
        };
        tokio::select! {
            biased;
            done = &mut work => (done, Vec::new()),
            holders = look => (work.await, holders),
        }
    }

    /// The sessions that block this one. Empty if no other connection may be opened.
    async fn holders(&self) -> Vec<LockHolder> {
        let Some(pid) = self.pid else {
            return Vec::new();
        };
        let Some(lease) = self.reader.lease.pool().lease_at_once(self.reader.lease.database(), &self.reader.cancel).await else {
            return Vec::new();
        };
        let Ok(session) = lease.session() else {
            return Vec::new();
        };
        let rows = session.query(BLOCKING, &[Parameter::Int(pid)], &self.reader.cancel).await.unwrap_or_default();
        let holder = |row: &Row| {
            Ok::<_, Error>(LockHolder {
                pid: row.i32("pid")?,
                user: row.optional_text("usename")?,
                application: row.optional_text("application_name")?,
                query_start: row.optional_text("query_start")?,
            })
        };
        rows.iter().filter_map(|row| holder(row).ok()).collect()
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
