//! An open session: runs SQL, collects the server's notices, can be cancelled.

use std::collections::HashMap;
use std::error::Error as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, MaybeDone, join, maybe_done};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::sync::CancellationToken;

use crate::postgres::combined::{Answers, Combined, Failure, Names};
use crate::postgres::dial::dial;
use crate::postgres::error::{Cause, Error, ServerError, SqlState};
use crate::postgres::facts::{Facts, Flavour};
use crate::postgres::guard::Breach;
use crate::postgres::guarded::breach;
use crate::postgres::inquiry::{Asked, Inquiry, Together};
use crate::postgres::notice::{Notice, Notices, bounded};
use crate::postgres::phase::Progress;
use crate::postgres::prepared::{Prepared, Way};
use crate::postgres::row::{Parameter, Row};
use crate::postgres::settings::Settings;
use crate::postgres::several::{Question, Value};
use crate::postgres::site::Site;
use crate::postgres::startup;
use crate::postgres::tls::tls_connect;
use crate::postgres::version::ServerVersion;

/// The first query of a session. It checks that the settings of the startup message have arrived. Only then it empties the
/// `search_path`, which keeps functions in users' schemas out: names in our queries are qualified. Unlike the other settings this
/// one must not outrank the role's own, which our statements need. A database with the encoding SQL_ASCII sends names as they are:
/// asked for UTF-8, it would refuse every answer with a name that is none.
const SET_UP: &str = "\
SELECT pg_catalog.pg_is_in_recovery() AS in_recovery, pg_catalog.pg_backend_pid() AS pid, s.settled,
       (SELECT oid FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database()) AS database,
       SYSTEM AS system,
       pg_catalog.current_setting('server_version_num') AS version, current_user AS admin, session_user AS login,
       EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) 'rds_replication') AS rds,
       CASE WHEN s.settled THEN pg_catalog.set_config('search_path', '', false) END AS search_path,
       CASE WHEN s.settled AND pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.=) 'SQL_ASCII'
            THEN pg_catalog.set_config('client_encoding', 'SQL_ASCII', false) END AS encoding
  FROM (SELECT ARRIVED AS settled) s";
/// The system identifier, in place of `SYSTEM`. It is left out where an administrator has revoked the function.
const SYSTEM: &str = "(SELECT system_identifier FROM pg_catalog.pg_control_system())";

/// A cancel request is a courtesy to the server, not worth a long wait.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);

/// The function of the server that renames a role: its only message below WARNING says that it has cleared the password.
const RENAME_OF_A_ROLE: &str = "RenameRole";

/// What a query of ours is called.
pub(super) const CATALOGUE: &str = "a query of the catalogue";

pub(super) struct Session {
    client: Client,
    notices: Arc<Mutex<Notices>>,
    settings: Arc<Settings>,
    tls: Option<MakeRustlsConnect>,
    /// Queries by themselves: those of transactions.
    prepared: Prepared,
    /// The statements for what readers ask.
    combined: Mutex<HashMap<Vec<Question>, Arc<OnceCell<Combined>>>>,
    together: Together,
    /// The process of the session on the server.
    process: OnceLock<i32>,
    /// Ends the connection. Then, and when the server became read-only during the session (a failover), the next session must be
    /// a new one.
    ended: CancellationToken,
    /// What the server sent that ended the session.
    breach: Arc<OnceLock<Breach>>,
    /// Known once the session is set up.
    place: OnceLock<Place>,
}

/// A value and its type.
type Bound<'a> = (&'a (dyn ToSql + Sync), Type);

/// Where a session is.
struct Place {
    site: Site,
    facts: Facts,
}

