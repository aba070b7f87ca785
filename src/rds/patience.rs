//! How to wait for something: with a deadline, until cancelled, and with progress in the log.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
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

/// Which changes are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Any: a second call has no further effect.
    Always,
    /// Only those that AWS refused: a second call would have a second effect.
    IfRefused,
}

/// What one check of the awaited thing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// It reads, and can be cut off at the deadline.
    Read,
    /// It changes something.
    Change,
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

    /// Checks at growing intervals until the awaited thing is there. A check that AWS throttles, that it cannot answer, or that
    /// does not reach it, has found nothing yet.
    pub(super) async fn until<T, F>(&self, awaited: &str, look: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<Seen<T>, Error>>,
    {
        self.check(awaited, Check::Read, look).await
    }

    /// Reads something as often as it takes to get an answer.
    pub(crate) async fn through<T, F>(&self, awaited: &str, mut read: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let look = || {
            let reading = read();
            async move { reading.await.map(Seen::Done) }
        };
        self.check(awaited, Check::Read, look).await
    }

    /// Retries a change while RDS refuses it because of the current state of a cluster, instance or parameter group, for at most
    /// [`WRONG_STATE_LIMIT`], and while AWS throttles it. `repeat` says whether it is also sent again if its answer is missing.
    pub(super) async fn through_wrong_state<T, F>(
        &self,
        what: &str,
        repeat: Repeat,
        mut change: impl FnMut() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let refused_since = Mutex::new(None);
        let refused_too_long = || {
            let mut since = refused_since.lock().unwrap_or_else(PoisonError::into_inner);
            since.get_or_insert_with(Instant::now).elapsed() >= WRONG_STATE_LIMIT
        };
        let awaited = format!("RDS to accept {what}");
        let look = || {
            let changing = change();
            let (awaited, refused_too_long) = (&awaited, &refused_too_long);
            async move {
                match changing.await {
                    Ok(value) => Ok(Seen::Done(value)),
                    Err(error) if matches!(error.cause(), Cause::WrongState | Cause::InUse) => {
                        let (seen, after) = (error.to_string(), WRONG_STATE_LIMIT);
                        if refused_too_long() {
                            return Err(Error::TimedOut { awaited: awaited.clone(), after, seen });
                        }
                        Ok(Seen::NotYet(seen))
                    }
                    Err(error) if error.cause() == Cause::Throttled => Ok(Seen::NotYet(error.to_string())),
                    Err(error) if repeat == Repeat::Always && error.may_pass() => Ok(Seen::NotYet(error.to_string())),
                    Err(error) => Err(error),
                }
            }
        };
        self.check(&awaited, Check::Change, look).await
    }

    async fn check<T, F>(&self, awaited: &str, kind: Check, mut look: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<Seen<T>, Error>>,
    {
        let start = Instant::now();
        let mut interval = FIRST_INTERVAL;
        let mut logged: Option<(String, Instant)> = None;
        let mut last = String::from("no answer");
        loop {
            let limit = async {
                match kind {
                    Check::Read => tokio::time::sleep_until(self.deadline).await,
                    // A change that is cut off may have had its effect.
                    Check::Change => std::future::pending().await,
                }
            };
            let seen = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(Error::Cancelled { awaited: awaited.to_owned() }),
                seen = look() => seen,
                () = limit => Ok(Seen::NotYet(last)),
            };
            let seen = match seen {
                Ok(Seen::Done(value)) => return Ok(value),
                Ok(Seen::DeadEnd(seen)) => {
                    return Err(Error::DeadEnd { awaited: awaited.to_owned(), seen });
                }
                Ok(Seen::NotYet(seen)) => seen,
                Err(error) if kind == Check::Read && error.may_pass() => error.to_string(),
                Err(error) => return Err(error),
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
            last = seen;
            tokio::select! {
                () = self.cancel.cancelled() => {}
                () = tokio::time::sleep_until(self.deadline.min(now + jittered(interval))) => {}
            }
            interval = (interval * 3 / 2).min(LONGEST_INTERVAL);
        }
    }
}

/// Three quarters of the interval to five quarters, at random: several waits do not call at the same moments.
fn jittered(interval: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 1000;
    interval * 3 / 4 + interval * u32::try_from(random).unwrap_or_default() / 2000
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
        let fault =
            |code: &str| Error::Api { action: "RebootDBInstance", code: code.to_owned(), message: "no".to_owned(), status: 400 };
        let calls = Cell::new(0);
        let call = || async {
            calls.set(calls.get() + 1);
            if calls.get() < 3 { Err(fault("InvalidDBInstanceState")) } else { Ok(()) }
        };
        patience(Duration::from_secs(60)).through_wrong_state("a reboot", Repeat::IfRefused, call).await.unwrap();
        assert_eq!(calls.get(), 3);
        let call = || async { Err::<(), _>(fault("AccessDenied")) };
        let error = patience(Duration::from_secs(60)).through_wrong_state("a reboot", Repeat::IfRefused, call).await.unwrap_err();
        assert_eq!(error.cause(), Cause::AccessDenied);
    }

    fn unavailable() -> Error {
        Error::Api { action: "Describe", code: "InternalFailure".to_owned(), message: "no".to_owned(), status: 500 }
    }

    #[tokio::test]
    async fn an_obstacle_is_waited_out_and_named_at_the_deadline() {
        let looks = Cell::new(0);
        let look = || async {
            looks.set(looks.get() + 1);
            if looks.get() < 5 { Err(unavailable()) } else { Ok(Seen::Done(())) }
        };
        patience(Duration::from_secs(60)).until("a thing", look).await.unwrap();
        assert_eq!(looks.get(), 5);
        let never = || async { Err::<Seen<()>, _>(unavailable()) };
        let error = patience(Duration::from_millis(10)).until("a thing", never).await.unwrap_err().to_string();
        assert!(error.contains("waiting for a thing; last seen: Describe failed: AWS answered InternalFailure"), "{error}");
        let hangs = || std::future::pending::<Result<Seen<()>, Error>>();
        let error = patience(Duration::from_millis(10)).until("a thing", hangs).await.unwrap_err();
        assert_eq!(error.to_string(), "timed out after 0s waiting for a thing; last seen: no answer");
    }

    #[tokio::test]
    async fn a_change_without_an_answer_is_sent_again_only_if_that_has_no_second_effect() {
        for (repeat, sent) in [(Repeat::Always, 3), (Repeat::IfRefused, 1)] {
            let calls = Cell::new(0);
            let call = || async {
                calls.set(calls.get() + 1);
                if calls.get() < 3 { Err(unavailable()) } else { Ok(()) }
            };
            let result = patience(Duration::from_secs(60)).through_wrong_state("a change", repeat, call).await;
            assert_eq!((result.is_ok(), calls.get()), (repeat == Repeat::Always, sent));
        }
    }

    #[test]
    fn pauses_differ_and_stay_near_the_interval() {
        let pauses: Vec<Duration> = (0..50).map(|_| jittered(Duration::from_secs(8))).collect();
        assert!(pauses.iter().all(|pause| (6..=10).contains(&pause.as_secs())), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }
}
