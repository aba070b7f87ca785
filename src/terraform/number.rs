//! Terraform numbers: exact decimals of any size. They are kept as text and never pass through binary floating point, which would change them.

use std::fmt;
use std::str::FromStr;

/// Longest run of zeros that a number is written out with; beyond it the exponent form stays, so that `1e999999999` costs nothing.
const LONGEST_ZERO_RUN: i64 = 64;

/// An exact decimal number in a canonical spelling: two equal numbers have the same text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number(Box<str>);

/// A text that is not a decimal number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number")]
pub struct InvalidNumber;

impl Number {
    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as a whole number, if it is one and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The nearest decimal text of a float; `None` for infinities and NaN.
    #[must_use]
    pub fn from_f64(number: f64) -> Option<Self> {
        if number.is_finite() { format!("{number:e}").parse().ok() } else { None }
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self(number.to_string().into())
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(number.to_string().into())
    }
}

impl FromStr for Number {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], rest[at + 1..].parse::<i64>().map_err(|_| InvalidNumber)?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() || !(whole.bytes().chain(fraction.bytes())).all(|b| b.is_ascii_digit()) {
            return Err(InvalidNumber);
        }
        let mut exponent =
            exponent.checked_sub(i64::try_from(fraction.len()).map_err(|_| InvalidNumber)?).ok_or(InvalidNumber)?;
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let significant = digits.trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self("0".into()));
        }
        let dropped = i64::try_from(digits.len() - significant.len()).map_err(|_| InvalidNumber)?;
        exponent = exponent.checked_add(dropped).ok_or(InvalidNumber)?;
        let sign = if negative { "-" } else { "" };
        Ok(Self(format!("{sign}{}", spell(significant, exponent)).into()))
    }
}

/// `significant` times ten to the `exponent`, written out when that is short.
fn spell(significant: &str, exponent: i64) -> String {
    let count = i64::try_from(significant.len()).unwrap_or(i64::MAX);
    if (0..=LONGEST_ZERO_RUN).contains(&exponent) {
        return format!("{significant}{}", "0".repeat(usize::try_from(exponent).unwrap_or(0)));
    }
    if exponent < 0 && exponent > -count {
        let point = significant.len() - usize::try_from(-exponent).unwrap_or(0);
        return format!("{}.{}", &significant[..point], &significant[point..]);
    }
    if exponent < 0 && exponent >= -count - LONGEST_ZERO_RUN {
        return format!("0.{}{significant}", "0".repeat(usize::try_from(-exponent - count).unwrap_or(0)));
    }
    format!("{significant}e{exponent}")
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, canonical: &str) {
        assert_eq!(text.parse::<Number>().map(|n| n.to_string()), Ok(canonical.to_owned()));
    }

    #[test]
    fn equal_numbers_have_one_spelling() {
        check("5432", "5432");
        check("-0", "0");
        check("1e3", "1000");
        check("1.50", "1.5");
        check("15e-1", "1.5");
        check("0.1", "0.1");
        check("1e-7", "0.0000001");
        check("123456789012345678901234567890", "123456789012345678901234567890");
        check("0.1234567890123456789", "0.1234567890123456789");
        check("1e999999999", "1e999999999");
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in ["", "-", ".", "e1", "1e", "0x1", "1_000", "NaN", "inf", "1e99999999999999999999"] {
            assert_eq!(text.parse::<Number>(), Err(InvalidNumber), "{text}");
        }
    }

    #[test]
    fn a_float_keeps_its_shortest_text() {
        assert_eq!(Number::from_f64(0.5).map(|n| n.to_string()), Some("0.5".to_owned()));
        assert_eq!(Number::from_f64(f64::NAN), None);
    }
}
