//! One physical connection: resolve, connect, TLS, login, and the checks of a new session.

use std::io;
use std::sync::Arc;

use tokio_postgres::{Config, NoTls};
use tokio_util::sync::CancellationToken;

use crate::postgres::dial::dial;
use crate::postgres::error::{Cause, Error};
use crate::postgres::login::{Login, LoginSource};
use crate::postgres::origin::Origin;
use crate::postgres::retry::retry_while;
use crate::postgres::session::Session;
use crate::postgres::settings::{Settings, SslMode};
use crate::postgres::tls;
use crate::postgres::tls_fault::TlsFault;

const APPLICATION_NAME: &str = "terraform-provider-clickpipes";

/// Opens a session on a database, and retries transient failures. If a fetched login is refused, it is fetched once more: the
/// password may have been rotated since.
pub(super) async fn connect(
    settings: &Arc<Settings>,
    source: &LoginSource,
    database: &str,
    cancel: &CancellationToken,
) -> Result<Session, Error> {
    let again = |error: &Error| {
        matches!(error, Error::Refused { .. } | Error::ConnectionLost { .. })
            || error.server_error().is_some_and(|error| error.is_transient())
    };
    let timeout = settings.connect_timeout;
    let open = async |login: &Login| {
        retry_while(cancel, again, || async {
            tokio::time::timeout(timeout, open(settings, login, source, database))
                .await
                .unwrap_or_else(|_| Err(Error::ConnectTimeout { address: settings.address(), after: timeout }))
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
        () = cancel.cancelled() => Err(Error::Cancelled),
    }
}

/// Whether the server refused to authenticate us as the role.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::LoginRefused { .. }) && error.cause() == Some(Cause::InvalidPassword)
}

async fn open(settings: &Arc<Settings>, login: &Login, source: &LoginSource, database: &str) -> Result<Session, Error> {
    let tls = tls::connector(settings)?;
    let stream = dial(settings).await?;
    let mut config = Config::new();
    config.user(&login.user).dbname(database).application_name(APPLICATION_NAME);
    if let Some(password) = &login.password {
        config.password(password.expose());
    }
    config.ssl_mode(if settings.sslmode == SslMode::Disable {
        tokio_postgres::config::SslMode::Disable
    } else {
        tokio_postgres::config::SslMode::Require
    });
    tracing::debug!(address = settings.address(), database, user = login.user, "connecting to PostgreSQL");
    let failed = |error| login_error(settings, login, source.origin(), database, error);
    let session = match tls {
        None => {
            let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(failed)?;
            Session::start(settings, None, client, connection)
        }
        Some(tls) => {
            let connect = tls::tls_connect(&tls, settings)?;
            let (client, connection) = config.connect_raw(stream, connect).await.map_err(failed)?;
            Session::start(settings, Some(tls), client, connection)
        }
    };
    if session.set_up().await? {
        return Err(Error::Reader { address: settings.address() });
    }
    Ok(session)
}

fn login_error(settings: &Settings, login: &Login, origin: Origin, database: &str, error: tokio_postgres::Error) -> Error {
    if let Some(source) = error.as_db_error() {
        return Error::LoginRefused {
            address: settings.address(),
            user: login.user.clone(),
            origin,
            database: database.to_owned(),
            source: Box::new(source.into()),
        };
    }
    let closed = error.is_closed();
    let shown = error.to_string();
    let source = error.into_source().unwrap_or_else(|| shown.into());
    if let Some(source) = dropped(closed, source.as_ref()) {
        return Error::Refused { address: settings.address(), source };
    }
    // The driver has no error kind for it. No other failure before the login has this text.
    if login.password.is_none() && source.to_string() == "password missing" {
        return Error::PasswordMissing { address: settings.address(), user: login.user.clone() };
    }
    let source = TlsFault::of(source.as_ref()).map_or(source, Into::into);
    Error::Handshake { address: settings.address(), sslmode: settings.sslmode, source }
}

/// A tunnel or proxy whose server is down accepts a connection and drops it. That counts as a refused connection.
fn dropped(closed: bool, source: &(dyn std::error::Error + 'static)) -> Option<io::Error> {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let kind = source.downcast_ref::<io::Error>().map(io::Error::kind);
    match kind {
        Some(kind @ (BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)) => Some(kind.into()),
        _ if closed => Some(ConnectionAborted.into()),
        _ => None,
    }
}
