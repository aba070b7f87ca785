//! Values that go into a query and rows that come out of it.

use std::ops::Range;
use std::sync::Arc;

use tokio_postgres::types::{FromSql, Type, WrongType};

use crate::postgres::error::Error;
use crate::postgres::identifier::MAX_BYTES;

/// A bound value of a query.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter<'a> {
    /// `text`
    Text(&'a str),
    /// `text[]`
    Texts(Vec<&'a str>),
    /// `oid`
    Oid(u32),
    /// `int4`
    Int(i32),
    /// `bool`
    Bool(bool),
}

impl<'a> From<&'a str> for Parameter<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Parameter<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a crate::postgres::Identifier> for Parameter<'a> {
    fn from(value: &'a crate::postgres::Identifier) -> Self {
        Self::Text(value.as_str())
    }
}

/// Text of the server. A database with the encoding SQL_ASCII, and names that all databases share, may have bytes that are no
/// UTF-8: one such name must not make the rest unreadable, so it is shown escaped.
struct Text(String);

impl<'a> FromSql<'a> for Text {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(readable(raw)))
    }

    fn accepts(ty: &Type) -> bool {
        <String as FromSql<'_>>::accepts(ty)
    }
}

/// UTF-8 as it is; every other byte as `\xff`. A name stays no longer than a name may be, so that it can be kept like others.
fn readable(raw: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(raw) {
        return text.to_owned();
    }
    let mut text = String::new();
    for chunk in raw.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    if raw.len() <= MAX_BYTES && text.len() > MAX_BYTES {
        let end = (0..=MAX_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        text.truncate(end);
    }
    text
}

/// One row of an answer. Columns are asked for by name; a column of another type or a NULL where none may be is an error.
#[derive(Debug)]
pub struct Row(Kind);

/// A record, as the server sends it: of each column the type, and where its value is; `None`: NULL.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) bytes: Box<[u8]>,
    pub(super) cells: Vec<(Type, Option<Range<usize>>)>,
}

#[derive(Debug)]
enum Kind {
    /// A row of a statement.
    Whole(tokio_postgres::Row),
    /// A record in a row of a statement.
    Record(Arc<[String]>, Record),
}

impl From<tokio_postgres::Row> for Row {
    fn from(row: tokio_postgres::Row) -> Self {
        Self(Kind::Whole(row))
    }
}

impl Row {
    /// A record whose columns have these names.
    pub(super) fn of_record(names: &Arc<[String]>, record: Record) -> Self {
        Self(Kind::Record(Arc::clone(names), record))
    }

    /// The names of its columns.
    pub(super) fn names(&self) -> Arc<[String]> {
        match &self.0 {
            Kind::Whole(row) => row.columns().iter().map(|column| column.name().to_owned()).collect(),
            Kind::Record(names, _) => Arc::clone(names),
        }
    }

    fn get<'a, T: FromSql<'a>>(&'a self, column: &str) -> Result<T, Error> {
        let source = match &self.0 {
            Kind::Whole(row) => match row.try_get(column) {
                Ok(value) => return Ok(value),
                Err(error) => error.into(),
            },
            Kind::Record(names, record) => match record.cells.iter().zip(names.iter()).find(|(_, name)| *name == column) {
                None => "there is no such column".into(),
                Some(((of, _), _)) if !T::accepts(of) => WrongType::new::<T>(of.clone()).into(),
                Some(((of, place), _)) => {
                    let value = place.clone().and_then(|place| record.bytes.get(place));
                    match T::from_sql_nullable(of, value) {
                        Ok(value) => return Ok(value),
                        Err(error) => error,
                    }
                }
            },
        };
        Err(Error::Decode { column: column.to_owned(), source })
    }

    /// `text`, `name` or `varchar`.
    pub fn text(&self, column: &str) -> Result<String, Error> {
        self.get(column).map(|Text(text)| text)
    }

    /// `text`, `name` or `varchar`, or NULL.
    pub fn optional_text(&self, column: &str) -> Result<Option<String>, Error> {
        self.get(column).map(|text: Option<Text>| text.map(|Text(text)| text))
    }

    /// `text[]` or `name[]` without NULLs.
    pub fn texts(&self, column: &str) -> Result<Vec<String>, Error> {
        self.get(column).map(|texts: Vec<Text>| texts.into_iter().map(|Text(text)| text).collect())
    }

    /// `bool`.
    pub fn bool(&self, column: &str) -> Result<bool, Error> {
        self.get(column)
    }

    /// `bool`, or NULL.
    pub fn optional_bool(&self, column: &str) -> Result<Option<bool>, Error> {
        self.get(column)
    }

    /// `oid`.
    pub fn oid(&self, column: &str) -> Result<u32, Error> {
        self.get(column)
    }

    /// `int4`.
    pub fn i32(&self, column: &str) -> Result<i32, Error> {
        self.get(column)
    }

    /// `int8`.
    pub fn i64(&self, column: &str) -> Result<i64, Error> {
        self.get(column)
    }

    /// `int8`, or NULL.
    pub fn optional_i64(&self, column: &str) -> Result<Option<i64>, Error> {
        self.get(column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf8_are_shown_and_do_not_make_a_name_too_long() {
        assert_eq!(readable("naïve \u{1f980}".as_bytes()), "naïve \u{1f980}");
        assert_eq!(readable(b"caf\xe9 \xff\xfe.t"), "caf\\xe9 \\xff\\xfe.t");
        assert_eq!(readable(&[0xff; MAX_BYTES]).len(), MAX_BYTES);
        let long = [&[b'x'; 100][..], &[0xff]].concat();
        assert_eq!(readable(&long).len(), 104, "no name");
    }
}
