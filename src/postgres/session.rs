//! An open session: runs SQL, collects the server's notices, can be cancelled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::sync::CancellationToken;

use crate::postgres::dial::dial;
use crate::postgres::error::{Cause, Error, ServerError, SqlState};
use crate::postgres::notice::Notice;
use crate::postgres::row::{Parameter, Row};
use crate::postgres::settings::Settings;
use crate::postgres::site::Site;
use crate::postgres::tls::tls_connect;

/// Every session starts like this. Names in our queries are qualified, and an empty search_path keeps functions in users' schemas
/// out. Statements are read-only unless a transaction says otherwise. If the client of a transaction disappears and the server
/// does not notice, the transaction holds its locks no longer than the next attempt waits for them; our own transactions are
/// never idle for long.
const SET_UP: &str = "\
SET default_transaction_read_only = on; SET statement_timeout = '60s'; SET lock_timeout = '10s'; \
SET idle_in_transaction_session_timeout = '2min'; SET search_path = ''; ";
/// The first question of a session. The system identifier is missing where an administrator has revoked the function.
const INTRODUCTION: &str = "\
SELECT pg_catalog.pg_is_in_recovery() AS in_recovery, (SELECT system_identifier FROM pg_catalog.pg_control_system()) AS system, \
(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) AS database";
const SHORT_INTRODUCTION: &str = "\
SELECT pg_catalog.pg_is_in_recovery() AS in_recovery, NULL AS system, \
(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) AS database";

/// A cancel request is a courtesy to the server, not worth a long wait.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait for the answer to a COMMIT after a cancellation.
const COMMIT_PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Session {
    client: Client,
    notices: Arc<Mutex<Vec<Notice>>>,
    settings: Arc<Settings>,
    tls: Option<MakeRustlsConnect>,
    /// Set when the server became read-only during the session (a failover): the next session must be a new one.
    demoted: AtomicBool,
    /// Known once the session is set up.
    site: OnceLock<Site>,
}

