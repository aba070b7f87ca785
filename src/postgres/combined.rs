//! The prepared statement that answers the inquiries of several readers.

use std::error::Error;
use std::sync::Arc;

use futures_util::future::{join, try_join_all};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Column, Statement};

use crate::postgres::inquiry::Inquiry;
use crate::postgres::row::Row;
use crate::postgres::several::{Question, Records, Value, arrays, text};

/// Why it gave no answers.
type Failure = Box<dyn Error + Send + Sync>;

/// The statement for inquiries with the same questions.
pub(super) struct Combined {
    statement: Statement,
    /// The names of the columns of each answer.
    columns: Vec<Arc<[String]>>,
}

impl Combined {
    pub(super) async fn prepare(client: &Client, questions: &[Question]) -> Result<Self, Failure> {
        let text = text(questions);
        let types: Vec<Type> = questions.iter().flat_map(|question| vec![Type::TEXT_ARRAY; question.values]).collect();
        // A record has no names: the server tells those of each question by itself.
        let alone = try_join_all(questions.iter().map(|question| client.prepare(question.sql)));
        let (statement, alone) = join(client.prepare_typed(&text, &types), alone).await;
        let names = |question: &Statement| question.columns().iter().map(Column::name).map(str::to_owned).collect();
        Ok(Self { statement: statement?, columns: alone?.iter().map(names).collect() })
    }

    /// The answers to all questions of all inquiries, in turn.
    pub(super) async fn answers(&self, client: &Client, inquiries: &[Inquiry]) -> Result<Vec<Vec<Row>>, Failure> {
        let values: Vec<Vec<&Value>> =
            inquiries.iter().map(|inquiry| inquiry.iter().flat_map(|asked| &asked.values).collect()).collect();
        let arrays = arrays(&values);
        let parameters: Vec<&(dyn ToSql + Sync)> = arrays.iter().map(|array| array as &(dyn ToSql + Sync)).collect();
        let mut rows = client.query(&self.statement, &parameters).await?;
        if rows.len() != inquiries.len() {
            return Err(format!("{} answers to {} inquiries", rows.len(), inquiries.len()).into());
        }
        let number = |row: &tokio_postgres::Row| row.try_get::<_, i64>(0).unwrap_or_default();
        rows.sort_by_key(number);
        let mut answers = Vec::new();
        for row in &rows {
            for (asked, names) in (1..).zip(&self.columns) {
                answers.push(row.try_get::<_, Records>(asked)?.into_rows(names));
            }
        }
        Ok(answers)
    }
}
