//! A server: access to its databases, and facts about it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::postgres::connect::connect;
use crate::postgres::error::Error;
use crate::postgres::facts::Facts;
use crate::postgres::guarded::Channel;
use crate::postgres::identifier::Identifier;
use crate::postgres::login::LoginSource;
use crate::postgres::pool::Pool;
use crate::postgres::reader::Reader;
use crate::postgres::replication_proof::{self, IDENTIFY_SYSTEM, Proof, Step};
use crate::postgres::retry::transient;
use crate::postgres::settings::Settings;
use crate::postgres::transaction::Transaction;

/// A server, reached with the given settings. Cheap to clone. It connects at the first read or write, and keeps its connections
/// until the last clone is dropped.
#[derive(Clone)]
pub struct Server {
    pool: Arc<Pool>,
    facts: Arc<OnceCell<Facts>>,
}

impl Server {
    /// A server without connections yet.
    pub fn new(settings: Settings, login: LoginSource) -> Self {
        Self { pool: Pool::new(settings, login), facts: Arc::default() }
    }

    /// The connection settings.
    pub fn settings(&self) -> &Settings {
        &self.pool.settings
    }

    /// Makes the next read connect again, even if an earlier one could not reach the server.
    pub fn dial_again(&self) {
        self.pool.dial_again();
    }

    /// A reader. Readers of one database share one connection and take no lock that affects other sessions.
    pub async fn read(&self, database: &str, cancel: &CancellationToken) -> Result<Reader, Error> {
        Reader::open(&self.pool, database, cancel).await
    }

    /// A transaction that may change the database, not begun yet. Transactions on one database queue, within this process and, by
    /// an advisory lock, among processes. The wait for the turn and each statement may take up to `timeout`.
    ///
    /// # Errors
    /// [`Error::Busy`] if the turn in this process does not come in time.
    pub async fn write(&self, database: &str, timeout: Duration, cancel: &CancellationToken) -> Result<Transaction, Error> {
        Transaction::write(&self.pool, database, timeout, cancel).await
    }

    /// Logs in with another login, on a connection of its own that is then closed; as a walsender if that is what the channel is.
    pub async fn try_login_as(
        &self,
        login: &LoginSource,
        database: &str,
        channel: Channel,
        cancel: &CancellationToken,
    ) -> Result<(), Error> {
        let session = connect(&self.pool.settings, login, database, channel, cancel).await?;
        match channel {
            Channel::Queries => Ok(()),
            Channel::Replication => session.run(IDENTIFY_SYSTEM, IDENTIFY_SYSTEM, cancel).await,
        }
    }

    /// Proves that the role of a login can replicate what a publication publishes. `about_to` is told each step before it.
    pub async fn prove(
        &self,
        login: &LoginSource,
        database: &str,
        publication: &Identifier,
        about_to: &(dyn Fn(Step) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Proof, Error> {
        replication_proof::prove(&self.pool, login, database, publication, about_to, cancel).await
    }

    /// Logs in once more, beside the connections that there are, and logs out again.
    ///
    /// # Errors
    /// [`Error::LoginRefused`] if the server keeps the admin out.
    pub async fn try_login(&self, database: &str, cancel: &CancellationToken) -> Result<(), Error> {
        // Boxed: the future of a new connection is large.
        Box::pin(self.pool.connect_apart(database, cancel)).await.map(drop)
    }

    /// Whether it logs in with IAM tokens.
    pub fn uses_tokens(&self) -> bool {
        self.pool.uses_tokens()
    }

    /// The facts about the server: each session brings them along, from any database that can be reached.
    pub async fn facts(&self, database: &str, cancel: &CancellationToken) -> Result<Facts, Error> {
        let ask = || async { self.read(database, cancel).await?.facts() };
        tokio::select! {
            biased;
            facts = self.facts.get_or_try_init(|| transient(cancel, &ask)) => facts.cloned(),
            // Whoever waits for another's query.
            () = cancel.cancelled() => Err(self.settings().no_connection()),
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("settings", self.settings()).finish_non_exhaustive()
    }
}
