//! AWS calls at a stop: a call that hangs would take minutes with all its attempts, and Terraform waits for it.

use std::pin::Pin;

use tokio_util::sync::CancellationToken;

use crate::aws::Error;
use crate::failure::Failure;

/// Does the work. A stop ends it, unless the work handles the stop and reports it in its own words. A call that is given up may
/// still take effect.
///
/// # Errors
/// Those of the work, and [`Error::Cancelled`].
pub(crate) async fn ends<T, E>(
    cancel: &CancellationToken,
    awaited: &str,
    // Boxed by the caller: the SDK's futures are large, and moving them from frame to frame would fill a thread's stack.
    work: Pin<Box<impl Future<Output = Result<T, E>>>>,
) -> Result<T, Failure>
where
    Failure: From<E>,
{
    let cancelled = || Err(Error::Cancelled { awaited: awaited.to_owned() }.into());
    if cancel.is_cancelled() {
        return cancelled();
    }
    tokio::select! {
        biased;
        result = work => Ok(result?),
        () = cancel.cancelled() => cancelled(),
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn said<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
        result.unwrap_err().into_diagnostics().into_iter().map(|fault| fault.detail).collect()
    }

    #[tokio::test]
    async fn a_call_that_hangs_is_given_up_and_one_that_has_answered_is_not() {
        let cancel = CancellationToken::new();
        let stopped_while_it_answers = async {
            cancel.cancel();
            Ok::<_, Error>(1)
        };
        assert_eq!(ends(&cancel, "an answer", Box::pin(stopped_while_it_answers)).await.unwrap(), 1);
        let cancel = CancellationToken::new();
        let (hung, ()) =
            tokio::join!(ends(&cancel, "an answer", Box::pin(pending::<Result<(), Error>>())), async { cancel.cancel() });
        assert!(said(hung).contains("cancelled while waiting for an answer"));
        assert!(
            said(ends(&cancel, "another", Box::pin(ready(Ok::<_, Error>(1)))).await).contains("another"),
            "begun after the stop"
        );
    }

    #[tokio::test]
    async fn work_that_hears_the_stop_has_the_last_word() {
        let cancel = CancellationToken::new();
        let work = async {
            cancel.cancelled().await;
            Err::<(), _>(Error::Cancelled { awaited: "the cluster".to_owned() })
        };
        let (stopped, ()) = tokio::join!(ends(&cancel, "an answer", Box::pin(work)), async { cancel.cancel() });
        assert!(said(stopped).contains("the cluster"));
    }
}
