//! A server: reads and writes of its databases, and what is known of it.

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

/// Whose PostgreSQL it is: what allows replication differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flavour {
    /// Amazon RDS or Aurora: the role `rds_replication` exists and membership in it counts.
    Rds,
    /// Any other: the attribute REPLICATION counts.
    Plain,
}

/// What does not change while a server runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Its version.
    pub version: ServerVersion,
    /// Whose PostgreSQL it is.
    pub flavour: Flavour,
    /// The role that the provider works as.
    pub current_user: String,
}

const FACTS: &str = "\
SELECT pg_catalog.current_setting('server_version_num')::int4 AS version,
       EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_replication') AS rds,
       current_user::text AS admin";

/// A server, reached by some settings. Cheap to clone; nothing is dialled before the first read or write, and connections are kept
/// until the last clone is gone.
#[derive(Clone)]
pub struct Server {
    pool: Arc<Pool>,
    facts: Arc<OnceCell<Facts>>,
}

impl Server {
    /// A server that has not been dialled yet.
    pub fn new(settings: Settings, login: LoginSource) -> Self {
        Self { pool: Pool::new(settings, login), facts: Arc::default() }
    }

    /// How it is reached.
    pub fn settings(&self) -> &Settings {
        &self.pool.settings
    }

    /// Has the next read dial, although an earlier one found the server out of reach.
    pub fn dial_again(&self) {
        self.pool.dial_again();
    }

    /// A reader. Those of one database share one connection, which takes no lock that anyone would notice.
    pub async fn read(&self, database: &str, cancel: &CancellationToken) -> Result<Reader, Error> {
        Reader::open(&self.pool, database, cancel).await
    }

    /// A transaction that may change the database. Those of one database queue, in this process and (by an advisory lock) among
    /// processes; the wait for the turn and each statement may take up to `timeout`.
    ///
    /// # Errors
    /// [`Error::Busy`] when the turn does not come in time.
    pub async fn write(&self, database: &str, timeout: Duration, cancel: &CancellationToken) -> Result<Transaction, Error> {
        Transaction::write(&self.pool, database, timeout, cancel).await
    }

    /// What is known of the server; asked for once, of any database that can be reached.
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
        self.facts.get_or_try_init(|| transient(cancel, &ask)).await.cloned()
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("settings", self.settings()).finish_non_exhaustive()
    }
}
