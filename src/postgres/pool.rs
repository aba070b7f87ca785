//! The sessions of one server: how many there may be, and who waits for whom.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as Gate, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::postgres::combined::Names;
use crate::postgres::connect::connect;
use crate::postgres::error::Error;
use crate::postgres::guarded::Channel;
use crate::postgres::login::LoginSource;
use crate::postgres::origin::Origin;
use crate::postgres::session::Session;
use crate::postgres::settings::Settings;
use crate::postgres::several::Question;
use crate::postgres::writer::Writer;

/// A session that was idle for longer is checked before it is used to read. If a session that was idle for less is dead, the
/// query finds out and is then retried.
const RESTED: Duration = Duration::from_secs(1);
/// How long an outage is remembered: long enough for the many resources of a refresh that wait for the same answer, and short
/// enough for a server that comes back during a run.
pub const OUTAGE_REMEMBERED: Duration = Duration::from_secs(15);
/// Pause between two attempts to reach the writer after a failover; the DNS answer of an Aurora endpoint may be cached for 5 s.
const FAILOVER_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Pool {
    pub(super) settings: Arc<Settings>,
    login: LoginSource,
    /// One permit per session in use. Sessions in use and idle sessions together never exceed the permits.
    permits: Arc<Semaphore>,
    state: Mutex<State>,
    names: Names,
}

#[derive(Default)]
struct State {
    /// Transactions that change a database queue here.
    writers: HashMap<String, Arc<Gate<()>>>,
    /// The session through which a database is currently read. Locked while it is opened, so that only one is.
    readers: HashMap<String, Arc<Gate<Weak<Lease>>>>,
    idle: Vec<Idle>,
    in_use: usize,
    /// What readers have asked.
    asked: HashMap<Vec<Question>, Known>,
    /// When a reader last could not reach the server, and why.
    outage: Option<(Instant, Arc<Error>)>,
    writer: Writer,
}

/// What is known of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing.
    New,
    /// They were asked once before.
    Once,
    /// They were asked again and again.
    Again,
    /// Their answers are too large, or take too long, to be asked for several at once.
    Apart,
}

struct Idle {
    database: String,
    session: Session,
    since: Instant,
}

