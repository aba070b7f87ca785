//! Points in time in different time zones: compared as what they mean, kept as the practitioner wrote them.

use super::Value;
use crate::timestamp::Timestamp;

/// True when both are texts of the same point in time.
#[must_use]
pub fn same_time(one: &Value, other: &Value) -> bool {
    time(one).is_some_and(|one| time(other) == Some(one))
}

fn time(value: &Value) -> Option<Timestamp> {
    if let Value::String(text) = value { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_zone_is_the_same_time() {
        let same = |one: &str, other: &str| same_time(&one.into(), &other.into());
        assert!(same("2027-01-31T00:00:00Z", "2027-01-31T01:00:00.0+01:00"));
        assert!(!same("2027-01-31T00:00:00Z", "2027-01-31T00:00:01Z"));
        assert!(!same("infinity", "infinity"), "no time, and the same value anyway");
        assert!(!same_time(&Value::Unknown, &Value::Unknown) && !same_time(&Value::Null, &"2027-01-31T00:00:00Z".into()));
    }
}
