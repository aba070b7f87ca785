//! What can go wrong with a server, by what a practitioner can do about it.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::postgres::guard::Breach;
pub use crate::postgres::lock_holder::LockHolder;
use crate::postgres::lock_holder::list;
use crate::postgres::origin::Origin;
use crate::postgres::phase::Phase;

/// A five-character SQLSTATE.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SqlState(String);

impl SqlState {
    /// From its five characters.
    pub fn new(code: impl Into<String>) -> Self {
        Self(code.into())
    }

    /// The five characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its meaning here, if it is one of the expected causes.
    pub fn cause(&self) -> Option<Cause> {
        CAUSES.iter().find(|(code, _)| *code == self.0).map(|(_, cause)| *cause)
    }

    /// Whether the same operation may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        self.0.starts_with("08")
            || matches!(
                self.cause(),
                Some(
                    Cause::AdminShutdown
                        | Cause::CannotConnectNow
                        | Cause::ReadOnlyTransaction
                        | Cause::SerializationFailure
                        | Cause::DeadlockDetected
                        | Cause::StatementForgotten
                        | Cause::TransactionAborted
                )
            )
    }
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The SQLSTATEs that the provider acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// 28P01
    InvalidPassword,
    /// 28000
    InvalidAuthorization,
    /// 3D000
    DatabaseMissing,
    /// 42501
    InsufficientPrivilege,
    /// 55P03
    LockNotAvailable,
    /// 57014
    QueryCanceled,
    /// 53300
    TooManyConnections,
    /// 57P01, 57P02
    AdminShutdown,
    /// 57P03
    CannotConnectNow,
    /// 25006
    ReadOnlyTransaction,
    /// 40001
    SerializationFailure,
    /// 40P01
    DeadlockDetected,
    /// 26000: a prepared query is no longer there.
    StatementForgotten,
    /// 25P02: another statement of the transaction failed first. What is sent together may show this error instead of that one, which
    /// the next attempt may not meet.
    TransactionAborted,
}

const CAUSES: [(&str, Cause); 15] = [
    ("28P01", Cause::InvalidPassword),
    ("28000", Cause::InvalidAuthorization),
    ("3D000", Cause::DatabaseMissing),
    ("42501", Cause::InsufficientPrivilege),
    ("55P03", Cause::LockNotAvailable),
    ("57014", Cause::QueryCanceled),
    ("53300", Cause::TooManyConnections),
    ("57P01", Cause::AdminShutdown),
    ("57P02", Cause::AdminShutdown),
    ("57P03", Cause::CannotConnectNow),
    ("25006", Cause::ReadOnlyTransaction),
    ("40001", Cause::SerializationFailure),
    ("40P01", Cause::DeadlockDetected),
    ("26000", Cause::StatementForgotten),
    ("25P02", Cause::TransactionAborted),
];

/// An ERROR or FATAL that the server reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    /// Its SQLSTATE.
    pub sqlstate: SqlState,
    /// The primary message.
    pub message: String,
    /// The detail, if there is one.
    pub detail: Option<String>,
    /// The hint, if there is one.
    pub hint: Option<String>,
}

impl ServerError {
    /// 40001 and similar; also the internal error that two sessions get when they change the same catalogue row.
    pub fn is_transient(&self) -> bool {
        self.sqlstate.is_transient() || (self.sqlstate.as_str() == "XX000" && self.message.contains("concurrently"))
    }
}

impl From<&tokio_postgres::error::DbError> for ServerError {
    fn from(error: &tokio_postgres::error::DbError) -> Self {
        Self {
            sqlstate: SqlState::new(error.code().code()),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.sqlstate)?;
        if let Some(detail) = &self.detail {
            write!(f, ". Detail: {}", detail.lines().collect::<Vec<_>>().join("; "))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " Hint: {hint}")?;
        }
        Ok(())
    }
}

impl StdError for ServerError {}

