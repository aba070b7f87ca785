//! Values that go into a query and rows that come out of it.

use tokio_postgres::types::{FromSql, ToSql, Type};

use crate::postgres::error::Error;

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

impl Parameter<'_> {
    pub(super) fn bind(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Self::Text(value) => (value, Type::TEXT),
            Self::Texts(value) => (value, Type::TEXT_ARRAY),
            Self::Oid(value) => (value, Type::OID),
            Self::Int(value) => (value, Type::INT4),
            Self::Bool(value) => (value, Type::BOOL),
        }
    }
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

/// One row of an answer. Columns are asked for by name; a column of another type or a NULL where none may be is an error.
#[derive(Debug)]
pub struct Row(pub(super) tokio_postgres::Row);

impl Row {
    fn get<'a, T: FromSql<'a>>(&'a self, column: &str) -> Result<T, Error> {
        self.0.try_get(column).map_err(|error| Error::Decode { column: column.to_owned(), source: Box::new(error) })
    }

    /// `text`, `name` or `varchar`.
    pub fn text(&self, column: &str) -> Result<String, Error> {
        self.get(column)
    }

    /// `text`, `name` or `varchar`, or NULL.
    pub fn optional_text(&self, column: &str) -> Result<Option<String>, Error> {
        self.get(column)
    }

    /// `text[]` or `name[]` without NULLs.
    pub fn texts(&self, column: &str) -> Result<Vec<String>, Error> {
        self.get(column)
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
}
