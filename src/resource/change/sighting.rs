//! What was seen of an object, and where: what it takes to recognise it. Pure.

use crate::postgres::{Moved, Site};

/// What was seen of an object, and where.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sighting<'a> {
    /// Where the look was; `None` in what an earlier build stored.
    pub(crate) site: Option<&'a Site>,
    /// Oid and name; `None`: there is no such object.
    pub(crate) object: Option<(u32, &'a str)>,
}

impl Sighting<'_> {
    /// Where this is, if it is not where an earlier one was.
    pub(super) fn moved_from(&self, earlier: &Self) -> Option<Moved> {
        earlier.site.zip(self.site).and_then(|(earlier, here)| here.moved_from(earlier))
    }
}

/// What was found is not what the state describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// The look was on another server, or in another database of that name.
    Elsewhere(Moved),
    /// The object has another name than when it was last read.
    Renamed { now: String },
    /// The object of that name has another oid.
    Another { oid: u32, before: u32 },
}

/// The oid of the state, if it means something here.
pub(crate) fn oid_here(before: Option<&Site>, here: Option<&Site>, oid: Option<u32>) -> Option<u32> {
    let is_same = before.zip(here).is_some_and(|(before, here)| here.moved_from(before).is_none());
    oid.filter(|_| is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oid_means_something_only_where_it_was_read() {
        let here = Site { system: Some(1), cluster: None, arn: None, iam_authentication: None, database: 5 };
        let elsewhere = Site { system: Some(2), ..here.clone() };
        assert_eq!(oid_here(Some(&here), Some(&here), Some(7)), Some(7));
        assert_eq!(oid_here(Some(&elsewhere), Some(&here), Some(7)), None);
        // A state of an earlier release does not say where.
        assert_eq!(oid_here(None, Some(&here), Some(7)), None);
    }
}
