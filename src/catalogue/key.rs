//! How to look up an object of the catalogue.

use crate::postgres::Parameter;

/// By oid, or else by name. Which of the two counts is decided by the server, so that all that depends on it can be asked in one
/// round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    /// The catalogue's identifier, which survives a rename and means something on one server only; 0: none.
    oid: u32,
    /// Counts if there is no object with the oid; empty: none.
    name: &'a str,
}

impl<'a> Key<'a> {
    /// By oid only.
    pub(crate) fn oid(oid: u32) -> Self {
        Self { oid, name: "" }
    }

    /// By name only.
    pub(crate) fn named(name: &'a str) -> Self {
        Self { oid: 0, name }
    }

    /// By oid if there is one to go by, else by name.
    pub(crate) fn either(oid: Option<u32>, name: &'a str) -> Self {
        Self { oid: oid.unwrap_or_default(), name }
    }

    /// As `$1` and `$2` of a query: no object has an empty name or the oid 0.
    pub(super) fn values(self) -> [Parameter<'a>; 2] {
        [Parameter::Text(self.name), Parameter::Oid(self.oid)]
    }

    /// The same, followed by other values.
    pub(super) fn and<const N: usize>(self, others: [Parameter<'a>; N]) -> Vec<Parameter<'a>> {
        self.values().into_iter().chain(others).collect()
    }
}