impl Session {
    /// Takes over an open connection and drives it until the session is dropped.
    pub(super) fn start<S, T>(
        settings: &Arc<Settings>,
        tls: Option<MakeRustlsConnect>,
        client: Client,
        mut connection: Connection<S, T>,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let notices = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&notices);
        tokio::spawn(async move {
            while let Some(message) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
                match message {
                    Ok(AsyncMessage::Notice(notice)) => {
                        let notice = Notice {
                            severity: notice.severity().to_owned(),
                            sqlstate: SqlState::new(notice.code().code()),
                            message: notice.message().to_owned(),
                            detail: notice.detail().map(str::to_owned),
                            hint: notice.hint().map(str::to_owned),
                        };
                        tracing::debug!(severity = notice.severity, message = notice.message, "notice from the server");
                        sink.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::debug!(%error, "a session ended");
                        break;
                    }
                }
            }
        });
        Self { client, notices, settings: Arc::clone(settings), tls, demoted: AtomicBool::new(false), site: OnceLock::new() }
    }

    /// Sets up a new session, and returns whether the server is in recovery.
    pub(super) async fn set_up(&self) -> Result<bool, Error> {
        let ask = async |introduction: &str| {
            let answer = self.client.simple_query(&format!("{SET_UP}{introduction}")).await;
            answer.map_err(|error| self.error("the set-up of a session", error))
        };
        let answer = match ask(INTRODUCTION).await {
            Err(error) if error.cause() == Some(Cause::InsufficientPrivilege) => ask(SHORT_INTRODUCTION).await?,
            answer => answer?,
        };
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let text = |column: &str| row.and_then(|row| row.get(column));
        let number = |column: &str| text(column).and_then(|number| number.parse().ok());
        let database = text("database").and_then(|oid| oid.parse().ok());
        let unreadable = || Error::Decode { column: "database".to_owned(), source: "no oid of the database".into() };
        let site =
            Site { system: number("system"), cluster: self.settings.cluster.clone(), database: database.ok_or_else(unreadable)? };
        let _ = self.site.set(site);
        Ok(text("in_recovery") == Some("t"))
    }

    /// Where the session is; `None` before it is set up.
    pub(super) fn site(&self) -> Option<&Site> {
        self.site.get()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed() || self.demoted.load(Ordering::Relaxed)
    }

    /// Runs SQL without parameters, as one message.
    pub(super) async fn run(&self, sql: &str, display: &str, cancel: &CancellationToken) -> Result<(), Error> {
        let result = self.until_cancelled(self.client.batch_execute(sql), cancel).await?;
        result.map_err(|error| self.error(display, error))
    }

    /// Runs SQL whose outcome must be known. On cancellation it asks the server to stop, and still waits for the answer for a
    /// while.
    pub(super) async fn run_to_the_end(&self, sql: &str, cancel: &CancellationToken) -> Result<(), Error> {
        let work = self.client.batch_execute(sql);
        tokio::pin!(work);
        let result = tokio::select! {
            biased;
            done = &mut work => done,
            () = cancel.cancelled() => {
                self.ask_to_stop().await;
                match tokio::time::timeout(COMMIT_PATIENCE, work).await {
                    Ok(done) => done,
                    Err(silence) => return Err(Error::ConnectionLost { address: self.settings.address(), source: silence.into() }),
                }
            }
        };
        result.map_err(|error| self.error(sql, error))
    }

    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
        cancel: &CancellationToken,
    ) -> Result<Vec<Row>, Error> {
        let bound: Vec<_> = parameters.iter().map(Parameter::bind).collect();
        let result = self.until_cancelled(self.client.query_typed(sql, &bound), cancel).await?;
        match result {
            Ok(rows) => Ok(rows.into_iter().map(Row).collect()),
            Err(error) => {
                tracing::debug!(sql, %error, "a query failed");
                Err(self.error("a query of the catalogue", error))
            }
        }
    }

    /// Queues a ROLLBACK behind the running statement, without waiting for it: the first poll of the future sends it.
    pub(super) fn roll_back_later(&self) {
        let _ = self.client.batch_execute("ROLLBACK").now_or_never();
    }

    /// The server's notices since the last call.
    pub(super) fn take_notices(&self) -> Vec<Notice> {
        std::mem::take(&mut self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn until_cancelled<T>(&self, work: impl Future<Output = T>, cancel: &CancellationToken) -> Result<T, Error> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = cancel.cancelled() => {
                self.ask_to_stop().await;
                Err(Error::Cancelled)
            }
        }
    }

    async fn ask_to_stop(&self) {
        if tokio::time::timeout(CANCEL_PATIENCE, self.cancel_running()).await.is_err() {
            tracing::debug!("the cancel request was not sent in time");
        }
    }

    async fn cancel_running(&self) {
        let token = self.client.cancel_token();
        let Ok(stream) = dial(&self.settings).await else {
            return;
        };
        let sent = match &self.tls {
            None => token.cancel_query_raw(stream, NoTls).await,
            Some(tls) => match tls_connect(tls, &self.settings) {
                Ok(connect) => token.cancel_query_raw(stream, connect).await,
                Err(_) => return,
            },
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "the cancel request failed");
        }
    }

    fn error(&self, statement: &str, error: tokio_postgres::Error) -> Error {
        if let Some(source) = error.as_db_error() {
            let source = ServerError::from(source);
            if source.sqlstate.cause() == Some(Cause::ReadOnlyTransaction) {
                self.demoted.store(true, Ordering::Relaxed);
            }
            return Error::Statement { statement: statement.to_owned(), source: Box::new(source) };
        }
        let shown = error.to_string();
        let source = error.into_source().unwrap_or_else(|| shown.into());
        Error::ConnectionLost { address: self.settings.address(), source }
    }
}
