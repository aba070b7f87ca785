//! Trying again what fails in passing.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::postgres::error::Error;

/// How often something is tried before its last error counts.
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// An error that knows whether the same thing may well succeed a moment later.
pub trait Transient {
    /// Whether it may.
    fn is_transient(&self) -> bool;
    /// Whether the thing may have been done although this is an error.
    fn is_uncertain(&self) -> bool;
}

impl Transient for Error {
    fn is_transient(&self) -> bool {
        Error::is_transient(self)
    }

    fn is_uncertain(&self) -> bool {
        Error::is_uncertain(self)
    }
}

/// Runs a whole transaction, and runs it again while it fails in passing, with growing pauses, up to a limit or until cancelled.
pub async fn transient<T, E, A, F>(cancel: &CancellationToken, attempt: A) -> Result<T, E>
where
    E: Transient + std::fmt::Display,
    A: FnMut() -> F,
    F: Future<Output = Result<T, E>>,
{
    retry_while(cancel, E::is_transient, attempt).await
}

/// The same for what is done when it is found done, as a removal is: a COMMIT without an answer is tried again too.
pub async fn until_done<T, E, A, F>(cancel: &CancellationToken, attempt: A) -> Result<T, E>
where
    E: Transient + std::fmt::Display,
    A: FnMut() -> F,
    F: Future<Output = Result<T, E>>,
{
    retry_while(cancel, |error: &E| error.is_transient() || error.is_uncertain(), attempt).await
}

pub(super) async fn retry_while<T, E, A, F>(
    cancel: &CancellationToken,
    again: impl Fn(&E) -> bool,
    mut attempt: A,
) -> Result<T, E>
where
    E: std::fmt::Display,
    A: FnMut() -> F,
    F: Future<Output = Result<T, E>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(error) if again(&error) => {
                tracing::debug!(%error, ?pause, "trying again");
                tokio::select! {
                    () = tokio::time::sleep(pause) => pause *= 2,
                    () = cancel.cancelled() => return Err(error),
                }
            }
            other => return other,
        }
    }
    attempt().await
}
