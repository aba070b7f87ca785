//! Durations as practitioners write them in `timeouts`: `30s`, `10m`, `1h30m`.

use std::time::Duration;

/// Longer than any wait, and short enough to be added to any instant.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A text that is not a duration above zero, or one that is too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration of at most 365 days; write a number and a unit, such as \"30s\", \"10m\" or \"1h30m\"")]
pub struct InvalidDuration(String);

/// Decodes a duration above zero of at most 365 days.
///
/// # Errors
/// The text is not a duration, or it is zero or too long.
pub fn decode_duration(text: &str) -> Result<Duration, InvalidDuration> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() && duration <= LONGEST => Ok(duration),
        _ => Err(InvalidDuration(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_terraform_users_write() {
        assert_eq!(decode_duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(decode_duration("500ms"), Ok(Duration::from_millis(500)));
        for text in ["", "0s", "ten", "-5m", "5"] {
            assert!(decode_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn refuses_what_cannot_be_added_to_an_instant() {
        assert_eq!(decode_duration("365days"), Ok(LONGEST));
        for text in ["365days 1s", "400000000000years", "99999999999999999999years", "20000000000000000days"] {
            let error = decode_duration(text).unwrap_err();
            assert!(error.to_string().contains("at most 365 days"), "{error}");
        }
        assert!(std::time::Instant::now().checked_add(LONGEST).is_some());
    }
}
