//! Reads a database, and cannot change it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use crate::postgres::error::Error;
use crate::postgres::pool::{Lease, Pool};
use crate::postgres::row::{Parameter, Row};
use crate::postgres::site::Site;

/// Reads a database: on its own, or as a transaction sees it.
///
/// On its own it sends no BEGIN and no COMMIT: each query is a read-only transaction of its own, as sessions are set up, and
/// queries that are awaited together cost one round trip. READ COMMITTED would guarantee no more across several queries.
pub struct Reader {
    pub(super) lease: Arc<Lease>,
    pub(super) cancel: CancellationToken,
    /// Whether the role's own `search_path` is in effect, and not the empty one of the session.
    own_search_path: AtomicBool,
}

impl Reader {
    pub(super) async fn open(pool: &Arc<Pool>, database: &str, cancel: &CancellationToken) -> Result<Self, Error> {
        Ok(Self::new(pool.lease_shared(database, cancel).await?, cancel))
    }

    pub(super) fn new(lease: Arc<Lease>, cancel: &CancellationToken) -> Self {
        Self { lease, cancel: cancel.clone(), own_search_path: AtomicBool::new(false) }
    }

    /// The server and the database that are read.
    pub fn site(&self) -> Option<Site> {
        self.lease.session().ok()?.site().cloned()
    }

    /// Runs a query. It must be one of our own constants; values are bound.
    pub async fn query(&self, sql: &'static str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Error> {
        self.use_own_search_path(false).await?;
        self.lease.session()?.query(sql, parameters, &self.cancel).await
    }

    /// Queries run with an empty `search_path`, so that no function or operator in a user's schema is mistaken for the server's
    /// own and runs with our privileges. Statements that change something run with the role's `search_path`: event triggers of
    /// the database may rely on it.
    pub(super) async fn use_own_search_path(&self, own: bool) -> Result<(), Error> {
        if self.own_search_path.load(Ordering::Relaxed) != own {
            self.run(if own { "SET LOCAL search_path TO DEFAULT" } else { "SET LOCAL search_path = ''" }).await?;
            self.own_search_path.store(own, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(super) async fn run(&self, sql: &str) -> Result<(), Error> {
        self.lease.session()?.run(sql, sql, &self.cancel).await
    }
}