/// Any failure to connect, read or write. `Display` never repeats the source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host name does not resolve.
    #[error("the host name \"{host}\" does not resolve to an address")]
    NameNotResolved {
        /// The name.
        host: String,
        /// The resolver's error.
        #[source]
        source: std::io::Error,
    },
    /// Nothing listens there, on every attempt.
    #[error("{address} refused the connection")]
    Refused {
        /// Host and port.
        address: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// No answer in time.
    #[error("{address} {phase} within {}", humantime::format_duration(*after))]
    ConnectTimeout {
        /// Host and port.
        address: String,
        /// The connect timeout.
        after: Duration,
        /// What was not answered.
        phase: Phase,
    },
    /// Something listens there and closes connections, on every attempt.
    #[error("{address} accepted the connection and closed it before the session began")]
    Dropped {
        /// Host and port.
        address: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The server asks for the password in a form that others can use, and is not verified.
    #[error("the password of \"{user}\" was not sent to {address}, because the server is not verified (sslmode {sslmode})")]
    PasswordWithheld {
        /// Host and port.
        address: String,
        /// The role that tried to log in.
        user: String,
        /// Where the password comes from.
        origin: Origin,
        /// The TLS mode.
        sslmode: crate::postgres::settings::SslMode,
        /// How the server asks for it.
        #[source]
        source: Breach,
    },
    /// The server sent something that is not accepted.
    #[error("the session with {address} was ended")]
    Breached {
        /// Host and port.
        address: String,
        /// What it sent.
        #[source]
        source: Breach,
    },
    /// The settings of a session do not reach the server, so a pooler or proxy is in between.
    #[error("{address} is a connection pooler or proxy: it does not pass on the settings of a session")]
    Pooled {
        /// Host and port.
        address: String,
    },
    /// Any other network failure before the session was established.
    #[error("cannot reach {address}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The server asks for a password and none is configured.
    #[error("{address} requires a password for \"{user}\", but none is given")]
    PasswordMissing {
        /// Host and port.
        address: String,
        /// The role that tried to log in.
        user: String,
    },
    /// The password or token for the login could not be obtained.
    #[error("cannot obtain the password or token for the login")]
    LoginUnavailable {
        /// Where it should come from.
        origin: Origin,
        /// Whether that source cannot be reached.
        unreachable: bool,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The server could not be reached, by this read or by one a moment ago.
    #[error(transparent)]
    StillUnreachable(Arc<Error>),
    /// TLS or the protocol could not be set up.
    #[error("cannot set up a session with {address} (sslmode {sslmode})")]
    Handshake {
        /// Host and port.
        address: String,
        /// The TLS mode.
        sslmode: crate::postgres::settings::SslMode,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The root certificates cannot be used.
    #[error("cannot use the root certificates{}", path.as_ref().map(|path| format!(" in {}", path.display())).unwrap_or_default())]
    RootCertificates {
        /// The file, if they come from one.
        path: Option<PathBuf>,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The server answered and refused the login.
    #[error("{address} refused the login of \"{user}\" to database \"{database}\"{origin}")]
    LoginRefused {
        /// Host and port.
        address: String,
        /// The role that tried to log in.
        user: String,
        /// Where the password came from.
        origin: Origin,
        /// To which database.
        database: String,
        /// The server's error.
        #[source]
        source: Box<ServerError>,
    },
    /// A standby or Aurora reader.
    #[error("{address} is a reader (it is in recovery), where nothing can be changed and no replication slot can exist")]
    Reader {
        /// Host and port.
        address: String,
    },
    /// A statement failed.
    #[error("{statement} failed")]
    Statement {
        /// The statement, with its secrets redacted.
        statement: String,
        /// The server's error.
        #[source]
        source: Box<ServerError>,
    },
    /// A lock on an object could not be obtained in time.
    #[error(
        "{statement} waited {} for a lock{}", humantime::format_duration(*waited), list(holders)
    )]
    Locked {
        /// The statement, with its secrets redacted.
        statement: String,
        /// How long it waited.
        waited: Duration,
        /// Who holds the lock, as far as it is known.
        holders: Vec<LockHolder>,
        /// The server's error.
        #[source]
        source: Box<ServerError>,
    },
    /// Another process changes the same database and did not finish in time.
    #[error(
        "another run is changing database \"{database}\"; gave up after {}{}", humantime::format_duration(*waited), list(holders)
    )]
    Busy {
        /// The database.
        database: String,
        /// How long the wait was.
        waited: Duration,
        /// Who holds the lock.
        holders: Vec<LockHolder>,
    },
    /// The session was lost while in use.
    #[error("the connection to {address} was lost")]
    ConnectionLost {
        /// Host and port.
        address: String,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The session was lost during a COMMIT: the changes may or may not have been made.
    #[error("it is unknown whether the changes to database \"{database}\" were made: they were sent, but no answer came")]
    Uncertain {
        /// The database.
        database: String,
        /// Why no answer came.
        #[source]
        source: Box<Error>,
    },
    /// The server's answer did not have the expected form.
    #[error("column {column} of the server's answer cannot be read")]
    Decode {
        /// Which column.
        column: String,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The caller asked to stop.
    #[error("stopped while waiting for {awaited}; an open transaction is rolled back")]
    Cancelled {
        /// What was awaited.
        awaited: String,
    },
}

impl Error {
    /// The original error, if this one repeats a remembered error; otherwise the error itself.
    pub fn original(&self) -> &Self {
        match self {
            Self::StillUnreachable(error) => error,
            error => error,
        }
    }

    /// The server's report, if there is one.
    pub fn server_error(&self) -> Option<&ServerError> {
        match self.original() {
            Self::LoginRefused { source, .. } | Self::Statement { source, .. } | Self::Locked { source, .. } => Some(source),
            _ => None,
        }
    }

    /// The SQLSTATE, if the server reported one.
    pub fn sqlstate(&self) -> Option<&SqlState> {
        self.server_error().map(|error| &error.sqlstate)
    }

    /// The meaning of the SQLSTATE, if it is one of the expected ones.
    pub fn cause(&self) -> Option<Cause> {
        self.sqlstate().and_then(SqlState::cause)
    }

    /// Whether there is no session because the server cannot be reached, as opposed to an answer that refuses.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::NameNotResolved { .. }
                | Self::Refused { .. }
                | Self::Dropped { .. }
                | Self::ConnectTimeout { .. }
                | Self::Unreachable { .. }
                | Self::LoginUnavailable { unreachable: true, .. }
                | Self::StillUnreachable(_)
        ) || self.cause() == Some(Cause::CannotConnectNow)
    }

    /// Whether the server cannot be reached, or every connection to it was lost again.
    pub fn is_outage(&self) -> bool {
        self.is_unreachable()
            || matches!(self, Self::ConnectionLost { .. })
            || self.sqlstate().is_some_and(|sqlstate| sqlstate.as_str().starts_with("08"))
    }

    /// Whether this may be a failover, for a client that has already seen the writer at this address. A missing login from AWS
    /// says nothing about the server.
    pub(super) fn may_be_failover(&self) -> bool {
        match self {
            Self::LoginUnavailable { .. } => false,
            Self::Reader { .. } => true,
            _ => self.is_outage(),
        }
    }

    /// Whether the database itself does not exist.
    pub fn is_database_missing(&self) -> bool {
        matches!(self, Self::LoginRefused { .. }) && self.cause() == Some(Cause::DatabaseMissing)
    }

    /// Whether the server refuses to let this login into the database, for longer than a moment.
    pub fn refuses_the_database(&self) -> bool {
        let passes = [Cause::InvalidPassword, Cause::TooManyConnections, Cause::CannotConnectNow, Cause::AdminShutdown];
        matches!(self, Self::LoginRefused { .. }) && self.cause().is_none_or(|cause| !passes.contains(&cause))
    }

    /// Whether the whole transaction may succeed a moment later. Connection failures have already been retried.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Statement { source, .. } => source.is_transient(),
            Self::ConnectionLost { .. } => true,
            _ => false,
        }
    }

    /// The failure of a COMMIT: if the session ended, the server may or may not have committed before.
    pub(super) fn of_commit(self, database: &str) -> Self {
        let ended = match &self {
            Self::ConnectionLost { .. } => true,
            Self::Statement { source, .. } => {
                source.sqlstate.as_str().starts_with("08") || source.sqlstate.cause() == Some(Cause::AdminShutdown)
            }
            _ => false,
        };
        if ended { Self::Uncertain { database: database.to_owned(), source: Box::new(self) } } else { self }
    }

    /// Whether the changes may have been made despite this error.
    pub fn is_uncertain(&self) -> bool {
        matches!(self, Self::Uncertain { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(code: &str, message: &str) -> Error {
        let source = ServerError { sqlstate: SqlState::new(code), message: message.to_owned(), detail: None, hint: None };
        Error::Statement { statement: "GRANT x TO y".to_owned(), source: Box::new(source) }
    }

    #[test]
    fn a_commit_without_an_answer_is_not_tried_again() {
        let ended = statement("57P01", "terminating connection").of_commit("app");
        assert!(ended.is_uncertain() && !ended.is_transient());
        let rolled_back = statement("40001", "could not serialize access").of_commit("app");
        assert!(!rolled_back.is_uncertain() && rolled_back.is_transient());
    }

    #[test]
    fn a_failover_looks_like_nobody_or_a_reader() {
        let address = || "db:5432".to_owned();
        let refused = |code: &str| Error::LoginRefused {
            address: address(),
            user: "admin".to_owned(),
            origin: Origin::Given,
            database: "app".to_owned(),
            source: Box::new(ServerError { sqlstate: SqlState::new(code), message: String::new(), detail: None, hint: None }),
        };
        for seen in [
            Error::Reader { address: address() },
            Error::ConnectTimeout { address: address(), after: Duration::from_secs(1), phase: Phase::Dial },
            Error::Refused { address: address(), source: std::io::ErrorKind::ConnectionRefused.into() },
            refused("57P03"),
        ] {
            assert!(seen.may_be_failover(), "{seen}");
        }
        let no_login = Error::LoginUnavailable { origin: Origin::Token, unreachable: true, source: "AWS is away".into() };
        for other in [refused("28P01"), refused("3D000"), no_login, Error::Cancelled { awaited: "an answer".to_owned() }] {
            assert!(!other.may_be_failover(), "{other}");
        }
    }

    #[test]
    fn knows_what_passes_by_itself() {
        for (code, message, transient) in [
            ("57P01", "terminating connection due to administrator command", true),
            ("08006", "connection failure", true),
            ("25006", "cannot execute GRANT in a read-only transaction", true),
            ("40001", "could not serialize access", true),
            ("XX000", "tuple concurrently updated", true),
            ("25P02", "current transaction is aborted", true),
            ("XX000", "cache lookup failed", false),
            ("42501", "permission denied", false),
        ] {
            assert_eq!(statement(code, message).is_transient(), transient, "{code} {message}");
        }
    }
}
