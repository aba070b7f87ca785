//! Waits for another destroy of the same run: the pipe is often in the same configuration, and its slot and its connection exist
//! until that run destroys it.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::message;
use super::terms::Hindrance;
use crate::failure::{Attempt, Failure};
use crate::terraform::Diagnostics;

/// How long to wait before looking again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often the log reports the wait.
const PROGRESS: Duration = Duration::from_secs(10);

/// An error of an attempt that may only mean "not yet".
pub(crate) trait NotYet: From<Diagnostics> + Sized {
    /// What is awaited, or the error back.
    ///
    /// # Errors
    /// The attempt failed for another reason.
    fn awaited(self) -> Result<Diagnostics, Self>;
}

impl NotYet for Attempt {
    fn awaited(self) -> Result<Diagnostics, Self> {
        match self {
            Self::Awaited(awaited) => Ok(awaited),
            other => Err(other),
        }
    }
}

impl From<Hindrance> for Attempt {
    fn from(hindrance: Hindrance) -> Self {
        match hindrance {
            Hindrance::Refused(refusals) => Self::Refused(refusals),
            Hindrance::Awaited(awaited) => Self::Awaited(awaited),
        }
    }
}

/// Why a look and a decision without a transaction failed.
#[derive(Debug)]
pub(crate) enum Undecided {
    /// They failed.
    Failed(Failure),
    /// An obstacle that another destroy may remove.
    Awaited(Diagnostics),
}

impl NotYet for Undecided {
    fn awaited(self) -> Result<Diagnostics, Self> {
        match self {
            Self::Awaited(awaited) => Ok(awaited),
            other => Err(other),
        }
    }
}

impl<E: Into<Failure>> From<E> for Undecided {
    fn from(failure: E) -> Self {
        Self::Failed(failure.into())
    }
}

impl From<Hindrance> for Undecided {
    fn from(hindrance: Hindrance) -> Self {
        match hindrance {
            Hindrance::Refused(refusals) => Self::Failed(refusals.into()),
            Hindrance::Awaited(awaited) => Self::Awaited(awaited),
        }
    }
}

/// Tries until no obstacle is left that another destroy may remove. Between two attempts it holds nothing that others may wait
/// for.
///
/// # Errors
/// Any other failure, and the obstacles left at the limit or at a stop.
pub(crate) async fn until_free<T, E: NotYet, F: Future<Output = Result<T, E>>>(
    object: &str,
    limit: Duration,
    cancel: &CancellationToken,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E> {
    let begin = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut said: Option<Instant> = None;
    loop {
        let awaited = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => error.awaited()?,
        };
        if begin.elapsed() >= limit {
            return Err(message::still_there(awaited, begin.elapsed(), false).into());
        }
        if said.is_none_or(|said| said.elapsed() >= PROGRESS) {
            said = Some(Instant::now());
            let waited = humantime::format_duration(Duration::from_secs(begin.elapsed().as_secs()));
            for what in &awaited {
                tracing::info!(object, %waited, awaited = what.summary, "waiting for another destroy of this run; {}", what.detail);
            }
        }
        let left = limit.saturating_sub(begin.elapsed());
        tokio::select! {
            () = tokio::time::sleep(pause.min(left)) => {}
            () = cancel.cancelled() => return Err(message::still_there(awaited, begin.elapsed(), true).into()),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
