//! What a resource that changes things in place remembers of the time before, so that a destroy restores it. It is kept beside the
//! state, and in tags of the parameter group: a create that stops half-way leaves no state. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::rds::parameter_group::Tags;

/// Start of the tags that hold the values that parameters had before.
const VALUE_TAG: &str = "clickpipes:previous-value:";
/// Tag that says that IAM database authentication was off before.
pub(crate) const IAM_TAG: &str = "clickpipes:previous-iam-authentication";
/// The text of that tag.
pub(crate) const IAM_OFF: &str = "off";
/// Length of the longest text of a tag.
const LONGEST_TEXT: usize = 256;

const UNSET: &str = "unset";
const SET: &str = "set:";

/// What was before this resource changed it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// The values that parameters of the attached group had; `None`: no user had set one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) values: BTreeMap<String, Option<String>>,
    /// Whether this resource turned on IAM database authentication.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) iam_enabled: bool,
}

impl Remembered {
    /// Whether there is nothing to restore.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// What the tags of a group say.
    pub(crate) fn of_tags(tags: &Tags) -> Self {
        let values = tags.iter().filter_map(|(key, text)| Some((key.strip_prefix(VALUE_TAG)?.to_owned(), decode(text)?)));
        Self { values: values.collect(), iam_enabled: tags.contains_key(IAM_TAG) }
    }
}

/// The key of the tag that holds the previous value of a parameter.
pub(crate) fn value_tag(parameter: &str) -> String {
    format!("{VALUE_TAG}{parameter}")
}

/// The text of that tag; `None` if it would be too long.
pub(crate) fn value_text(value: Option<&str>) -> Option<String> {
    let Some(value) = value else { return Some(UNSET.to_owned()) };
    let mut text = SET.to_owned();
    for byte in value.bytes() {
        // RDS allows few characters in tags; the escape is one of them.
        if byte.is_ascii_alphanumeric() || b" _.:/+-@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(text, "={byte:02X}");
        }
    }
    (text.len() <= LONGEST_TEXT).then_some(text)
}

/// The value that such a text says; `None` if it says nothing.
fn decode(text: &str) -> Option<Option<String>> {
    if text == UNSET {
        return Some(None);
    }
    let mut rest = text.strip_prefix(SET)?.bytes();
    let mut bytes = Vec::new();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'=' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    Some(Some(String::from_utf8(bytes).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives_its_tag_in_the_characters_that_rds_allows() {
        for value in [None, Some("0"), Some("unset"), Some("a=b, {DBInstanceClassMemory/4}*2"), Some("é"), Some("")] {
            let text = value_text(value).unwrap();
            assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || " _.:/=+-@".contains(c)), "{text}");
            let tags = Tags::from([(value_tag("work_mem"), text)]);
            assert_eq!(Remembered::of_tags(&tags).values["work_mem"].as_deref(), value);
        }
        assert_eq!(value_text(Some(&"x".repeat(300))), None);
    }

    #[test]
    fn what_no_tag_of_ours_can_say_is_ignored() {
        for text in ["", "0", "set:=", "set:=4", "set:=zz", "set:=ff"] {
            assert!(Remembered::of_tags(&Tags::from([(value_tag("a"), text.to_owned())])).is_nothing(), "{text}");
        }
        let tags = Tags::from([("team".to_owned(), "set:1".to_owned()), (IAM_TAG.to_owned(), IAM_OFF.to_owned())]);
        assert_eq!(Remembered::of_tags(&tags), Remembered { iam_enabled: true, ..Remembered::default() });
    }
}
