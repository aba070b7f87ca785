//! The prepared statement that answers the inquiries of several readers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{join, try_join_all};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Statement};

use crate::postgres::inquiry::Inquiry;
use crate::postgres::row::Row;
use crate::postgres::several::{Question, Records, Value, arrays, text};

/// From which size on the answer to one inquiry is better read by itself: together they would be kept in memory at the same time.
const LARGE: usize = 4 << 20;

/// Why it gave no answers.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Driver(#[from] tokio_postgres::Error),
    #[error("{0} rows answer {1} inquiries")]
    Strange(usize, usize),
}

/// The answers to all questions of all inquiries, in turn.
pub(super) struct Answers {
    pub(super) rows: Vec<Vec<Row>>,
    /// Whether the same should not be asked for several again.
    pub(super) is_large: bool,
}

/// The names of the columns of answers, which are the same in every database.
#[derive(Default)]
pub(super) struct Names(Mutex<HashMap<&'static str, Arc<[String]>>>);

impl Names {
    /// Keeps those of an answer to a question, if it has rows.
    pub(super) fn learn(&self, sql: &'static str, answer: &[Row]) {
        if let Some(row) = answer.first() {
            self.known().entry(sql).or_insert_with(|| row.names());
        }
    }

    /// Asks the server for those of each question that are not known yet.
    async fn of(&self, client: &Client, questions: &[Question]) -> Result<Vec<Arc<[String]>>, tokio_postgres::Error> {
        let names = questions.iter().map(async |question| {
            let known = self.known().get(question.sql).cloned();
            if let Some(names) = known {
                return Ok(names);
            }
            let names: Arc<[String]> =
                client.prepare(question.sql).await?.columns().iter().map(|column| column.name().to_owned()).collect();
            self.known().insert(question.sql, Arc::clone(&names));
            Ok(names)
        });
        try_join_all(names).await
    }

    fn known(&self) -> MutexGuard<'_, HashMap<&'static str, Arc<[String]>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The statement for inquiries with the same questions.
pub(super) struct Combined {
    statement: Statement,
    /// The names of the columns of each answer.
    columns: Vec<Arc<[String]>>,
}

impl Combined {
    pub(super) async fn prepare(client: &Client, questions: &[Question], names: &Names) -> Result<Self, Failure> {
        let text = text(questions);
        let types: Vec<Type> = questions.iter().flat_map(|question| vec![Type::TEXT_ARRAY; question.values]).collect();
        // A record has no names: the server tells those of each question by itself.
        let (statement, columns) = join(client.prepare_typed(&text, &types), names.of(client, questions)).await;
        Ok(Self { statement: statement?, columns: columns? })
    }

    pub(super) async fn answers(&self, client: &Client, inquiries: &[Inquiry]) -> Result<Answers, Failure> {
        let values: Vec<Vec<&Value>> =
            inquiries.iter().map(|inquiry| inquiry.iter().flat_map(|asked| &asked.values).collect()).collect();
        let arrays = arrays(&values);
        let parameters: Vec<&(dyn ToSql + Sync)> = arrays.iter().map(|array| array as &(dyn ToSql + Sync)).collect();
        let mut rows = Vec::new();
        for row in client.query(&self.statement, &parameters).await? {
            rows.push((row.try_get::<_, i64>(0)?, row));
        }
        rows.sort_by_key(|(number, _)| *number);
        if !rows.iter().map(|(number, _)| *number).eq((1..).take(inquiries.len())) {
            return Err(Failure::Strange(rows.len(), inquiries.len()));
        }
        let is_large = rows.iter().any(|(_, row)| row.raw_size_bytes() > LARGE);
        let mut answers = Vec::new();
        for (_, row) in &rows {
            for (asked, names) in (1..).zip(&self.columns) {
                answers.push(row.try_get::<_, Records>(asked)?.into_rows(names));
            }
        }
        Ok(Answers { rows: answers, is_large })
    }
}
