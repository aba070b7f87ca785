//! A transaction: the only way to change anything on a server.
//!
//! What does not depend on an answer is sent without waiting for it, so a transaction takes three round trips, however many
//! statements it has: BEGIN, the lock and a look; the statements and a look at their result; COMMIT. The server runs what it was
//! sent in order, and after an error nothing more until ROLLBACK. A password takes a round trip more, unless it comes first.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::postgres::error::{Cause, Error};
use crate::postgres::notice::Notice;
use crate::postgres::pool::Pool;
use crate::postgres::reader::Reader;
use crate::postgres::retry::transient;
use crate::postgres::session::{Sent, Session};
use crate::postgres::statement::Statement;
use crate::postgres::version::MEMBERSHIP_OPTIONS;

/// Key of the advisory lock that a process holds while it changes a database with this provider; such locks are per database.
const ADVISORY_LOCK: &str = "SELECT pg_catalog.pg_advisory_xact_lock(4845617391021417)";
/// Stated explicitly: with a role's default of a frozen snapshot, the catalogue would look as it did before the wait for the
/// advisory lock.
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE";
/// Statements run with the role's own `search_path`, because event triggers of the database may rely on it; queries with none.
const OWN_SEARCH_PATH: &str = "SET LOCAL search_path TO DEFAULT";
const NO_SEARCH_PATH: &str = "SET LOCAL search_path = ''";
/// How long to wait for the answer to a COMMIT after Terraform asked to stop. At the end of the step's own time there is no wait.
const COMMIT_PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait until something committed is taken back.
const TAKE_BACK_PATIENCE: Duration = Duration::from_secs(30);
/// The longest time for which a statement waits for a lock on an object, unless the transaction says otherwise.
const LOCK_TIMEOUT: Duration = Duration::from_secs(15);
/// When to look up who holds it: after the wait there is no trace of it.
const LOOK_AFTER: Duration = Duration::from_secs(10);

/// A transaction. Dropped without [`Transaction::commit`], it is rolled back.
///
/// It uses one of the server's connections: with `max_connections = 1` it waits until all readers are done.
pub struct Transaction {
    reader: Reader,
    open: AtomicBool,
    timeout: Duration,
    /// When its time is up.
    ends: Instant,
    /// The longest time for which a statement waits for a lock on an object.
    lock_timeout: Duration,
}

impl Transaction {
    pub(super) async fn write(
        pool: &Arc<Pool>,
        database: &str,
        timeout: Duration,
        cancel: &CancellationToken,
    ) -> Result<Self, Error> {
        let ends = Instant::now() + timeout;
        let turn = tokio::time::timeout(timeout, pool.turn(database, cancel))
            .await
            .unwrap_or_else(|_| Err(Error::Busy { database: database.to_owned(), waited: timeout, holders: Vec::new() }))?;
        let lease = pool.lease(turn, database, cancel).await?;
        lease.session()?.take_notices();
        Ok(Self {
            reader: Reader::new(Arc::new(lease), cancel),
            open: AtomicBool::new(false),
            timeout,
            ends,
            lock_timeout: LOCK_TIMEOUT,
        })
    }

    /// The same with another limit for the wait for a lock, set before it begins.
    #[must_use]
    pub fn with_lock_timeout(mut self, lock_timeout: Duration) -> Self {
        self.lock_timeout = lock_timeout;
        self
    }

