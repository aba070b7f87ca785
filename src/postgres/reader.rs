//! Reads a database, and cannot change it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::postgres::error::{Cause, Error};
use crate::postgres::facts::Facts;
use crate::postgres::inquiry::{Asked, Inquiry};
use crate::postgres::lock_holder::{BLOCKING, LockHolder};
use crate::postgres::pool::{Lease, Pool};
use crate::postgres::row::{Parameter, Row};
use crate::postgres::session::{CATALOGUE, Session};
use crate::postgres::several::Value;
use crate::postgres::site::Site;
use crate::postgres::together;

/// How long a query outside of a transaction waits for a lock: `lock_timeout` of a session.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// When to look up who holds it: after the wait there is no trace of it.
const LOOK_AFTER: Duration = Duration::from_secs(6);

/// Reads a database: on its own, or as a transaction sees it.
///
/// On its own it sends no BEGIN and no COMMIT: each query is a read-only transaction of its own, as sessions are set up, and
/// queries that are awaited together cost one round trip. READ COMMITTED would guarantee no more across several queries.
///
/// Queries run with an empty `search_path`, so that no function or operator in a user's schema is mistaken for the server's own
/// and runs with our privileges.
pub struct Reader {
    pub(super) lease: Arc<Lease>,
    pub(super) cancel: CancellationToken,
    /// How long a statement waits for a lock on an object, if that is not the session's own limit.
    pub(super) lock_timeout: OnceLock<Duration>,
    /// What is asked at once, of a session that is shared with other readers.
    asked: Option<Mutex<Inquiry>>,
    /// Until when what was sent before kept the session busy.
    busy_until: Mutex<Option<Instant>>,
}

impl Reader {
    pub(super) async fn open(pool: &Arc<Pool>, database: &str, cancel: &CancellationToken) -> Result<Self, Error> {
        let lease = pool.lease_shared(database, cancel).await?;
        Ok(Self { asked: Some(Mutex::default()), ..Self::new(lease, cancel) })
    }

    pub(super) fn new(lease: Arc<Lease>, cancel: &CancellationToken) -> Self {
        Self { lease, cancel: cancel.clone(), lock_timeout: OnceLock::new(), asked: None, busy_until: Mutex::default() }
    }

    /// The server and the database that are read.
    pub fn site(&self) -> Option<Site> {
        self.lease.session().ok()?.site().cloned()
    }

    /// The facts about the server.
    pub fn facts(&self) -> Result<Facts, Error> {
        let session = self.lease.session()?;
        session.facts().cloned().ok_or_else(|| self.lease.pool().settings.no_connection())
    }

    /// Runs a query. It must be one of our own constants; values are bound.
    pub async fn query(&self, sql: &'static str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Error> {
        let session = self.lease.session()?;
        let query = async {
            match &self.asked {
                None => Box::pin(session.query(sql, parameters, &self.cancel)).await,
                Some(asked) => self.ask(session, asked, sql, parameters).await,
            }
        };
        // Boxed: a look has many queries at once.
        self.named(Box::pin(self.watched(query, LOOK_AFTER)).await)
    }

    /// Asks beside other readers. Queries that are awaited together are sent together.
    async fn ask(
        &self,
        session: &Session,
        asked: &Mutex<Inquiry>,
        sql: &'static str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Error> {
        let (answer, answered) = oneshot::channel();
        // Whoever asked may have given up when the answer comes.
        let answer = Box::new(|found| drop(answer.send(found)));
        let values = parameters.iter().map(Value::from).collect();
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(Asked { sql, values, answer });
        // Whatever is awaited together with this has been asked then.
        tokio::task::yield_now().await;
        let inquiry = std::mem::take(&mut *asked.lock().unwrap_or_else(PoisonError::into_inner));
        let answered = async {
            if !inquiry.is_empty() {
                // Boxed: it is large, and one query of many sends it.
                Box::pin(together::ask(&self.lease, session, inquiry)).await;
            }
            match answered.await {
                Ok(answer) => answer,
                // Whoever sent it was stopped, and so is this.
                Err(_) if self.cancel.is_cancelled() => std::future::pending().await,
                Err(_) => Err(session.lost()),
            }
        };
        session.until_cancelled(answered, CATALOGUE, &self.cancel).await?
    }

    /// Names who holds a lock that could not be obtained in time.
    pub(super) fn named<T>(&self, (result, holders): (Result<T, Error>, Vec<LockHolder>)) -> Result<T, Error> {
        match result {
            Err(Error::Statement { statement, source }) if source.sqlstate.cause() == Some(Cause::LockNotAvailable) => {
                Err(Error::Locked { statement, waited: self.lock_timeout(), holders, source })
            }
            result => result,
        }
    }

    pub(super) fn lock_timeout(&self) -> Duration {
        self.lock_timeout.get().copied().unwrap_or(LOCK_TIMEOUT)
    }

    /// Runs something that may wait for a lock; after a while, looks up from another session who holds it.
    pub(super) async fn watched<T>(&self, work: impl Future<Output = T>, look_after: Duration) -> (T, Vec<LockHolder>) {
        tokio::pin!(work);
        let look = self.holders_after(look_after);
        tokio::select! {
            biased;
            done = &mut work => (done, Vec::new()),
            holders = look => (work.await, holders),
        }
    }

    /// What was sent before has ended: only from now on can a query that was sent behind it wait for a lock.
    pub(super) fn resumes(&self) {
        *self.busy_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    async fn holders_after(&self, look_after: Duration) -> Vec<LockHolder> {
        let mut from = Instant::now();
        loop {
            tokio::time::sleep_until((from + look_after).into()).await;
            match *self.busy_until.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(until) if until > from => from = until,
                _ => break,
            }
        }
        // Boxed: the future of a new connection is large, and each query would carry it.
        Box::pin(self.holders()).await
    }

    /// The sessions that block this one. Empty if no other connection may be opened.
    async fn holders(&self) -> Vec<LockHolder> {
        let Some(pid) = self.lease.session().ok().and_then(Session::process) else {
            return Vec::new();
        };
        let Some(lease) = self.lease.pool().lease_at_once(self.lease.database(), &self.cancel).await else {
            return Vec::new();
        };
        let Ok(session) = lease.session() else {
            return Vec::new();
        };
        let rows = session.query(BLOCKING, &[Parameter::Int(pid)], &self.cancel).await.unwrap_or_default();
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
