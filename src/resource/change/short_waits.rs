//! Waits for a lock in short attempts, between which everything is given up that others may wait for.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::message;
use crate::failure::Attempt;
use crate::postgres::Error;

/// How a change waits for the locks of other sessions until its limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShortWaits {
    /// The longest wait of an attempt.
    pub(super) longest: Duration,
    /// How long others then have for themselves.
    pause: Duration,
    /// Why an attempt is no longer, as the end of a sentence.
    pub(super) because: &'static str,
}

impl ShortWaits {
    /// For a lock that queries conflict with, such as ACCESS EXCLUSIVE: an application would stand still for as long as a session holds
    /// the table and we wait behind it.
    pub(crate) const AHEAD_OF_QUERIES: Self = Self {
        longest: Duration::from_secs(3),
        pause: Duration::from_secs(5),
        because: "whoever waits for this lock holds up every later query of the table",
    };

    /// For locks that no query conflicts with, such as SHARE UPDATE EXCLUSIVE on several tables. A change keeps those that it has while
    /// it waits for the next one, and what waits for them meanwhile, such as an ALTER TABLE, does hold up queries.
    pub(crate) const BESIDE_QUERIES: Self = Self {
        longest: Duration::from_secs(15),
        pause: Duration::from_secs(2),
        because: "a change of a table that waits for one of the other locks holds up every later query of that table",
    };

    /// Tries until the locks are obtained.
    ///
    /// # Errors
    /// Any other failure, and the lock that could not be obtained until `ends` or a stop, with its holders.
    pub(super) async fn until_obtained<T, F: Future<Output = Result<T, Attempt>>>(
        self,
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
            if ends.saturating_duration_since(Instant::now()) > self.pause {
                tracing::info!(object, attempts, %locked, "a table is locked; trying again");
                tokio::select! {
                    () = tokio::time::sleep(self.pause) => continue,
                    () = cancel.cancelled() => {}
                }
            }
            return Err(message::still_locked(locked, attempts, begin.elapsed(), self.because).into());
        }
    }
}
