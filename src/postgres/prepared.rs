//! The queries that a session has prepared. The server plans a prepared query a few times and then keeps the plan, which for our
//! queries takes longer than running it. A query that comes only once is not worth preparing.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_postgres::Statement;

/// What a session knows of its queries, by their text.
#[derive(Default)]
pub(super) struct Prepared(Mutex<HashMap<&'static str, Known>>);

enum Known {
    /// It came before.
    Seen,
    /// It is being prepared.
    InPreparation,
    Ready(Statement),
}

/// How to run a query this time.
pub(super) enum Way<'a> {
    /// As text.
    Text,
    /// As text, and prepare it beside that for the next time: no round trip is spent on it.
    TextAndPrepare(Preparation<'a>),
    /// By its prepared statement.
    Statement(Statement),
}

/// A query that is being prepared. If nothing comes of it, the next one tries again.
pub(super) struct Preparation<'a> {
    of: &'a Prepared,
    sql: &'static str,
    statement: Option<Statement>,
}

impl Prepared {
    /// How to run this query now.
    pub(super) fn way(&self, sql: &'static str) -> Way<'_> {
        let mut known = self.known();
        match known.get(sql) {
            None => {
                known.insert(sql, Known::Seen);
                Way::Text
            }
            Some(Known::Seen) => {
                known.insert(sql, Known::InPreparation);
                Way::TextAndPrepare(Preparation { of: self, sql, statement: None })
            }
            Some(Known::InPreparation) => Way::Text,
            Some(Known::Ready(statement)) => Way::Statement(statement.clone()),
        }
    }

    /// The server has forgotten them: an event trigger may run DEALLOCATE or DISCARD.
    pub(super) fn forget(&self) {
        self.known().clear();
    }

    fn known(&self) -> MutexGuard<'_, HashMap<&'static str, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Preparation<'_> {
    /// The query is prepared.
    pub(super) fn done(mut self, statement: Statement) {
        self.statement = Some(statement);
    }
}

impl Drop for Preparation<'_> {
    fn drop(&mut self) {
        let known = self.statement.take().map_or(Known::Seen, Known::Ready);
        self.of.known().insert(self.sql, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_prepared_the_second_time_and_by_one_only() {
        let prepared = Prepared::default();
        assert!(matches!(prepared.way("SELECT 1"), Way::Text));
        let Way::TextAndPrepare(preparation) = prepared.way("SELECT 1") else { panic!("it came before") };
        assert!(matches!(prepared.way("SELECT 1"), Way::Text), "while another one prepares it");
        assert!(matches!(prepared.way("SELECT 2"), Way::Text));
        drop(preparation);
        assert!(matches!(prepared.way("SELECT 1"), Way::TextAndPrepare(_)), "the first attempt was given up");
    }
}
