//! Changes that may keep the provider itself out of the server: they are committed first, by themselves, then a new login is tried, and if
//! the server refuses it, they are taken back over the session that is still open.

use std::future::ready;

use tokio_util::sync::CancellationToken;

use crate::failure::{Attempt, Failure};
use crate::postgres::transaction::Transaction;
use crate::postgres::{Error, Server, Statement};
use crate::terraform::Diagnostics;

/// What is tried, and what takes it back: operations, or their statements.
pub(crate) struct Trial<T> {
    /// Committed first. The transaction of the other operations follows.
    pub(crate) first: Vec<T>,
    /// Takes all of it back.
    pub(crate) undo: Vec<T>,
}

/// How a trial ended that did not succeed.
pub(crate) enum Refused<'a> {
    /// The server refused the login. Everything was taken back.
    TakenBack(&'a Error),
    /// Something failed after the commit, and this is why it could not be taken back.
    Left(&'a Error),
}

impl<O> Trial<O> {
    /// The same with the statements of each operation.
    pub(super) fn statements(&self, of: impl Fn(&O) -> Vec<Statement>) -> Trial<Statement> {
        Trial { first: self.first.iter().flat_map(&of).collect(), undo: self.undo.iter().flat_map(&of).collect() }
    }
}

impl Trial<Statement> {
    /// Commits what is tried, and tries a login. `say` is the message of one that was refused.
    pub(super) async fn hold(
        &self,
        server: &Server,
        transaction: &Transaction,
        database: &str,
        cancel: &CancellationToken,
        say: impl Fn(&Refused<'_>) -> Diagnostics,
    ) -> Result<(), Attempt> {
        transaction.execute(&self.first, ready(Ok::<_, Error>(()))).await?;
        if let Err(error) = transaction.commit_and_stay().await {
            // The session is gone, and if it was done, no other may be possible.
            if !error.is_uncertain() {
                return Err(error.into());
            }
            let said = say(&Refused::Left(&error));
            return Err(with(error.into(), said));
        }
        tracing::info!(database, "trying a new login");
        let Err(error) = server.try_login(database, cancel).await else { return Ok(()) };
        let is_refusal = matches!(error, Error::LoginRefused { .. });
        Err(match transaction.take_back(&self.undo).await {
            Ok(()) if is_refusal => say(&Refused::TakenBack(&error)).into(),
            Ok(()) => error.into(),
            Err(why) => with(error.into(), say(&Refused::Left(&why))),
        })
    }

    /// Takes it back after the other operations have failed, unless they may have been committed.
    pub(super) async fn give_up(
        &self,
        transaction: &Transaction,
        failed: Attempt,
        say: impl Fn(&Refused<'_>) -> Diagnostics,
    ) -> Attempt {
        if matches!(&failed, Attempt::Postgres(error) if error.is_uncertain()) {
            return failed;
        }
        match transaction.take_back(&self.undo).await {
            Ok(()) => failed,
            Err(why) => with(failed, say(&Refused::Left(&why))),
        }
    }
}

/// What failed first, and what is left of the trial.
fn with(failed: Attempt, left: Diagnostics) -> Attempt {
    let mut diagnostics = Failure::from(failed).into_diagnostics();
    diagnostics.extend(left);
    diagnostics.into()
}
