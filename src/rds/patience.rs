//! How to wait for something: with a deadline, until cancelled, and with progress in the log.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::aws::{Cause, Error};

/// Pause between the first two checks.
const FIRST_INTERVAL: Duration = Duration::from_millis(50);
/// Pause between two checks of a long wait; RDS advises no more than a few calls a minute.
const LONGEST_INTERVAL: Duration = Duration::from_secs(15);
/// Time between two log lines of an unchanged wait.
const LOG_INTERVAL: Duration = Duration::from_secs(30);
/// How long to retry a call that is refused because of the state of a cluster, instance or parameter group.
pub const WRONG_STATE_LIMIT: Duration = Duration::from_secs(15 * 60);

/// How long to wait, and what ends the wait.
#[derive(Clone)]
pub struct Patience {
    deadline: Instant,
    cancel: CancellationToken,
    /// Receives what is logged.
    tell: Option<Arc<dyn Fn(String) + Send + Sync>>,
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// What one check of the awaited thing found.
pub(super) enum Seen<T> {
    Done(T),
    NotYet(String),
    /// Waiting longer is of no use.
    DeadEnd(String),
}

impl Patience {
    /// Waits until `timeout` from now, or `cancel`.
    pub fn new(timeout: Duration, cancel: CancellationToken) -> Self {
        Self { deadline: Instant::now() + timeout, cancel, tell: None }
    }

    /// Also reports to a listener what is awaited and what was seen.
    #[must_use]
    pub fn telling(self, tell: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self { tell: Some(Arc::new(tell)), ..self }
    }

    /// The same, but ending after `limit` if that is sooner.
    pub fn at_most(&self, limit: Duration) -> Self {
        Self { deadline: self.deadline.min(Instant::now() + limit), ..self.clone() }
    }

    /// Checks at growing intervals until the awaited thing is there.
    pub(super) async fn until<T, F>(&self, awaited: &str, mut look: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<Seen<T>, Error>>,
    {
        let start = Instant::now();
        let mut interval = FIRST_INTERVAL;
        let mut logged: Option<(String, Instant)> = None;
        loop {
            let seen = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(Error::Cancelled { awaited: awaited.to_owned() }),
                seen = look() => seen?,
            };
            let seen = match seen {
                Seen::Done(value) => return Ok(value),
                Seen::DeadEnd(seen) => {
                    return Err(Error::DeadEnd { awaited: awaited.to_owned(), seen });
                }
                Seen::NotYet(seen) => seen,
            };
            let now = Instant::now();
            if logged.as_ref().is_none_or(|(last, at)| *last != seen || now - *at >= LOG_INTERVAL) {
                tracing::info!(
                    seen,
                    elapsed_seconds = (now - start).as_secs(),
                    timeout_seconds = self.deadline.saturating_duration_since(start).as_secs(),
                    "waiting for {awaited}"
                );
                if let Some(tell) = &self.tell {
                    tell(format!("Waiting for {awaited}: {seen} ({} seconds so far)", (now - start).as_secs()));
                }
                logged = Some((seen.clone(), now));
            }
            if now >= self.deadline {
                let after = Duration::from_secs((now - start).as_secs());
                return Err(Error::TimedOut { awaited: awaited.to_owned(), after, seen });
            }
            tokio::select! {
                () = self.cancel.cancelled() => {}
                () = tokio::time::sleep_until(self.deadline.min(now + interval)) => {}
            }
            interval = (interval * 3 / 2).min(LONGEST_INTERVAL);
        }
    }

    /// Retries a call while RDS refuses it because of the current state of a cluster, instance or parameter group.
    pub(super) async fn through_wrong_state<T, F>(&self, what: &str, mut call: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let look = || {
            let attempt = call();
            async move {
                match attempt.await {
                    Ok(value) => Ok(Seen::Done(value)),
                    Err(error) if matches!(error.cause(), Cause::WrongState | Cause::InUse) => {
                        Ok(Seen::NotYet(error.to_string()))
                    }
                    Err(error) => Err(error),
                }
            }
        };
        self.at_most(WRONG_STATE_LIMIT).until(&format!("RDS to accept {what}"), look).await
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn patience(limit: Duration) -> Patience {
        Patience::new(limit, CancellationToken::new())
    }

    #[tokio::test]
    async fn looks_again_until_the_thing_is_there() {
        let looks = Cell::new(0);
        let look = || async {
            looks.set(looks.get() + 1);
            Ok(if looks.get() == 4 { Seen::Done("it") } else { Seen::NotYet("nothing".to_owned()) })
        };
        assert_eq!(patience(Duration::from_secs(60)).until("a thing", look).await.unwrap(), "it");
        assert_eq!(looks.get(), 4);
    }

    #[tokio::test]
    async fn a_timeout_says_what_was_awaited_and_what_was_seen() {
        let look = || async { Ok(Seen::<()>::NotYet("another".to_owned())) };
        let error = patience(Duration::from_millis(10)).until("a thing", look).await.unwrap_err();
        assert_eq!(error.to_string(), "timed out after 0s waiting for a thing; last seen: another");
    }

    #[tokio::test]
    async fn cancel_ends_a_wait() {
        let cancel = CancellationToken::new();
        let look = || async {
            cancel.cancel();
            Ok(Seen::<()>::NotYet("another".to_owned()))
        };
        let error = Patience::new(Duration::from_secs(60), cancel.clone()).until("a thing", look).await.unwrap_err();
        assert!(matches!(error, Error::Cancelled { .. }));
    }

    #[tokio::test]
    async fn a_call_refused_for_the_state_is_repeated_and_others_are_not() {
        let fault = |code: &str| Error::Api { action: "RebootDBInstance", code: code.to_owned(), message: "no".to_owned() };
        let calls = Cell::new(0);
        let call = || async {
            calls.set(calls.get() + 1);
            if calls.get() < 3 { Err(fault("InvalidDBInstanceState")) } else { Ok(()) }
        };
        patience(Duration::from_secs(60)).through_wrong_state("a reboot", call).await.unwrap();
        assert_eq!(calls.get(), 3);
        let call = || async { Err::<(), _>(fault("AccessDenied")) };
        let error = patience(Duration::from_secs(60)).through_wrong_state("a reboot", call).await.unwrap_err();
        assert_eq!(error.cause(), Cause::AccessDenied);
    }
}
