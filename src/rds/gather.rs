//! Questions about objects of one kind that arrive together become one call.
//!
//! Nobody gets an answer to a call that began before the question. So what is shared here is never older than what a caller
//! would have got alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, Shared, WeakShared, join_all};

use crate::aws::{Cause, Error};

/// A round ends after so many pauses in a row in which nobody came. (One long pause would end early on a machine that did not
/// run this process for a while.)
const QUIET_PAUSES: u32 = 5;
/// The most pauses of a round, if others keep coming.
const MOST_PAUSES: u32 = 25;

type Found<T> = Result<Option<T>, Error>;
type Answers<T> = Arc<BTreeMap<String, Found<T>>>;
type Awaited<T> = Shared<BoxFuture<'static, Answers<T>>>;

/// How objects are asked for.
pub(super) trait Ask: Send + Sync + 'static {
    /// What is found of an object.
    type Item: Clone + Send + Sync + 'static;

    /// Asks for one object by its identifier.
    fn one(&self, identifier: &str) -> impl Future<Output = Found<Self::Item>> + Send;

    /// Asks for several with one call, or one list of pages. What the answer does not contain is left out.
    fn several(
        &self,
        identifiers: &BTreeSet<String>,
    ) -> impl Future<Output = Result<BTreeMap<String, Result<Self::Item, Error>>, Error>> + Send;
}

/// Those who ask, in rounds: a round gathers who comes, then asks for all of them.
pub(super) struct Gather<A: Ask> {
    ask: A,
    pause: Duration,
    round: Mutex<Option<Round<A::Item>>>,
    /// Whether this caller may only ask for objects by their identifiers. A policy does not change during a run.
    one_by_one: AtomicBool,
}

/// A round that still gathers.
struct Round<T> {
    asked: BTreeSet<String>,
    /// How often somebody came.
    arrivals: u32,
    answers: WeakShared<BoxFuture<'static, Answers<T>>>,
}

impl<T: Clone> Round<T> {
    fn join(&mut self, identifier: &str) -> Option<Awaited<T>> {
        let awaited = self.answers.upgrade()?;
        self.asked.insert(identifier.to_owned());
        self.arrivals += 1;
        Some(awaited)
    }
}

impl<A: Ask> Gather<A> {
    /// A round ends when nobody came during several pauses of this length.
    pub(super) fn new(ask: A, pause: Duration) -> Arc<Self> {
        Arc::new(Self { ask, pause, round: Mutex::default(), one_by_one: AtomicBool::new(false) })
    }

    /// Asks for an object, together with all who ask at about the same time.
    pub(super) async fn find(self: &Arc<Self>, identifier: &str) -> Found<A::Item> {
        let awaited = self.arrive(identifier);
        self.answer(awaited.await, identifier).await
    }

    /// Asks for an object together with those who are just gathering; at once and alone if there are none.
    pub(super) async fn find_now(&self, identifier: &str) -> Found<A::Item> {
        let awaited = self.round().as_mut().and_then(|round| round.join(identifier));
        match awaited {
            Some(awaited) => self.answer(awaited.await, identifier).await,
            None => self.ask.one(identifier).await,
        }
    }

    /// Joins the round, or begins one.
    fn arrive(self: &Arc<Self>, identifier: &str) -> Awaited<A::Item> {
        let mut open = self.round();
        // One that everybody has left is not continued.
        if let Some(awaited) = open.as_mut().and_then(|round| round.join(identifier)) {
            return awaited;
        }
        let gather = Arc::clone(self);
        let answers = async move {
            let asked = gather.gathered().await;
            Arc::new(gather.answers(asked).await)
        };
        let awaited = answers.boxed().shared();
        let asked = BTreeSet::from([identifier.to_owned()]);
        *open = awaited.downgrade().map(|answers| Round { asked, arrivals: 1, answers });
        awaited
    }

    async fn answer(&self, answers: Answers<A::Item>, identifier: &str) -> Found<A::Item> {
        match answers.get(identifier) {
            Some(found) => found.clone(),
            None => self.ask.one(identifier).await,
        }
    }

    /// Waits until nobody comes any more, and ends the round.
    async fn gathered(&self) -> BTreeSet<String> {
        let (mut arrivals, mut quiet) = (0, 0);
        for _ in 0..MOST_PAUSES {
            let now = self.round().as_ref().map_or(0, |round| round.arrivals);
            quiet = if now == arrivals { quiet + 1 } else { 0 };
            arrivals = now;
            if quiet == QUIET_PAUSES {
                break;
            }
            tokio::time::sleep(self.pause).await;
        }
        self.round().take().map(|round| round.asked).unwrap_or_default()
    }

    async fn answers(&self, asked: BTreeSet<String>) -> BTreeMap<String, Found<A::Item>> {
        if asked.len() == 1 || self.one_by_one.load(Ordering::Relaxed) {
            return self.each(asked).await;
        }
        let mut found: BTreeMap<String, Found<A::Item>> = match self.ask.several(&asked).await {
            Ok(found) => found.into_iter().map(|(identifier, found)| (identifier, found.map(Some))).collect(),
            Err(error) if concerns_everybody(&error) => {
                return asked.into_iter().map(|identifier| (identifier, Err(error.clone()))).collect();
            }
            Err(error) => {
                tracing::debug!(%error, "asking for each by its identifier");
                if error.cause() == Cause::AccessDenied {
                    self.one_by_one.store(true, Ordering::Relaxed);
                }
                BTreeMap::new()
            }
        };
        // That something does not exist is believed only if it was asked for by its identifier.
        let missing = asked.into_iter().filter(|identifier| !found.contains_key(identifier)).collect();
        found.extend(self.each(missing).await);
        found
    }

    async fn each(&self, asked: BTreeSet<String>) -> BTreeMap<String, Found<A::Item>> {
        join_all(asked.into_iter().map(|identifier| async move {
            let found = self.ask.one(&identifier).await;
            (identifier, found)
        }))
        .await
        .into_iter()
        .collect()
    }

    fn round(&self) -> MutexGuard<'_, Option<Round<A::Item>>> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether each single call would fail in the same way, as opposed to a refusal of the shared one.
fn concerns_everybody(error: &Error) -> bool {
    error.may_pass() || error.cause() == Cause::BadCredentials || matches!(error, Error::Unreadable { .. })
}

#[cfg(test)]
mod tests;
