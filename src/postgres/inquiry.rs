//! What the readers of one session ask at about the same time, and when it is sent.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::postgres::error::Error;
use crate::postgres::row::Row;
use crate::postgres::several::{Question, Value};

/// A question that waits for its answer.
pub(super) struct Asked {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Value>,
    /// Takes the answer to whoever waits for it.
    pub(super) answer: Box<dyn FnOnce(Result<Vec<Row>, Error>) + Send + Sync>,
}

/// What one reader asks at once.
pub(super) type Inquiry = Vec<Asked>;

/// The questions of an inquiry.
pub(super) fn questions(inquiry: &[Asked]) -> Vec<Question> {
    inquiry.iter().map(|asked| Question { sql: asked.sql, values: asked.values.len() }).collect()
}

/// The inquiries of the readers of a session.
#[derive(Default)]
pub(super) struct Together(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: Vec<Inquiry>,
    /// How many times something was sent that is not answered yet.
    under_way: usize,
}

/// When an inquiry is sent.
pub(super) enum When {
    /// Now.
    Now(Vec<Inquiry>),
    /// A moment later, unless what is under way ends earlier.
    InAMoment,
    /// With the one that waits already.
    WithOthers,
}

impl Together {
    pub(super) fn enter(&self, inquiry: Inquiry) -> When {
        let mut state = self.state();
        let is_first = state.waiting.is_empty();
        state.waiting.push(inquiry);
        match (is_first, state.under_way) {
            // Only itself: what others asked must not depend on whoever asks now.
            (true, 0) => When::Now(state.take()),
            (true, _) => When::InAMoment,
            (false, _) => When::WithOthers,
        }
    }

    /// What waits: it is sent now.
    pub(super) fn take(&self) -> Vec<Inquiry> {
        self.state().take()
    }

    /// Something that was sent is answered, or given up. Returns whether what waits is to be sent now.
    pub(super) fn leave(&self) -> bool {
        let mut state = self.state();
        state.under_way = state.under_way.saturating_sub(1);
        state.under_way == 0 && !state.waiting.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Vec<Inquiry> {
        let waiting = std::mem::take(&mut self.waiting);
        self.under_way += usize::from(!waiting.is_empty());
        waiting
    }
}

/// Inquiries with the same questions, in groups.
pub(super) fn alike(inquiries: Vec<Inquiry>) -> Vec<Vec<Inquiry>> {
    let mut groups: Vec<Vec<Inquiry>> = Vec::new();
    for inquiry in inquiries {
        let of = questions(&inquiry);
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| questions(first) == of)) {
            Some(group) => group.push(inquiry),
            None => groups.push(vec![inquiry]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inquiry(queries: &[&'static str]) -> Inquiry {
        let asked = |sql: &&'static str| Asked { sql, values: vec![Value::Oid(7)], answer: Box::new(|_| ()) };
        queries.iter().map(asked).collect()
    }

    #[test]
    fn what_arrives_while_something_is_under_way_is_sent_together() {
        let together = Together::default();
        assert!(matches!(together.enter(inquiry(&["a"])), When::Now(sent) if sent.len() == 1));
        assert!(matches!(together.enter(inquiry(&["b"])), When::InAMoment));
        assert!(matches!(together.enter(inquiry(&["c"])), When::WithOthers));
        assert!(together.leave(), "nothing is under way, and two wait");
        assert!(matches!(together.enter(inquiry(&["c"])), When::WithOthers), "nobody else's questions depend on who asks now");
        assert_eq!(together.take().len(), 3);
        assert!(matches!(together.enter(inquiry(&["d"])), When::InAMoment));
        assert_eq!(together.take().len(), 1, "its moment is over while the three are under way");
        assert!(together.take().is_empty());
        assert!(!together.leave());
        assert!(!together.leave());
        assert!(matches!(together.enter(inquiry(&["e"])), When::Now(_)), "all is answered");
    }

    #[test]
    fn inquiries_with_the_same_questions_are_a_group() {
        let groups = alike(vec![inquiry(&["a", "b"]), inquiry(&["a"]), inquiry(&["a", "b"])]);
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    }
}
