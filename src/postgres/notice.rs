//! Messages that the server sends besides its answers. Pure.

use crate::postgres::error::SqlState;

/// How many notices of a transaction are kept, and how many characters of each text.
const MOST_NOTICES: usize = 50;
const LONGEST_TEXT: usize = 2000;

/// A WARNING of the server, or its NOTICE that a rename has cleared the password of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `WARNING` (in the server's language).
    pub severity: String,
    /// Its SQLSTATE.
    pub sqlstate: SqlState,
    /// The primary message.
    pub message: String,
    /// The detail, if there is one.
    pub detail: Option<String>,
    /// The hint, if there is one.
    pub hint: Option<String>,
    /// Whether a rename has cleared the password of a role.
    pub password_cleared: bool,
}

/// The first notices, which are logged; the rest of a flood is only counted.
#[derive(Debug, Default)]
pub(super) struct Notices {
    kept: Vec<Notice>,
    more: usize,
}

impl Notices {
    pub(super) fn push(&mut self, notice: Notice) {
        if self.kept.len() < MOST_NOTICES {
            tracing::debug!(severity = notice.severity, message = notice.message, "notice from the server");
            self.kept.push(notice);
        } else {
            self.more += 1;
        }
    }

    /// The notices since the last call. The first one, which Terraform shows in any case, says how many were left out.
    pub(super) fn take(&mut self) -> Vec<Notice> {
        let Self { mut kept, more } = std::mem::take(self);
        if let Some(first) = kept.first_mut().filter(|_| more > 0) {
            first.message.push_str(&format!(" (The server sent {more} more warnings than are shown.)"));
        }
        kept
    }
}

/// The beginning of a text.
pub(super) fn bounded(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(message: String) -> Notice {
        Notice {
            severity: "WARNING".to_owned(),
            sqlstate: SqlState::new("01000"),
            message,
            detail: None,
            hint: None,
            password_cleared: false,
        }
    }

    #[test]
    fn a_flood_is_kept_in_part_and_counted() {
        let mut notices = Notices::default();
        for number in 0..1000 {
            notices.push(notice(format!("number {number}")));
        }
        let kept = notices.take();
        assert_eq!(kept.len(), MOST_NOTICES);
        assert_eq!(kept.first().unwrap().message, "number 0 (The server sent 950 more warnings than are shown.)");
        assert!(notices.take().is_empty());
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(bounded("short"), "short");
        assert_eq!(bounded(&"\u{e9}".repeat(LONGEST_TEXT + 1)), "\u{e9}".repeat(LONGEST_TEXT) + "...");
    }
}
