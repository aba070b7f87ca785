//! Durations as practitioners write them in `timeouts`: `30s`, `10m`, `1h30m`.

use std::time::Duration;

/// A text that is no duration above zero.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration; write a number and a unit, such as \"30s\", \"10m\" or \"1h30m\"")]
pub struct InvalidDuration(String);

/// Decodes a duration of at least one millisecond.
///
/// # Errors
/// The text is no duration, or it is zero.
pub fn decode_duration(text: &str) -> Result<Duration, InvalidDuration> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
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
}
