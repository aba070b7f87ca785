//! The pages of a list: bounded, because a marker could lead back or on for ever. Pure.

use std::collections::BTreeSet;

use crate::aws::Error;

/// The most pages of one list. RDS sends 100 items a page, and the longest list here, the parameters of a group, has some 500.
const MOST_PAGES: usize = 100;

/// The markers of a list that were followed so far.
pub(super) struct Pages {
    action: &'static str,
    followed: BTreeSet<String>,
}

impl Pages {
    /// Before the first page.
    pub(super) fn of(action: &'static str) -> Self {
        Self { action, followed: BTreeSet::new() }
    }

    /// The marker of the next page; `None` after the last one.
    ///
    /// # Errors
    /// [`Error::EndlessList`]: a marker that was followed before, or more pages than any real list has.
    pub(super) fn next(&mut self, marker: Option<String>) -> Result<Option<String>, Error> {
        let Some(marker) = marker.filter(|marker| !marker.is_empty()) else { return Ok(None) };
        let endless = |fault| Err(Error::EndlessList { action: self.action, fault });
        if self.followed.contains(&marker) {
            return endless(format!("page {} leads back to an earlier one", self.followed.len() + 1));
        }
        if self.followed.len() + 1 >= MOST_PAGES {
            return endless(format!("it has more than {MOST_PAGES} pages"));
        }
        self.followed.insert(marker.clone());
        Ok(Some(marker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_without_a_marker() {
        let mut pages = Pages::of("DescribeThings");
        assert_eq!(pages.next(Some("a".to_owned())).unwrap(), Some("a".to_owned()));
        assert_eq!(pages.next(Some(String::new())).unwrap(), None);
        assert_eq!(pages.next(None).unwrap(), None);
    }

    #[test]
    fn a_marker_that_comes_back_and_a_list_without_end_are_errors() {
        let mut pages = Pages::of("DescribeThings");
        pages.next(Some("a".to_owned())).unwrap();
        let error = pages.next(Some("a".to_owned())).unwrap_err().to_string();
        assert_eq!(error, "the list that answers DescribeThings does not end: page 2 leads back to an earlier one");
        let mut pages = Pages::of("DescribeThings");
        let followed = (0..).map(|page| pages.next(Some(page.to_string()))).take_while(Result::is_ok).count();
        assert_eq!(followed, MOST_PAGES - 1);
    }
}
