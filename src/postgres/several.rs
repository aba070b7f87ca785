//! Queries for several resources as one statement, which takes the values as arrays of text and answers each resource with a row. The
//! server begins and ends a statement in about the time in which it runs a query for one resource.

use std::sync::Arc;

use postgres_protocol::types::array_from_sql;
use tokio_postgres::fallible_iterator::FallibleIterator as _;
use tokio_postgres::types::{FromSql, ToSql, Type};

use crate::postgres::row::{Parameter, Record, Row};

/// An owned value of a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Texts(Vec<String>),
    Oid(u32),
    Int(i32),
    Bool(bool),
}

impl From<&Parameter<'_>> for Value {
    fn from(parameter: &Parameter<'_>) -> Self {
        match parameter {
            Parameter::Text(value) => Self::Text((*value).to_owned()),
            Parameter::Texts(values) => Self::Texts(values.iter().map(|value| (*value).to_owned()).collect()),
            Parameter::Oid(value) => Self::Oid(*value),
            Parameter::Int(value) => Self::Int(*value),
            Parameter::Bool(value) => Self::Bool(*value),
        }
    }
}

impl Value {
    /// For the query by itself.
    pub(super) fn bind(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Self::Text(value) => (value, Type::TEXT),
            Self::Texts(value) => (value, Type::TEXT_ARRAY),
            Self::Oid(value) => (value, Type::OID),
            Self::Int(value) => (value, Type::INT4),
            Self::Bool(value) => (value, Type::BOOL),
        }
    }

    /// As the server reads it from a text.
    fn written(&self) -> String {
        match self {
            Self::Text(value) => value.clone(),
            Self::Texts(values) => array(values),
            Self::Oid(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Bool(value) => value.to_string(),
        }
    }
}

/// A query, and how many values it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) sql: &'static str,
    pub(super) values: usize,
}

/// The statement for several resources, each of which asks these questions. A row of its answer has the number of the resource, counted
/// from 1, and for each question an array of records. In a query each parameter has a cast, and stands where a column may.
pub(super) fn text(questions: &[Question]) -> String {
    let (mut arrays, mut columns, mut answers) = (Vec::new(), Vec::new(), String::new());
    for (asked, Question { sql, values }) in questions.iter().enumerate() {
        answers.push_str(&format!(",\nARRAY(SELECT q FROM (\n{}\n) q)", sql.replace('$', &format!("each.q{asked}_"))));
        for number in 1..=*values {
            columns.push(format!("q{asked}_{number}"));
            arrays.push(format!("pg_catalog.unnest(${}::text[])", columns.len()));
        }
    }
    columns.push("number".to_owned());
    let (arrays, columns) = (arrays.join(", "), columns.join(", "));
    format!("SELECT each.number{answers}\nFROM ROWS FROM ({arrays}) WITH ORDINALITY AS each({columns})")
}

/// The values of the resources, as the parameters of [`text`]; each resource has as many.
pub(super) fn arrays(resources: &[Vec<&Value>]) -> Vec<Vec<String>> {
    let values = resources.first().map_or(0, Vec::len);
    let array = |at: usize| resources.iter().filter_map(|values| values.get(at)).map(|value| value.written()).collect();
    (0..values).map(array).collect()
}

/// The literal of an array.
fn array(values: &[String]) -> String {
    let quoted = values.iter().map(|value| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")));
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

/// The answer to one question: records, whose columns have these names.
#[derive(Debug)]
pub(super) struct Records(Vec<Record>);

impl Records {
    /// The records as rows.
    pub(super) fn into_rows(self, names: &Arc<[String]>) -> Vec<Row> {
        self.0.into_iter().map(|record| Row::of_record(names, record)).collect()
    }
}

impl<'a> FromSql<'a> for Records {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        let mut records = Vec::new();
        let mut elements = array_from_sql(raw)?.values();
        while let Some(element) = elements.next()? {
            records.push(record(element.ok_or("no record")?).ok_or("no record of known types")?);
        }
        Ok(Self(records))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::RECORD_ARRAY
    }
}

/// The columns of a record: their number, and of each its type, its length (-1: NULL) and its bytes.
fn record(raw: &[u8]) -> Option<Record> {
    let mut rest = raw;
    let columns = number(&mut rest)?;
    let mut cells = Vec::new();
    for _ in 0..columns {
        let of = Type::from_oid(number(&mut rest)?.cast_unsigned())?;
        let value = match usize::try_from(number(&mut rest)?) {
            Err(_) => None,
            Ok(length) => {
                let start = raw.len() - rest.len();
                rest = rest.split_at_checked(length)?.1;
                Some(start..start + length)
            }
        };
        cells.push((of, value));
    }
    Some(Record { bytes: raw.into(), cells })
}

fn number(raw: &mut &[u8]) -> Option<i32> {
    let (bytes, rest) = raw.split_first_chunk()?;
    *raw = rest;
    Some(i32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_takes_the_values_of_its_queries_from_arrays() {
        let text = text(&[
            Question { sql: "SELECT $1::text AS name WHERE $2::oid > 0", values: 2 },
            Question { sql: "SELECT $1::oid AS oid", values: 1 },
        ]);
        let expected = "SELECT each.number,\n\
            ARRAY(SELECT q FROM (\nSELECT each.q0_1::text AS name WHERE each.q0_2::oid > 0\n) q),\n\
            ARRAY(SELECT q FROM (\nSELECT each.q1_1::oid AS oid\n) q)\n\
            FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) \
            WITH ORDINALITY AS each(q0_1, q0_2, q1_1, number)";
        assert_eq!(text, expected);
    }

    #[test]
    fn values_are_written_as_the_server_reads_them() {
        let texts = |values: &[&str]| Value::Texts(values.iter().map(|value| (*value).to_owned()).collect());
        let first =
            [Value::Text("a\"b".into()), texts(&["s", "a\"b\\c, {NULL}", ""]), Value::Oid(7), Value::Int(-1), Value::Bool(true)];
        let second = [Value::Text(String::new()), texts(&[]), Value::Oid(0), Value::Int(20), Value::Bool(false)];
        let arrays = arrays(&[first.iter().collect(), second.iter().collect()]);
        let expected =
            [["a\"b", ""], ["{\"s\",\"a\\\"b\\\\c, {NULL}\",\"\"}", "{}"], ["7", "0"], ["-1", "20"], ["true", "false"]];
        assert_eq!(arrays, expected);
    }

    #[test]
    fn a_record_is_read_to_its_end_or_not_at_all() {
        let oid = Type::OID.oid().to_be_bytes();
        let whole =
            [&2_i32.to_be_bytes()[..], &oid, &4_i32.to_be_bytes(), &7_i32.to_be_bytes(), &oid, &(-1_i32).to_be_bytes()].concat();
        let row = Row::of_record(&["some".to_owned(), "none".to_owned()].into(), record(&whole).unwrap());
        assert_eq!(row.oid("some").unwrap(), 7);
        assert!(row.oid("none").is_err() && row.text("some").is_err() && row.oid("other").is_err());
        for length in 0..whole.len() {
            assert!(record(&whole[..length]).is_none(), "{length} bytes");
        }
        assert!(record(&i32::MAX.to_be_bytes()).is_none());
        let unknown = [&1_i32.to_be_bytes()[..], &99_999_i32.to_be_bytes(), &(-1_i32).to_be_bytes()].concat();
        assert!(record(&unknown).is_none(), "a type of a user");
    }
}
