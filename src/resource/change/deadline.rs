//! The limit of a step: everything that a step waits for ends with it, whatever a server does.

use std::pin::Pin;
use std::time::Duration;

use super::message;
use crate::failure::Failure;
use crate::provider::{Context, Limited};

/// A step with its limit.
pub(super) struct Deadline<'a> {
    outer: &'a Context,
    limited: Limited,
    /// What the step does, as in "gave up reading ...".
    what: String,
    limit: Duration,
}

impl<'a> Deadline<'a> {
    /// From the start of [`Self::run`] on. After the limit, `grace` is left for waits that end at the limit by themselves, with a better message.
    pub(super) fn new(outer: &'a Context, what: String, limit: Duration, grace: Duration) -> Self {
        Self { outer, limited: outer.within(limit.saturating_add(grace)), what, limit }
    }

    /// What the step works with: it is stopped at the deadline.
    pub(super) fn context(&self) -> &Context {
        self.limited.context()
    }

    /// Does the step, until the deadline at most.
    pub(super) fn run<T>(&self, step: Pin<Box<impl Future<Output = T>>>) -> impl Future<Output = T> {
        self.limited.run(step)
    }

    /// The failure, in the words of the limit if that is why the step was stopped.
    pub(super) fn explained(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Cancelled { awaited, .. } if !self.outer.cancel().is_cancelled() => {
                message::timed_out(&self.what, self.limit, &awaited).into()
            }
            other => other,
        }
    }
}
