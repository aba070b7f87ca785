//! Waits for another destroy of the same run: the pipe is often in the same configuration, and its slot and its connection exist
//! until that run destroys it.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::message;
use crate::failure::Attempt;

/// How long to wait before looking again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often the log reports the wait.
const PROGRESS: Duration = Duration::from_secs(10);

/// Tries until no obstacle is left that another destroy may remove. Between two attempts it holds nothing that others may wait
/// for.
///
/// # Errors
/// Any other failure, and the obstacles left at the limit or at a stop.
pub(crate) async fn until_free<T, F: Future<Output = Result<T, Attempt>>>(
    object: &str,
    limit: Duration,
    cancel: &CancellationToken,
    mut attempt: impl FnMut() -> F,
) -> Result<T, Attempt> {
    let begin = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut said: Option<Instant> = None;
    loop {
        let awaited = match attempt().await {
            Err(Attempt::Awaited(awaited)) => awaited,
            ended => return ended,
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
