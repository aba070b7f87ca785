//! Waits for a lock in short attempts. Whoever waits for an ACCESS EXCLUSIVE lock holds up every query of the table that comes later,
//! so an application would stand still for as long as a session holds the table and we wait behind it.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::message;
use crate::failure::Attempt;
use crate::postgres::Error;

/// The longest wait of an attempt: for so long, at most, queries are held up.
pub(super) const LONGEST: Duration = Duration::from_secs(3);
/// How long the held up queries then have for themselves.
const PAUSE: Duration = Duration::from_secs(5);

/// Tries until the locks are obtained.
///
/// # Errors
/// Any other failure, and the lock that could not be obtained until `ends` or a stop, with its holders.
pub(super) async fn until_obtained<T, F: Future<Output = Result<T, Attempt>>>(
    object: &str,
    ends: Instant,
    cancel: &CancellationToken,
    mut attempt: impl FnMut() -> F,
) -> Result<T, Attempt> {
    let begin = Instant::now();
    let mut attempts = 0;
    loop {
        let locked = match attempt().await {
            Err(Attempt::Postgres(error @ Error::Locked { .. })) => error,
            ended => return ended,
        };
        attempts += 1;
        if ends.saturating_duration_since(Instant::now()) > PAUSE {
            tracing::info!(object, attempts, %locked, "a table is locked; trying again");
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => continue,
                () = cancel.cancelled() => {}
            }
        }
        return Err(message::still_locked(locked, attempts, begin.elapsed()).into());
    }
}
