//! A server: access to its databases, and facts about it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::postgres::error::Error;
use crate::postgres::login::LoginSource;
use crate::postgres::pool::Pool;
use crate::postgres::reader::Reader;
use crate::postgres::retry::transient;
use crate::postgres::settings::Settings;
use crate::postgres::transaction::Transaction;
use crate::postgres::version::ServerVersion;

/// Which kind of PostgreSQL it is: what allows replication differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flavour {
    /// Amazon RDS or Aurora: the role `rds_replication` exists and membership in it counts.
    Rds,
    /// Any other: the attribute REPLICATION counts.
    Plain,
}

/// Facts that do not change while a server runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Its version.
    pub version: ServerVersion,
    /// Which kind of PostgreSQL it is.
    pub flavour: Flavour,
    /// The role that the provider logs in as.
    pub current_user: String,
}

const FACTS: &str = "\
SELECT pg_catalog.current_setting('server_version_num')::int4 AS version,
       EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_replication') AS rds,
       current_user::text AS admin";

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

    /// A transaction that may change the database. Transactions on one database queue, within this process and, by an advisory
    /// lock, among processes. The wait for the turn and each statement may take up to `timeout`.
    ///
    /// # Errors
    /// [`Error::Busy`] if the turn does not come in time.
    pub async fn write(&self, database: &str, timeout: Duration, cancel: &CancellationToken) -> Result<Transaction, Error> {
        Transaction::write(&self.pool, database, timeout, cancel).await
    }

    /// The facts about the server. They are queried once, from any database that can be reached.
    pub async fn facts(&self, database: &str, cancel: &CancellationToken) -> Result<Facts, Error> {
        let ask = || async {
            let read = self.read(database, cancel).await?;
            let rows = read.query(FACTS, &[]).await?;
            let unexpected = |what: &str| Error::Decode { column: "version".to_owned(), source: what.into() };
            let row = rows.first().ok_or_else(|| unexpected("no row"))?;
            let version = u32::try_from(row.i32("version")?).map_err(|_| unexpected("negative"))?;
            Ok(Facts {
                version: ServerVersion::from_number(version),
                flavour: if row.bool("rds")? { Flavour::Rds } else { Flavour::Plain },
                current_user: row.text("admin")?,
            })
        };
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
