//! Questions that are asked once: whoever asks while the call is under way gets its answer too, and so does whoever asks later.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt, Shared, WeakShared};

use crate::aws::Error;

type Found<V> = Result<Option<V>, Error>;

/// Questions `Q` with their answers `V`.
pub(super) struct Once<Q, V>(Mutex<BTreeMap<Q, Known<V>>>);

enum Known<V> {
    /// It is being asked, by as many as wait for it: if one of them leaves, the others go on.
    Asked(WeakShared<BoxFuture<'static, Found<V>>>),
    Answered(V),
}

enum Answer<V> {
    Here(V),
    Awaited(Shared<BoxFuture<'static, Found<V>>>),
}

impl<Q, V> Default for Once<Q, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Q: Ord + Clone, V: Clone + Send + Sync + 'static> Once<Q, V> {
    /// The answer to the question; `call` asks it if nobody has. That there is nothing, and an error, reach those who wait, and
    /// are not kept: the next one asks again.
    pub(super) async fn ask(&self, question: &Q, call: impl FnOnce() -> BoxFuture<'static, Found<V>>) -> Found<V> {
        let awaited = match self.begin(question, call) {
            Answer::Here(answer) => return Ok(Some(answer)),
            Answer::Awaited(awaited) => awaited,
        };
        let found = awaited.await;
        if let Ok(Some(answer)) = &found {
            self.known().insert(question.clone(), Known::Answered(answer.clone()));
        }
        found
    }

    /// The answer, if it is known.
    pub(super) fn answer(&self, question: &Q) -> Option<V> {
        match self.known().get(question) {
            Some(Known::Answered(answer)) => Some(answer.clone()),
            _ => None,
        }
    }

    /// All answers that are known.
    pub(super) fn answers(&self) -> Vec<V> {
        let known = self.known();
        let answered = known.values().filter_map(|known| match known {
            Known::Answered(answer) => Some(answer.clone()),
            Known::Asked(_) => None,
        });
        answered.collect()
    }

    fn begin(&self, question: &Q, call: impl FnOnce() -> BoxFuture<'static, Found<V>>) -> Answer<V> {
        let mut known = self.known();
        match known.get(question) {
            Some(Known::Answered(answer)) => return Answer::Here(answer.clone()),
            // One that has ended without an answer is not waited for.
            Some(Known::Asked(asked)) if let Some(awaited) = asked.upgrade().filter(|awaited| awaited.peek().is_none()) => {
                return Answer::Awaited(awaited);
            }
            _ => {}
        }
        let awaited = call().shared();
        if let Some(asked) = awaited.downgrade() {
            known.insert(question.clone(), Known::Asked(asked));
        }
        Answer::Awaited(awaited)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Q, Known<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    /// Calls that are counted, and that answer when they are let.
    #[derive(Clone)]
    struct Calls {
        made: Arc<AtomicUsize>,
        may_answer: Arc<Semaphore>,
    }

    impl Calls {
        fn new() -> Self {
            Self { made: Arc::default(), may_answer: Arc::new(Semaphore::new(0)) }
        }

        fn call(&self, found: Found<&'static str>) -> impl FnOnce() -> BoxFuture<'static, Found<&'static str>> + use<> {
            let Self { made, may_answer } = self.clone();
            move || {
                made.fetch_add(1, Ordering::SeqCst);
                async move {
                    may_answer.acquire().await.unwrap().forget();
                    found
                }
                .boxed()
            }
        }

        fn made(&self) -> usize {
            self.made.load(Ordering::SeqCst)
        }
    }

    fn refusal() -> Error {
        Error::Api { action: "Describe", code: "AccessDenied".to_owned(), message: "no".to_owned(), status: 403 }
    }

    #[tokio::test]
    async fn a_question_is_asked_once_for_all_who_have_it() {
        let (once, calls) = (Once::default(), Calls::new());
        let ask = || once.ask(&1, calls.call(Ok(Some("it"))));
        let (first, second, ()) = tokio::join!(ask(), ask(), async { calls.may_answer.add_permits(1) });
        assert_eq!((first.unwrap(), second.unwrap()), (Some("it"), Some("it")));
        assert_eq!((ask().await.unwrap(), once.answer(&1), once.answer(&2)), (Some("it"), Some("it"), None));
        assert_eq!(calls.made(), 1);
    }

    #[tokio::test]
    async fn who_leaves_does_not_take_the_others_along_and_the_last_one_ends_the_call() {
        let (once, calls) = (Once::default(), Calls::new());
        let ask = || once.ask(&1, calls.call(Ok(Some("it"))));
        let (mut first, mut second) = (Box::pin(ask()), Box::pin(ask()));
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        drop(first);
        calls.may_answer.add_permits(1);
        assert_eq!((second.await.unwrap(), calls.made()), (Some("it"), 1));

        let (once, calls) = (Once::default(), Calls::new());
        let ask = || once.ask(&1, calls.call(Ok(Some("it"))));
        let mut given_up = Box::pin(ask());
        assert!((&mut given_up).now_or_never().is_none());
        drop(given_up);
        calls.may_answer.add_permits(2);
        assert_eq!((ask().await.unwrap(), calls.made()), (Some("it"), 2), "an abandoned call is not continued");
    }

    #[tokio::test]
    async fn an_error_and_nothing_reach_those_who_wait_and_are_not_kept() {
        for found in [Err(refusal()), Ok(None)] {
            let (once, calls) = (Once::default(), Calls::new());
            let ask = || once.ask(&1, calls.call(found.clone()));
            let (first, second, ()) = tokio::join!(ask(), ask(), async { calls.may_answer.add_permits(1) });
            assert_eq!((first.is_err(), second.is_err(), calls.made()), (found.is_err(), found.is_err(), 1));
            calls.may_answer.add_permits(1);
            assert_eq!((once.ask(&1, calls.call(Ok(Some("it")))).await.unwrap(), calls.made()), (Some("it"), 2));
        }
    }
}
