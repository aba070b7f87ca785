//! Answers sent one after the other. The client may disconnect at any time, and that ends the work.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Status;

use super::panic;
use crate::terraform::Diagnostics;

/// A stream of events.
pub(crate) type Events<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Where the work sends its events.
#[derive(Debug)]
pub(super) struct Sender<T>(mpsc::UnboundedSender<Result<T, Status>>);

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Sender<T> {
    /// Sends an event, unless the client is gone.
    pub(super) fn send(&self, event: T) {
        let _ = self.0.send(Ok(event));
    }
}

/// Streams what the work sends. `last` makes the final event from the outcome; a panic counts as a failure.
pub(super) fn stream<T, W>(
    work: impl FnOnce(Sender<T>) -> W,
    last: impl FnOnce(Result<Diagnostics, Diagnostics>) -> Option<T> + Send + 'static,
) -> Events<T>
where
    T: Send + 'static,
    W: Future<Output = Result<Diagnostics, Diagnostics>> + Send + 'static,
{
    let (sender, receiver) = mpsc::unbounded_channel();
    let sender = Sender(sender);
    let work = AssertUnwindSafe(work(sender.clone())).catch_unwind();
    tokio::spawn(async move {
        let outcome = tokio::select! {
            outcome = work => outcome.unwrap_or_else(|payload| Err(panic::diagnostic(payload.as_ref()).into())),
            () = sender.0.closed() => return,
        };
        if let Some(event) = last(outcome) {
            sender.send(event);
        }
    });
    Box::pin(UnboundedReceiverStream::new(receiver))
}
