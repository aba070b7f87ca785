//! The places of the objects of a nested attribute: a single one, or members of a list or map.

use super::{Nesting, Trail, Value};

/// The place of an object in the value of a nested attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The value is the object.
    Whole,
    /// A member of a map.
    Key(String),
    /// A member of a list.
    Index {
        /// Its position.
        position: usize,
        /// How long the list is.
        of: usize,
    },
}

impl Place {
    /// The object in the same place of another value of the attribute; null if there is none. Lists of different lengths have no
    /// places in common, because it is unknown which member was added or removed.
    pub(crate) fn of<'a>(&self, value: &'a Value) -> &'a Value {
        const NOTHING: &Value = &Value::Null;
        match (self, value) {
            (Self::Whole, value) => value,
            (Self::Key(key), value) => value.get(key),
            (Self::Index { position, of }, Value::List(members)) if members.len() == *of => &members[*position],
            (Self::Index { .. }, _) => NOTHING,
        }
    }

    /// The trail to the object, from the attribute on.
    pub(crate) fn trail<'a>(&'a self, attribute: &'a Trail<'a>) -> Trail<'a> {
        match self {
            Self::Whole => *attribute,
            Self::Key(key) => attribute.key(key),
            Self::Index { position, .. } => attribute.index(*position),
        }
    }
}

/// The contents of a nested attribute's value, each with its place: objects, and members that are null or unknown as a whole.
/// Empty for a value that is itself null or unknown.
pub(crate) fn places(nesting: Nesting, value: &mut Value) -> Vec<(Place, &mut Value)> {
    match (nesting, value) {
        (_, Value::Null | Value::Unknown) => Vec::new(),
        (Nesting::Single, value) => vec![(Place::Whole, value)],
        (Nesting::Map, Value::Map(members)) => {
            members.iter_mut().map(|(key, member)| (Place::Key(key.clone()), member)).collect()
        }
        (Nesting::List, Value::List(members)) => {
            let of = members.len();
            members.iter_mut().enumerate().map(|(position, member)| (Place::Index { position, of }, member)).collect()
        }
        _ => Vec::new(),
    }
}