/// SQL that was sent, and its answer.
pub(super) struct Sent<'a>(MaybeDone<BoxFuture<'a, Result<(), tokio_postgres::Error>>>);

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
        let session = Self {
            client,
            notices: Arc::default(),
            settings: Arc::clone(settings),
            tls,
            prepared: Prepared::default(),
            combined: Mutex::default(),
            together: Together::default(),
            process: OnceLock::new(),
            ended: CancellationToken::new(),
            breach: Arc::default(),
            place: OnceLock::new(),
        };
        let (notices, ended, breached) = (Arc::clone(&session.notices), session.ended.clone(), Arc::clone(&session.breach));
        tokio::spawn(async move {
            loop {
                let message = tokio::select! {
                    message = std::future::poll_fn(|cx| connection.poll_message(cx)) => message,
                    () = ended.cancelled() => break,
                };
                match message {
                    Some(Ok(AsyncMessage::Notice(notice))) => {
                        if let Some(notice) = worth_keeping(&notice) {
                            notices.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        tracing::debug!(%error, "a session ended");
                        // Before the connection is dropped: whoever waits for an answer then looks here.
                        if let Some(breach) = error.source().and_then(breach) {
                            let _ = breached.set(breach);
                        }
                        break;
                    }
                    None => break,
                }
            }
            ended.cancel();
        });
        session
    }

    /// Checks and sets up a new session.
    pub(super) async fn set_up(&self) -> Result<(), Error> {
        let ask = async |system: &str| {
            let sql = SET_UP.replace("SYSTEM", system).replace("ARRIVED", &startup::arrived());
            let answer = self.client.simple_query(&sql).await;
            answer.map_err(|error| self.error("the first query of a session", error))
        };
        let answer = match ask(SYSTEM).await {
            Err(error) if error.cause() == Some(Cause::InsufficientPrivilege) => ask("NULL").await?,
            answer => answer?,
        };
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let text = |column: &str| row.and_then(|row| row.try_get(column).ok().flatten());
        let is = |column| text(column) == Some("t");
        if let Some(process) = text("pid").and_then(|pid| pid.parse().ok()) {
            let _ = self.process.set(process);
        }
        let address = self.settings.address();
        match (is("settled"), is("in_recovery")) {
            (false, _) => return Err(Error::Pooled { address }),
            (true, true) => return Err(Error::Reader { address }),
            (true, false) => {}
        }
        let unreadable = |column: &str| Error::Decode { column: column.to_owned(), source: "it has no such value".into() };
        let database = text("database").and_then(|oid| oid.parse().ok()).ok_or_else(|| unreadable("database"))?;
        let system = text("system").and_then(|number| number.parse().ok());
        let version = text("version").and_then(|number| number.parse().ok()).ok_or_else(|| unreadable("version"))?;
        let facts = Facts {
            version: ServerVersion::from_number(version),
            flavour: if is("rds") { Flavour::Rds } else { Flavour::Plain },
            current_user: text("admin").ok_or_else(|| unreadable("admin"))?.to_owned(),
            session_user: text("login").ok_or_else(|| unreadable("login"))?.to_owned(),
        };
        let cluster = self.settings.cluster.as_ref();
        let iam_authentication = cluster.map(|cluster| cluster.iam_authentication);
        let (cluster, arn) = cluster.map(|cluster| (cluster.resource_id.clone(), cluster.arn.clone())).unzip();
        let _ = self.place.set(Place { site: Site { system, cluster, arn, iam_authentication, database }, facts });
        Ok(())
    }

    /// Where the session is; `None` before it is set up.
    pub(super) fn site(&self) -> Option<&Site> {
        self.place.get().map(|place| &place.site)
    }

    /// What it is connected to; `None` before it is set up.
    pub(super) fn facts(&self) -> Option<&Facts> {
        self.place.get().map(|place| &place.facts)
    }

    pub(super) fn process(&self) -> Option<i32> {
        self.process.get().copied()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed() || self.ended.is_cancelled()
    }

    /// Runs SQL without parameters, as one message.
    pub(super) async fn run(&self, sql: &str, display: &str, cancel: &CancellationToken) -> Result<(), Error> {
        let result = self.until_cancelled(self.client.batch_execute(sql), display, cancel).await?;
        result.map_err(|error| self.error(display, error))
    }

    /// Runs SQL whose outcome must be known. On cancellation it asks the server to stop, and still waits `patience` for the answer.
    pub(super) async fn run_to_the_end(
        &self,
        sql: &str,
        cancel: &CancellationToken,
        patience: impl FnOnce() -> Duration,
    ) -> Result<(), Error> {
        let work = self.client.batch_execute(sql);
        tokio::pin!(work);
        let result = tokio::select! {
            biased;
            done = &mut work => done,
            () = cancel.cancelled() => {
                let patience = patience();
                self.ask_to_stop().await;
                match tokio::time::timeout(patience, work).await {
                    Ok(done) => done,
                    Err(silence) => {
                        self.ended.cancel();
                        return Err(Error::ConnectionLost { address: self.settings.address(), source: silence.into() });
                    }
                }
            }
        };
        result.map_err(|error| self.error(sql, error))
    }

    /// Sends SQL without parameters, as one message, whether or not its answer is awaited: what is sent later runs after it.
    pub(super) fn send<'a>(&'a self, sql: &'a str) -> Sent<'a> {
        let mut answer = maybe_done(self.client.batch_execute(sql).boxed());
        // The driver sends with the first poll.
        let _ = (&mut answer).now_or_never();
        Sent(answer)
    }

    /// Awaits the answer to what was sent.
    pub(super) async fn answered(&self, mut sent: Sent<'_>, display: &str, cancel: &CancellationToken) -> Result<(), Error> {
        self.until_cancelled(&mut sent.0, display, cancel).await?;
        let answer = Pin::new(&mut sent.0).take_output().unwrap_or(Ok(()));
        answer.map_err(|error| self.error(display, error))
    }

    /// Runs a query. One that comes again is prepared.
    pub(super) async fn query(
        &self,
        sql: &'static str,
        parameters: &[Parameter<'_>],
        cancel: &CancellationToken,
    ) -> Result<Vec<Row>, Error> {
        let values: Vec<Value> = parameters.iter().map(Value::from).collect();
        let bound: Vec<_> = values.iter().map(Value::bind).collect();
        self.found(sql, self.until_cancelled(self.rows(sql, &bound), CATALOGUE, cancel).await?)
    }

    fn found(&self, sql: &str, result: Result<Vec<tokio_postgres::Row>, tokio_postgres::Error>) -> Result<Vec<Row>, Error> {
        match result {
            Ok(rows) => Ok(rows.into_iter().map(Row::from).collect()),
            Err(error) => {
                tracing::debug!(sql, %error, "a query failed");
                Err(self.error(CATALOGUE, error))
            }
        }
    }

    async fn rows(&self, sql: &'static str, bound: &[Bound<'_>]) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
        match self.prepared.way(sql) {
            Way::Text => self.client.query_typed(sql, bound).await,
            Way::TextAndPrepare(preparation) => {
                let types: Vec<Type> = bound.iter().map(|(_, of)| of.clone()).collect();
                let (rows, prepared) = join(self.client.query_typed(sql, bound), self.client.prepare_typed(sql, &types)).await;
                if let Ok(statement) = prepared {
                    preparation.done(statement);
                }
                rows
            }
            Way::Statement(statement) => {
                let values: Vec<_> = bound.iter().map(|(value, _)| *value).collect();
                self.client.query(&statement, &values).await
            }
        }
    }

    /// What readers ask this session.
    pub(super) fn together(&self) -> &Together {
        &self.together
    }

    /// Answers inquiries with these questions by one statement.
    pub(super) async fn answer_together(
        &self,
        inquiries: &[Inquiry],
        questions: &[Question],
        names: &Names,
    ) -> Result<Answers, Error> {
        let statement = self.statement(questions);
        let answers = async {
            let combined = statement.get_or_try_init(|| Box::pin(Combined::prepare(&self.client, questions, names))).await?;
            combined.answers(&self.client, inquiries).await
        };
        answers.await.map_err(|failure| match failure {
            Failure::Driver(error) => self.error(CATALOGUE, error),
            strange @ Failure::Strange(..) => Error::Decode { column: "number".to_owned(), source: strange.into() },
        })
    }

    /// Prepares the statement for these questions.
    pub(super) async fn prepare(&self, questions: &[Question], names: &Names) {
        let statement = self.statement(questions);
        if let Err(error) = statement.get_or_try_init(|| Box::pin(Combined::prepare(&self.client, questions, names))).await {
            tracing::debug!(%error, "a statement for several resources was not prepared");
        }
    }

    fn statement(&self, questions: &[Question]) -> Arc<OnceCell<Combined>> {
        Arc::clone(self.combined().entry(questions.to_vec()).or_default())
    }

    /// Answers a question by itself.
    pub(super) async fn answer(&self, asked: &Asked) -> Result<Vec<Row>, Error> {
        let bound: Vec<_> = asked.values.iter().map(Value::bind).collect();
        self.found(asked.sql, self.client.query_typed(asked.sql, &bound).await)
    }

    fn combined(&self) -> MutexGuard<'_, HashMap<Vec<Question>, Arc<OnceCell<Combined>>>> {
        self.combined.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a ROLLBACK behind the running statement, without waiting for it: the first poll of the future sends it.
    pub(super) fn roll_back_later(&self) {
        let _ = self.client.batch_execute("ROLLBACK").now_or_never();
    }

    /// The server's notices since the last call.
    pub(super) fn take_notices(&self) -> Vec<Notice> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What does not end in time is given up with the whole session: its answer may come at any time, and behind it nothing else
    /// is answered. Others that use the session connect again.
    pub(super) async fn until_cancelled<T>(
        &self,
        work: impl Future<Output = T>,
        what: &str,
        cancel: &CancellationToken,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = cancel.cancelled() => {
                self.ended.cancel();
                self.ask_to_stop().await;
                Err(Error::Cancelled { awaited: format!("the answer of {} to {what}", self.settings.address()) })
            }
        }
    }

    async fn ask_to_stop(&self) {
        // Boxed: the future of a new connection is large, and every statement would carry it.
        if tokio::time::timeout(CANCEL_PATIENCE, Box::pin(self.cancel_running())).await.is_err() {
            tracing::debug!("the cancel request was not sent in time");
        }
    }

    async fn cancel_running(&self) {
        let token = self.client.cancel_token();
        let Ok(stream) = dial(&self.settings, &Progress::default()).await else {
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

    /// The connection ended before an answer.
    pub(super) fn lost(&self) -> Error {
        Error::ConnectionLost { address: self.settings.address(), source: "the connection ended".into() }
    }

    fn error(&self, statement: &str, error: tokio_postgres::Error) -> Error {
        if let Some(source) = error.as_db_error() {
            let source = ServerError::from(source);
            match source.sqlstate.cause() {
                Some(Cause::ReadOnlyTransaction) => self.ended.cancel(),
                Some(Cause::StatementForgotten) => {
                    self.prepared.forget();
                    self.combined().clear();
                }
                _ => {}
            }
            return Error::Statement { statement: statement.to_owned(), source: Box::new(source) };
        }
        let address = self.settings.address();
        if let Some(source) = self.breach.get() {
            return Error::Breached { address, source: *source };
        }
        let shown = error.to_string();
        let source = error.into_source().unwrap_or_else(|| shown.into());
        Error::ConnectionLost { address, source }
    }
}

/// A notice that concerns the practitioner. A server that does not keep to `client_min_messages` may send the text of a statement,
/// with its secrets, as a notice below WARNING. The only one that counts is known by the place in the server that sends it: its text is
/// in the server's language.
fn worth_keeping(notice: &DbError) -> Option<Notice> {
    let password_cleared = notice.parsed_severity() == Some(Severity::Notice) && notice.routine() == Some(RENAME_OF_A_ROLE);
    if !password_cleared && notice.parsed_severity() != Some(Severity::Warning) {
        return None;
    }
    Some(Notice {
        severity: notice.severity().to_owned(),
        sqlstate: SqlState::new(notice.code().code()),
        message: bounded(notice.message()),
        detail: notice.detail().map(bounded),
        hint: notice.hint().map(bounded),
        password_cleared,
    })
}
