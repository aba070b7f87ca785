//! Who logs in, and with what: given once and for all, or fetched for each connection.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::postgres::error::Error;
use crate::postgres::origin::Origin;
use crate::secret::Secret;

/// A role and what proves that it is that role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The role.
    pub user: String,
    /// Its password, or a token in its place; `None` where the server asks for none (trust, peer).
    pub password: Option<Secret>,
}

/// A login could not be had.
#[derive(Debug)]
pub struct LoginUnavailable {
    /// Whether whoever knows it cannot be reached, in contrast to: it answered and refused.
    pub unreachable: bool,
    /// Why not.
    pub source: Box<dyn StdError + Send + Sync>,
}

/// Fetches the login of a connection that is about to be opened.
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
    /// Given once and for all.
    Given(Login),
    /// Asked for each time.
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
