//! Where in a value the reader is. Most values are valid, and there are many: a path with names of its own is made only for a message.
//! Pure.

use std::fmt;

use super::AttributePath;

/// The steps from the root, each borrowed from the one before.
#[derive(Clone, Copy, Debug)]
pub enum Trail<'a> {
    /// The whole object.
    Root,
    /// An attribute of an object.
    Attribute(&'a Trail<'a>, &'a str),
    /// A key of a map.
    Key(&'a Trail<'a>, &'a str),
    /// A position in a list.
    Index(&'a Trail<'a>, usize),
}

impl Trail<'_> {
    /// From here to the attribute `name`.
    #[must_use]
    pub fn attribute<'a>(&'a self, name: &'a str) -> Trail<'a> {
        Trail::Attribute(self, name)
    }

    /// From here to the map key `key`.
    #[must_use]
    pub fn key<'a>(&'a self, key: &'a str) -> Trail<'a> {
        Trail::Key(self, key)
    }

    /// From here to the list position `index`.
    #[must_use]
    pub fn index(&self, index: usize) -> Trail<'_> {
        Trail::Index(self, index)
    }

    /// As a path.
    #[must_use]
    pub fn path(&self) -> AttributePath {
        match self {
            Self::Root => AttributePath::root(),
            Self::Attribute(before, name) => before.path().attribute(name),
            Self::Key(before, key) => before.path().key(key),
            Self::Index(before, index) => before.path().index(*index),
        }
    }
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_is_the_path_that_it_followed() {
        let root = Trail::Root;
        let options = root.attribute("table_options");
        let table = options.key("public.orders");
        let columns = table.attribute("columns");
        let path = AttributePath::of("table_options").key("public.orders").attribute("columns").index(2);
        assert_eq!(columns.index(2).path(), path);
        assert_eq!(columns.index(2).to_string(), path.to_string());
        assert!(root.path().is_root());
    }
}
