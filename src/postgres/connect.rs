//! One physical connection: resolve, connect, TLS, login, and the checks of a new session.

use std::io;
use std::sync::Arc;

use tokio_postgres::{Config, NoTls};
use tokio_util::sync::CancellationToken;

use crate::postgres::dial::dial;
use crate::postgres::error::{Cause, Error};
use crate::postgres::guarded::{Channel, Guarded, GuardedConnect, TlsRequested, breach};
use crate::postgres::login::{Login, LoginSource};
use crate::postgres::origin::Origin;
use crate::postgres::phase::{Phase, Progress};
use crate::postgres::retry::retry_while;
use crate::postgres::session::Session;
use crate::postgres::settings::{Settings, SslMode};
use crate::postgres::startup;
use crate::postgres::tls;
use crate::postgres::tls_fault::TlsFault;

const APPLICATION_NAME: &str = "terraform-provider-clickpipes";

/// Opens a session on a database, and retries transient failures. If a fetched login is refused, it is fetched once more: the
/// password may have been rotated since.
pub(super) async fn connect(
    settings: &Arc<Settings>,
    source: &LoginSource,
    database: &str,
    channel: Channel,
    cancel: &CancellationToken,
) -> Result<Session, Error> {
    let again = |error: &Error| {
        matches!(error, Error::Refused { .. } | Error::Dropped { .. } | Error::ConnectionLost { .. })
            || error.server_error().is_some_and(|error| error.is_transient())
    };
    let open = async |login: &Login| {
        retry_while(cancel, again, || async {
            let (progress, after) = (Progress::default(), settings.connect_timeout);
            tokio::time::timeout(after, open(settings, login, source, database, channel, &progress))
                .await
                .unwrap_or_else(|_| Err(Error::ConnectTimeout { address: settings.address(), after, phase: progress.phase() }))
        })
        .await
    };
    let connecting = async {
        let login = source.fetch().await?;
        let refusal = match open(&login).await {
            Err(error) if is_refusal(&error) => error,
            other => return other,
        };
        match source.fetch_again(&login).await? {
            Some(login) => {
                tracing::debug!(address = settings.address(), "the login was refused; trying with a newly fetched one");
                open(&login).await
            }
            None => Err(refusal),
        }
    };
    tokio::select! {
        result = connecting => result,
        () = cancel.cancelled() => Err(settings.no_connection()),
    }
}

impl Settings {
    /// The error of a wait for a connection that was ended.
    pub(super) fn no_connection(&self) -> Error {
        Error::Cancelled { awaited: format!("a connection to {}", self.address()) }
    }
}

/// Whether the server refused to authenticate us as the role.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::LoginRefused { .. }) && error.cause() == Some(Cause::InvalidPassword)
}

async fn open(
    settings: &Arc<Settings>,
    login: &Login,
    source: &LoginSource,
    database: &str,
    channel: Channel,
    progress: &Progress,
) -> Result<Session, Error> {
    let tls = tls::connector(settings)?;
    let stream = dial(settings, progress).await?;
    let mut config = Config::new();
    config.user(&login.user).dbname(database).application_name(APPLICATION_NAME).options(startup::options());
    if let Some(password) = &login.password {
        config.password(password.expose());
    }
    config.ssl_mode(if settings.sslmode == SslMode::Disable {
        tokio_postgres::config::SslMode::Disable
    } else {
        tokio_postgres::config::SslMode::Require
    });
    tracing::debug!(address = settings.address(), database, user = login.user, "connecting to PostgreSQL");
    // Without a password there is nothing to keep back.
    let trusted = settings.verifies_server() || login.password.is_none();
    let failed = |error| login_error(settings, login, source.origin(), database, error);
    let session = match tls {
        None => {
            progress.reached(Phase::Session);
            let (client, connection) = config.connect_raw(Guarded::new(stream, trusted, channel), NoTls).await.map_err(failed)?;
            Session::start(settings, None, client, connection)
        }
        Some(tls) => {
            progress.reached(Phase::Tls);
            let connect =
                GuardedConnect { connect: tls::tls_connect(&tls, settings)?, trusted, channel, progress: progress.clone() };
            let (client, connection) = config.connect_raw(TlsRequested::new(stream), connect).await.map_err(failed)?;
            Session::start(settings, Some(tls), client, connection)
        }
    };
    progress.reached(Phase::FirstQuery);
    session.set_up().await?;
    Ok(session)
}

fn login_error(settings: &Settings, login: &Login, origin: Origin, database: &str, error: tokio_postgres::Error) -> Error {
    let address = settings.address();
    if let Some(source) = error.as_db_error() {
        if refuses_settings(source.message()) {
            return Error::Pooled { address };
        }
        let (user, database) = (login.user.clone(), database.to_owned());
        return Error::LoginRefused { address, user, origin, database, source: Box::new(source.into()) };
    }
    let closed = error.is_closed();
    let shown = error.to_string();
    let source = error.into_source().unwrap_or_else(|| shown.into());
    match breach(source.as_ref()) {
        Some(source) if source.is_about_a_password() => {
            return Error::PasswordWithheld { address, user: login.user.clone(), origin, sslmode: settings.sslmode, source };
        }
        Some(source) => return Error::Breached { address, source },
        None => {}
    }
    if let Some(source) = dropped(closed, source.as_ref()) {
        return Error::Dropped { address, source };
    }
    // The driver has no error kind for it. No other failure before the login has this text.
    if login.password.is_none() && source.to_string() == "password missing" {
        return Error::PasswordMissing { address, user: login.user.clone() };
    }
    let source = TlsFault::of(source.as_ref()).map_or(source, Into::into);
    Error::Handshake { address, sslmode: settings.sslmode, source }
}

/// How PgBouncer ("unsupported startup parameter: options") and RDS Proxy ("... doesn't support command-line options") refuse
/// the settings of a session.
fn refuses_settings(message: &str) -> bool {
    message.contains("startup parameter") || message.contains("command-line options")
}

/// A tunnel or proxy whose server is down accepts a connection and drops it.
fn dropped(closed: bool, source: &(dyn std::error::Error + 'static)) -> Option<io::Error> {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let kind = source.downcast_ref::<io::Error>().map(io::Error::kind);
    match kind {
        Some(kind @ (BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)) => Some(kind.into()),
        _ if closed => Some(ConnectionAborted.into()),
        _ => None,
    }
}
