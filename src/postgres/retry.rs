//! Retries of transient failures.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::postgres::error::Error;

/// The number of attempts before the last error counts.
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// An error that knows whether the same operation may succeed a moment later.
pub trait Transient {
    /// Whether it may.
    fn is_transient(&self) -> bool;
    /// Whether the operation may have been done despite this error.
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

/// Runs a whole transaction, and retries it on transient failures with growing pauses, up to a limit or until cancelled.
pub async fn transient<T, E, A, F>(cancel: &CancellationToken, attempt: A) -> Result<T, E>
where
    E: Transient + std::fmt::Display,
    A: FnMut() -> F,
    F: Future<Output = Result<T, E>>,
{
    retry_while(cancel, E::is_transient, attempt).await
}

/// The same for an operation that succeeds if it is already done, such as a removal: a COMMIT without an answer is retried too.
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
