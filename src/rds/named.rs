//! Compares the identifier in an answer with the one that was asked for: an answer about another object is never used. Pure.

use crate::aws::Error;

/// The one that was asked for, by its identifier or its ARN, among those of an answer; `None` if the answer is empty.
///
/// # Errors
/// [`Error::AnotherObject`], if the answer is about others only.
pub(super) fn asked_for<T>(
    action: &'static str,
    asked: &str,
    answered: Vec<T>,
    names: impl Fn(&T) -> [Option<String>; 2],
) -> Result<Option<T>, Error> {
    // RDS stores identifiers in lower case and accepts any.
    let is_it = |item: &T| names(item).into_iter().flatten().any(|name| name.eq_ignore_ascii_case(asked));
    let first = answered.first().map(|first| names(first).into_iter().flatten().next().unwrap_or_default());
    match (answered.into_iter().find(is_it), first) {
        (None, Some(answered)) => Err(Error::AnotherObject { action, asked: asked.to_owned(), answered }),
        (found, _) => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_taken() {
        let ask = |answered: Vec<&'static str>| {
            asked_for("DescribeDBClusters", "shop", answered, |name| [Some((*name).to_owned()), None])
        };
        assert_eq!(ask(vec!["orders", "Shop"]).unwrap(), Some("Shop"));
        assert_eq!(ask(Vec::new()).unwrap(), None);
        let error = ask(vec!["orders"]).unwrap_err().to_string();
        assert_eq!(error, "the answer to DescribeDBClusters is about \"orders\", but the call was about \"shop\"");
    }
}