    /// A reader that sees what this transaction sees.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Begins, waits for its turn among all processes, and looks, in one round trip if one is enough for the look.
    ///
    /// # Errors
    /// [`Error::Busy`] if the turn does not come in time. An idle session may have died unnoticed, for instance in a reboot of
    /// the server, or the server may no longer be the writer: such an error is transient, and the next attempt connects again.
    pub async fn begin<T, E: From<Error>>(&self, look: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let session = self.reader.lease.session()?;
        let left = self.left();
        let (begin, limits) = (
            begin(left, session.facts().is_some_and(|facts| facts.version.has(MEMBERSHIP_OPTIONS))),
            limits(left, self.lock_timeout),
        );
        self.open.store(true, Ordering::Relaxed);
        let (begun, lock, limited) = (session.send(&begin), session.send(ADVISORY_LOCK), session.send(&limits));
        let mut look = pin!(look);
        let looked = sent(look.as_mut()).await;
        let cancel = &self.reader.cancel;
        session.answered(begun, BEGIN_WRITE, cancel).await?;
        let look_after = left.saturating_sub(LOCK_TIMEOUT - LOOK_AFTER).min(left / 3 * 2);
        match self.reader.watched(session.answered(lock, ADVISORY_LOCK, cancel), look_after).await {
            (Err(error), holders) if error.cause() == Some(Cause::QueryCanceled) => {
                let database = self.reader.lease.database().to_owned();
                return Err(Error::Busy { database, waited: self.timeout, holders }.into());
            }
            (locked, _) => locked?,
        }
        let _ = self.reader.lock_timeout.set(self.lock_timeout.min(self.left() / 10 * 9));
        session.answered(limited, "the limits of a transaction", cancel).await?;
        self.reader.resumes();
        finish(looked, look).await
    }

    fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    /// Changes something, and looks at the result, in one round trip if one is enough for the look.
    ///
    /// # Errors
    /// The first statement that fails: then nothing is changed. A lock that cannot be obtained in time is [`Error::Locked`], with
    /// its holders.
    pub async fn execute<T, E: From<Error>>(
        &self,
        statements: &[Statement],
        look: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut parts: Vec<_> = parts(statements).collect();
        let Some(last) = parts.pop() else { return look.await };
        let session = self.reader.lease.session()?;
        let own = session.send(OWN_SEARCH_PATH);
        for part in parts {
            self.ran(part, send(session, part)).await?;
        }
        let (running, none) = (send(session, last), session.send(NO_SEARCH_PATH));
        let mut look = pin!(look);
        let looked = sent(look.as_mut()).await;
        session.answered(own, OWN_SEARCH_PATH, &self.reader.cancel).await?;
        self.ran(last, running).await?;
        session.answered(none, NO_SEARCH_PATH, &self.reader.cancel).await?;
        self.reader.resumes();
        finish(looked, look).await
    }

    /// Awaits the end of statements that were sent.
    async fn ran(&self, statements: &[Statement], running: Vec<Sent<'_>>) -> Result<(), Error> {
        let session = self.reader.lease.session()?;
        let look_after = LOOK_AFTER.min(self.reader.lock_timeout() / 3 * 2);
        for (statement, running) in statements.iter().zip(running) {
            tracing::info!(statement = statement.display(), database = self.reader.lease.database(), "running");
            let answered = session.answered(running, statement.display(), &self.reader.cancel);
            self.reader.named(self.reader.watched(answered, look_after).await)?;
        }
        Ok(())
    }

    /// Commits, and returns the server's notices. Once COMMIT is sent, a cancellation does not end the wait for the answer:
    /// committed changes must not count as not done.
    ///
    /// # Errors
    /// [`Error::Uncertain`] if the answer did not come.
    pub async fn commit(self) -> Result<Vec<Notice>, Error> {
        self.commit_and_stay().await
    }

    /// The same without giving the session back: [`Transaction::begin`] begins another transaction, and [`Transaction::take_back`] needs no
    /// new login.
    ///
    /// # Errors
    /// [`Error::Uncertain`] if the answer did not come.
    pub async fn commit_and_stay(&self) -> Result<Vec<Notice>, Error> {
        if self.reader.cancel.is_cancelled() {
            return Err(Error::Cancelled { awaited: "the start of a COMMIT".to_owned() });
        }
        let patience = || if Instant::now() < self.ends { COMMIT_PATIENCE } else { Duration::ZERO };
        let committed = self.reader.lease.session()?.run_to_the_end("COMMIT", &self.reader.cancel, patience).await;
        committed.map_err(|error| error.of_commit(self.reader.lease.database()))?;
        self.open.store(false, Ordering::Relaxed);
        Ok(self.reader.lease.session()?.take_notices())
    }

