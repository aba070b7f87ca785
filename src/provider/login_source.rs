//! Fetches what a connection logs in with: a password from Secrets Manager, a token signed for RDS.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use crate::aws::secret::{SecretError, read_login};
use crate::aws::{Error, Session, TokenRequest};
use crate::postgres::{FetchLogin, Login, LoginSource, LoginUnavailable, Origin};

/// The password in a secret. It is read once and kept for the life of the process; after a refused login it is read again.
#[derive(Debug)]
struct SecretPassword {
    session: Session,
    arn: String,
    /// Who logs in; `None`: the user in the secret.
    user: Option<String>,
    /// Who logs in if neither names a user.
    fallback_user: Option<String>,
    last: Mutex<Option<Login>>,
}

/// The password in the secret `arn`.
pub(super) fn secret(session: Session, arn: String, user: Option<String>, fallback_user: Option<String>) -> LoginSource {
    LoginSource::Fetched(Arc::new(SecretPassword { session, arn, user, fallback_user, last: Mutex::default() }))
}

/// A token for each connection.
pub(super) fn token(session: Session, request: TokenRequest) -> LoginSource {
    LoginSource::Fetched(Arc::new(Token { session, request }))
}

#[derive(Debug, thiserror::Error)]
#[error("the secret {arn} has no `username`; set username in the provider's postgres settings")]
struct NoUser {
    arn: String,
}

impl SecretPassword {
    async fn read(&self) -> Result<Login, LoginUnavailable> {
        let found = read_login(&self.session, &self.arn).await.map_err(|error| {
            let unreachable = matches!(&error, SecretError::Unread { source, .. } if source.is_unreachable());
            LoginUnavailable { unreachable, source: error.into() }
        })?;
        let user = self.user.clone().or(found.username).or_else(|| self.fallback_user.clone()).ok_or_else(|| {
            let source = NoUser { arn: self.arn.clone() };
            LoginUnavailable { unreachable: false, source: source.into() }
        })?;
        Ok(Login { user, password: Some(found.password) })
    }
}

impl FetchLogin for SecretPassword {
    fn origin(&self) -> Origin {
        Origin::Secret(self.arn.clone())
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Login, LoginUnavailable>> {
        async {
            let mut last = self.last.lock().await;
            if let Some(login) = &*last {
                return Ok(login.clone());
            }
            Ok(last.insert(self.read().await?).clone())
        }
        .boxed()
    }

    fn fetch_again<'a>(&'a self, refused: &'a Login) -> BoxFuture<'a, Result<Option<Login>, LoginUnavailable>> {
        async move {
            let mut last = self.last.lock().await;
            // Another connection may have been refused first, and may have read it again already.
            if last.as_ref() == Some(refused) {
                *last = Some(self.read().await?);
            }
            Ok(last.clone().filter(|login| login != refused))
        }
        .boxed()
    }
}

#[derive(Debug)]
struct Token {
    session: Session,
    request: TokenRequest,
}

impl FetchLogin for Token {
    fn origin(&self) -> Origin {
        Origin::Token
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Login, LoginUnavailable>> {
        async {
            let token = self
                .request
                .sign(&self.session)
                .await
                .map_err(|error: Error| LoginUnavailable { unreachable: error.is_unreachable(), source: error.into() })?;
            Ok(Login { user: self.request.username.clone(), password: Some(token) })
        }
        .boxed()
    }

    /// A token was signed right before it was refused: a second one would be the same.
    fn fetch_again<'a>(&'a self, _: &'a Login) -> BoxFuture<'a, Result<Option<Login>, LoginUnavailable>> {
        async { Ok(None) }.boxed()
    }
}
