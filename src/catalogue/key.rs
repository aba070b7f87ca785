//! How to look up an object of the catalogue.

/// By one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    /// The catalogue's identifier, which survives a rename and means something on one server only.
    Oid(u32),
    /// The name.
    Name(&'a str),
}

impl<'a> Key<'a> {
    /// As the two values of a query that compares both: no object has an empty name or the oid 0.
    pub(crate) fn values(self) -> (&'a str, u32) {
        match self {
            Self::Oid(oid) => ("", oid),
            Self::Name(name) => (name, 0),
        }
    }
}