impl Pool {
    pub(super) fn new(settings: Settings, login: LoginSource) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(settings.max_connections.max(1)));
        Arc::new(Self { settings: Arc::new(settings), login, permits, state: Mutex::default(), names: Names::default() })
    }

    /// Waits for the turn to change a database, and for a permit for a session.
    pub(super) async fn turn(self: &Arc<Self>, database: &str, cancel: &CancellationToken) -> Result<Turn, Error> {
        let turn = async {
            let gate = Arc::clone(self.state().writers.entry(database.to_owned()).or_default());
            let gate = gate.lock_owned().await;
            Turn { _gate: Some(gate), _permit: Arc::clone(&self.permits).acquire_owned().await.ok() }
        };
        tokio::select! {
            turn = turn => Ok(turn),
            () = cancel.cancelled() => {
                Err(Error::Cancelled { awaited: format!("another change of database \"{database}\" in this run") })
            }
        }
    }

    /// The session that all readers of a database share: their queries are pipelined. Right after the server could not be
    /// reached, no other reader waits for it again ([`OUTAGE_REMEMBERED`]): a refresh of many resources would take hours.
    pub(super) async fn lease_shared(self: &Arc<Self>, database: &str, cancel: &CancellationToken) -> Result<Arc<Lease>, Error> {
        let open = async {
            let reader = Arc::clone(self.state().readers.entry(database.to_owned()).or_default());
            let mut reader = reader.lock().await;
            if let Some(lease) = reader.upgrade().filter(|lease| lease.is_alive()) {
                return Ok(lease);
            }
            if let Some(outage) = self.state().recent_outage() {
                return Err(Error::StillUnreachable(outage));
            }
            let turn = Turn { _gate: None, _permit: Arc::clone(&self.permits).acquire_owned().await.ok() };
            // Boxed: the future of a new connection is large, and most readers find one.
            let lease = match Box::pin(self.lease_alive(turn, database, cancel)).await {
                Err(error) if error.is_outage() => {
                    let outage = Arc::new(error);
                    self.state().outage = Some((Instant::now(), Arc::clone(&outage)));
                    return Err(Error::StillUnreachable(outage));
                }
                filled => filled?,
            };
            let lease = Arc::new(lease);
            *reader = Arc::downgrade(&lease);
            Ok(lease)
        };
        tokio::select! {
            lease = open => lease,
            () = cancel.cancelled() => Err(self.settings.no_connection()),
        }
    }

    /// Opens a session that is nobody else's and does not count. A failover is not waited for.
    pub(super) async fn connect_apart(&self, database: &str, cancel: &CancellationToken) -> Result<Session, Error> {
        connect(&self.settings, &self.login, database, Channel::Queries, cancel).await
    }

    /// Whether sessions log in with IAM tokens.
    pub(super) fn uses_tokens(&self) -> bool {
        self.login.origin() == Origin::Token
    }

    /// What is known of questions that a reader asks, in any database.
    pub(super) fn known(&self, questions: &[Question]) -> Known {
        let mut state = self.state();
        let Some(known) = state.asked.get_mut(questions) else {
            state.asked.insert(questions.to_vec(), Known::Once);
            return Known::New;
        };
        let before = *known;
        if before == Known::Once {
            *known = Known::Again;
        }
        before
    }

    /// What is known of the answers to questions.
    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// From now on these questions are asked by themselves.
    pub(super) fn keep_apart(&self, questions: &[Question]) {
        self.state().asked.insert(questions.to_vec(), Known::Apart);
    }

    /// Forgets that the server could not be reached.
    pub(super) fn dial_again(&self) {
        self.state().outage = None;
    }

    /// A second session beside a busy one, if it is available without waiting.
    pub(super) async fn lease_at_once(self: &Arc<Self>, database: &str, cancel: &CancellationToken) -> Option<Lease> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        let mut lease = self.check_out(Turn { _gate: None, _permit: Some(permit) }, database);
        if lease.session.is_none() {
            lease.session = Some(connect(&self.settings, &self.login, database, Channel::Queries, cancel).await.ok()?);
        }
        Some(lease)
    }

    /// A session that is known to be alive.
    async fn lease_alive(self: &Arc<Self>, turn: Turn, database: &str, cancel: &CancellationToken) -> Result<Lease, Error> {
        let mut lease = self.lease(turn, database, cancel).await?;
        if lease.rested > RESTED && lease.session()?.run("", "the check of a session", cancel).await.is_err() {
            lease.reconnect(cancel).await?;
        }
        Ok(lease)
    }

    /// Takes an idle session of the database, or opens one.
    pub(super) async fn lease(self: &Arc<Self>, turn: Turn, database: &str, cancel: &CancellationToken) -> Result<Lease, Error> {
        let mut lease = self.check_out(turn, database);
        if lease.session.is_none() {
            lease.session = Some(self.connect(database, cancel).await?);
        }
        Ok(lease)
    }

    /// Created before its session is opened, if none is idle: from here on the count of sessions goes down again whatever
    /// happens.
    fn check_out(self: &Arc<Self>, turn: Turn, database: &str) -> Lease {
        let idle = self.state().check_out(database, self.settings.max_connections.max(1));
        let rested = idle.as_ref().map_or(Duration::ZERO, |idle| idle.since.elapsed());
        let session = idle.map(|idle| idle.session);
        Lease { session, rested, database: database.to_owned(), pool: Arc::clone(self), _turn: turn }
    }

    /// Opens a session. If this run has already seen the writer at this address, an unreachable server or a reader there may mean
    /// a failover: the endpoint is retried for up to `connect_timeout`, until it resolves to the new writer.
    async fn connect(&self, database: &str, cancel: &CancellationToken) -> Result<Session, Error> {
        loop {
            match connect(&self.settings, &self.login, database, Channel::Queries, cancel).await {
                Err(error) if error.may_be_failover() => {
                    let is_news = self.state().writer.is_there();
                    if !self.state().writer.missed(Instant::now(), self.settings.connect_timeout) {
                        return Err(error);
                    }
                    if is_news {
                        tracing::info!(%error, "waiting for the endpoint to resolve to a writer");
                    }
                }
                Ok(session) => {
                    self.state().writer.found();
                    return Ok(session);
                }
                refused => return refused,
            }
            tokio::select! {
                () = tokio::time::sleep(FAILOVER_PAUSE) => {}
                () = cancel.cancelled() => return Err(self.settings.no_connection()),
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn recent_outage(&self) -> Option<Arc<Error>> {
        self.outage.as_ref().filter(|(when, _)| when.elapsed() < OUTAGE_REMEMBERED).map(|(_, outage)| Arc::clone(outage))
    }

    /// Counts one more session in use. Returns an idle one of the database; if there is none, closes others until there is room.
    fn check_out(&mut self, database: &str, limit: usize) -> Option<Idle> {
        self.in_use += 1;
        self.idle.retain(|idle| !idle.session.is_closed());
        if let Some(found) = self.idle.iter().position(|idle| idle.database == database) {
            return Some(self.idle.remove(found));
        }
        while !self.idle.is_empty() && self.idle.len() + self.in_use > limit {
            self.idle.remove(0);
        }
        None
    }
}

/// A session in use. On drop it goes back to the pool.
pub(super) struct Lease {
    session: Option<Session>,
    rested: Duration,
    database: String,
    pool: Arc<Pool>,
    // Dropped after `drop` below has returned the session.
    _turn: Turn,
}

/// The permit for a session. Fields drop in this order.
pub(super) struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
    _gate: Option<OwnedMutexGuard<()>>,
}

impl Lease {
    /// The session; an error if it has been given up.
    pub(super) fn session(&self) -> Result<&Session, Error> {
        self.session.as_ref().ok_or_else(|| self.pool.settings.no_connection())
    }

    fn is_alive(&self) -> bool {
        self.session.as_ref().is_some_and(|session| !session.is_closed())
    }

    pub(super) fn database(&self) -> &str {
        &self.database
    }

    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Replaces a dead session.
    pub(super) async fn reconnect(&mut self, cancel: &CancellationToken) -> Result<(), Error> {
        self.session = None;
        self.session = Some(self.pool.connect(&self.database, cancel).await?);
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        state.in_use = state.in_use.saturating_sub(1);
        if let Some(session) = self.session.take().filter(|session| !session.is_closed()) {
            state.idle.push(Idle { database: std::mem::take(&mut self.database), session, since: Instant::now() });
        }
    }
}
