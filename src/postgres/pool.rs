//! The sessions of one server: how many there may be, who waits for whom.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Gate, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::postgres::connect::connect;
use crate::postgres::error::Error;
use crate::postgres::session::Session;
use crate::postgres::settings::Settings;

/// What a session is wanted for. Those with the same database and purpose queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    Read,
    Write,
}

pub(super) struct Pool {
    pub(super) settings: Arc<Settings>,
    /// One permit for each session in use. Sessions in use and idle ones together never exceed the permits there are.
    permits: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    gates: HashMap<(String, Purpose), Arc<Gate<()>>>,
    idle: Vec<(String, Session)>,
    in_use: usize,
}

impl Pool {
    pub(super) fn new(settings: Settings) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(settings.max_connections.max(1)));
        Arc::new(Self { settings: Arc::new(settings), permits, state: Mutex::default() })
    }

    /// Waits for its turn, then takes an idle session of the database or opens one.
    pub(super) async fn lease(
        self: &Arc<Self>,
        database: &str,
        purpose: Purpose,
        cancel: &CancellationToken,
    ) -> Result<Lease, Error> {
        let turn = async {
            let gate = Arc::clone(self.state().gates.entry((database.to_owned(), purpose)).or_default());
            let gate = gate.lock_owned().await;
            (Some(gate), Arc::clone(&self.permits).acquire_owned().await.ok())
        };
        let (gate, permit) = tokio::select! {
            turn = turn => turn,
            () = cancel.cancelled() => return Err(Error::Cancelled),
        };
        self.fill(database, gate, permit, cancel).await
    }

    /// A session for a look beside one that is busy, if it can be had without waiting.
    pub(super) async fn lease_at_once(self: &Arc<Self>, database: &str, cancel: &CancellationToken) -> Option<Lease> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        self.fill(database, None, Some(permit), cancel).await.ok()
    }

    async fn fill(
        self: &Arc<Self>,
        database: &str,
        gate: Option<OwnedMutexGuard<()>>,
        permit: Option<OwnedSemaphorePermit>,
        cancel: &CancellationToken,
    ) -> Result<Lease, Error> {
        let idle = self.state().check_out(database, self.settings.max_connections.max(1));
        // Made first: from here on the count goes down again whatever happens.
        let mut lease =
            Lease { session: idle, database: database.to_owned(), pool: Arc::clone(self), _permit: permit, _gate: gate };
        if lease.session.is_none() {
            lease.session = Some(connect(&self.settings, database, cancel).await?);
        }
        Ok(lease)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts one more session in use. Takes an idle one of the database; if there is none, closes others until there is room.
    fn check_out(&mut self, database: &str, limit: usize) -> Option<Session> {
        self.in_use += 1;
        self.idle.retain(|(_, session)| !session.is_closed());
        if let Some(found) = self.idle.iter().position(|(name, _)| name == database) {
            return Some(self.idle.remove(found).1);
        }
        while !self.idle.is_empty() && self.idle.len() + self.in_use > limit {
            self.idle.remove(0);
        }
        None
    }
}

/// A session in use. Dropped, it goes back to the pool.
pub(super) struct Lease {
    session: Option<Session>,
    database: String,
    pool: Arc<Pool>,
    // Fields drop in this order, after `drop` below has put the session back.
    _permit: Option<OwnedSemaphorePermit>,
    _gate: Option<OwnedMutexGuard<()>>,
}

impl Lease {
    /// The session; an error if it has been given up.
    pub(super) fn session(&self) -> Result<&Session, Error> {
        self.session.as_ref().ok_or(Error::Cancelled)
    }

    pub(super) fn database(&self) -> &str {
        &self.database
    }

    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Replaces a session that turned out to be dead.
    pub(super) async fn reconnect(&mut self, cancel: &CancellationToken) -> Result<(), Error> {
        self.session = None;
        self.session = Some(connect(&self.pool.settings, &self.database, cancel).await?);
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        state.in_use = state.in_use.saturating_sub(1);
        if let Some(session) = self.session.take().filter(|session| !session.is_closed()) {
            state.idle.push((std::mem::take(&mut self.database), session));
        }
    }
}