    /// Takes back what was committed, in a transaction of its own. Nothing stops it: neither Terraform nor the end of the step's time. It
    /// uses the session that is open, because a new login may be refused by what is taken back.
    ///
    /// # Errors
    /// The server refuses, or cannot be reached in time: what was committed stays.
    pub async fn take_back(&self, statements: &[Statement]) -> Result<(), Error> {
        let never = CancellationToken::new();
        let lease = &self.reader.lease;
        let taken_back = transient(&never, || async {
            match lease.session() {
                Ok(session) if !session.is_closed() => self.run_apart(session, statements, &never).await,
                _ => {
                    let session = Box::pin(lease.pool().connect_apart(lease.database(), &never)).await?;
                    self.open.store(false, Ordering::Relaxed);
                    self.run_apart(&session, statements, &never).await
                }
            }
        });
        let done = tokio::time::timeout(TAKE_BACK_PATIENCE, taken_back).await;
        done.unwrap_or_else(|_| Err(Error::Cancelled { awaited: "the server to take back what was done".to_owned() }))
    }

    /// Runs statements in a transaction of their own, after the end of the one that is open.
    async fn run_apart(&self, session: &Session, statements: &[Statement], cancel: &CancellationToken) -> Result<(), Error> {
        if self.open.swap(true, Ordering::Relaxed) {
            session.run("ROLLBACK", "ROLLBACK", cancel).await?;
        }
        session.run(BEGIN_WRITE, BEGIN_WRITE, cancel).await?;
        for statement in statements {
            session.run(statement.text(), statement.display(), cancel).await?;
        }
        session.run("COMMIT", "COMMIT", cancel).await?;
        self.open.store(false, Ordering::Relaxed);
        Ok(())
    }
}

/// Sends statements.
fn send<'a>(session: &'a Session, statements: &'a [Statement]) -> Vec<Sent<'a>> {
    statements.iter().map(|statement| session.send(statement.text())).collect()
}

/// Lets a look send its first queries.
async fn sent<F: Future>(mut look: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(look.as_mut().poll(context))).await
}

/// The statements that are sent together. One with a secret is sent once those before it have run: a server logs the text of what it
/// refuses, also if it refuses it only because an earlier statement has failed.
fn parts(statements: &[Statement]) -> impl Iterator<Item = &[Statement]> {
    statements.chunk_by(|_, next| !next.has_secret())
}

/// The rest of a look whose queries were sent before.
async fn finish<T>(looked: Poll<T>, look: impl Future<Output = T>) -> T {
    match looked {
        Poll::Ready(looked) => looked,
        Poll::Pending => look.await,
    }
}

/// Begins. The advisory lock is waited for without `lock_timeout`, which cancels advisory waits too; it is set afterwards. A setting
/// of the admin may give him INHERIT and SET on each role that he creates: not on ours.
fn begin(left: Duration, self_grant: bool) -> String {
    let own_grants = if self_grant { "; SET LOCAL createrole_self_grant = ''" } else { "" };
    format!("{BEGIN_WRITE}; SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = {}{own_grants}", milliseconds(left))
}

/// The limits of the statements, from what the wait for the turn has left. A lock that is awaited until the very end would be
/// reported as a statement that took too long.
fn limits(left: Duration, lock_timeout: Duration) -> String {
    format!(
        "SELECT pg_catalog.set_config('lock_timeout', GREATEST(1, LEAST({longest}, t.left * 9 / 10))::text, true), \
                pg_catalog.set_config('statement_timeout', t.left::text, true) \
           FROM (SELECT GREATEST(1, {left} - (EXTRACT(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.now()) * 1000)::int8) AS left) \
             AS t",
        longest = milliseconds(lock_timeout),
        left = milliseconds(left),
    )
}

fn milliseconds(time: Duration) -> u128 {
    time.as_millis().clamp(1, i32::MAX as u128)
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.open.load(Ordering::Relaxed)
            && let Ok(session) = self.reader.lease.session()
        {
            session.roll_back_later();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_secret_is_not_sent_before_the_statements_ahead_of_it_have_run() {
        let plain = |text: &str| Statement::new(text);
        let secret = |text: &str| Statement::new(text).then_secret(&Secret::new("s"));
        let sizes = |statements: &[Statement]| parts(statements).map(<[Statement]>::len).collect::<Vec<_>>();
        assert!(sizes(&[]).is_empty());
        assert_eq!(sizes(&[secret("a"), plain("b"), plain("c")]), [3]);
        assert_eq!(sizes(&[plain("a"), secret("b"), plain("c"), secret("d")]), [1, 2, 1]);
    }
}
