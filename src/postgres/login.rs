//! Who logs in, and with what: fixed, or fetched for each connection.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::postgres::error::Error;
use crate::postgres::origin::Origin;
use crate::secret::Secret;

/// A role and the proof of its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The role.
    pub user: String,
    /// Its password, or a token instead; `None` where the server requires none (trust, peer).
    pub password: Option<Secret>,
}

/// A login could not be obtained.
#[derive(Debug)]
pub struct LoginUnavailable {
    /// Whether its source cannot be reached, as opposed to an answer that refuses.
    pub unreachable: bool,
    /// The cause.
    pub source: Box<dyn StdError + Send + Sync>,
}

/// Fetches the login for a connection that is about to be opened.
pub trait FetchLogin: fmt::Debug + Send + Sync {
    /// Where it comes from.
    fn origin(&self) -> Origin;

    /// The login.
    fn fetch(&self) -> BoxFuture<'_, Result<Login, LoginUnavailable>>;

    /// The login to try after the server has refused `refused`; `None` when there is no other.
    fn fetch_again<'a>(&'a self, refused: &'a Login) -> BoxFuture<'a, Result<Option<Login>, LoginUnavailable>>;
}

/// Where the login of each new physical connection comes from.
#[derive(Debug, Clone)]
pub enum LoginSource {
    /// Fixed.
    Given(Login),
    /// Fetched each time.
    Fetched(Arc<dyn FetchLogin>),
}

impl LoginSource {
    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        match self {
            Self::Given(_) => Origin::Given,
            Self::Fetched(source) => source.origin(),
        }
    }

    /// The login of a new connection.
    pub(super) async fn fetch(&self) -> Result<Login, Error> {
        match self {
            Self::Given(login) => Ok(login.clone()),
            Self::Fetched(source) => source.fetch().await.map_err(|why| self.unavailable(why)),
        }
    }

    /// Another login after a refusal.
    pub(super) async fn fetch_again(&self, refused: &Login) -> Result<Option<Login>, Error> {
        match self {
            Self::Given(_) => Ok(None),
            Self::Fetched(source) => source.fetch_again(refused).await.map_err(|why| self.unavailable(why)),
        }
    }

    fn unavailable(&self, LoginUnavailable { unreachable, source }: LoginUnavailable) -> Error {
        Error::LoginUnavailable { origin: self.origin(), unreachable, source }
    }
}
