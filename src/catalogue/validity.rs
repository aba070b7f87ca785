//! Until when a role's password is accepted. Pure, except for the question how far away that is by the server's clock.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::postgres::{Error, Parameter, Reader, Row};
use crate::timestamp::{InvalidTimestamp, Timestamp};

const NEVER: &str = "infinity";

/// `VALID UNTIL` of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ValidUntil {
    /// The password does not expire, whether the catalogue says infinity or nothing.
    Infinity,
    /// It is refused from then on.
    Time(Timestamp),
}

/// As a configuration writes it.
impl FromStr for ValidUntil {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == NEVER { Ok(Self::Infinity) } else { text.parse().map(Self::Time) }
    }
}

/// As a configuration, a state and PostgreSQL write it.
impl fmt::Display for ValidUntil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Infinity => f.write_str(NEVER),
            Self::Time(time) => time.fmt(f),
        }
    }
}

/// How far away the end is, by the server's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expiry {
    /// More than [`SOON`], or never.
    #[default]
    Far,
    /// Within [`SOON`].
    Soon,
    /// It has passed.
    Passed,
}

/// From when on it is worth a warning: for a person and in SQL.
pub(crate) const SOON: &str = "14 days";

/// The columns `expired` and `expires_soon` of a time.
macro_rules! expiry {
    ($time:literal) => {
        concat!(
            "COALESCE(",
            $time,
            " <= pg_catalog.now(), false) AS expired,
       COALESCE(",
            $time,
            " <= pg_catalog.now() + '14 days'::interval, false) AS expires_soon"
        )
    };
}

pub(super) use expiry;

/// `$1` a time.
const AWAY: &str = concat!("SELECT ", expiry!("$1::timestamptz"));

impl Expiry {
    /// From the columns of [`expiry`].
    pub(super) fn of(row: &Row) -> Result<Self, Error> {
        Ok(match (row.bool("expired")?, row.bool("expires_soon")?) {
            (true, _) => Self::Passed,
            (false, true) => Self::Soon,
            (false, false) => Self::Far,
        })
    }
}

/// How far away a time is.
pub(crate) async fn expiry_of(reader: &Reader, valid_until: ValidUntil) -> Result<Expiry, Error> {
    let ValidUntil::Time(time) = valid_until else { return Ok(Expiry::Far) };
    let rows = reader.query(AWAY, &[Parameter::Text(&time.to_string())]).await?;
    rows.first().map_or(Ok(Expiry::Far), Expiry::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worth_a_warning_is_the_same_for_a_person_and_in_sql() {
        assert_eq!(AWAY.matches(SOON).count(), 1);
    }

    #[test]
    fn a_password_that_does_not_expire_has_one_word() {
        assert_eq!("infinity".parse(), Ok(ValidUntil::Infinity));
        assert_eq!(ValidUntil::Infinity.to_string(), "infinity");
        for other in ["", "Infinity", "never", "-infinity", "2027-01-31"] {
            assert!(other.parse::<ValidUntil>().is_err(), "{other}");
        }
    }
}
