//! Numbers as core has them: exact decimals of any size. Written separately for the client, so that a number which the provider
//! reads wrongly is not read wrongly here too.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A text that is not a decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDecimal;

impl fmt::Display for NoDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number is required")
    }
}

impl std::error::Error for NoDecimal {}

/// A decimal number: its digits, without zeros at either end, times ten to the `exponent`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// The number as 64 bits hold it, if they do.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        // Longer than any such number: not written out.
        if self.exponent < 0 || self.exponent > 19 { None } else { self.to_string().parse().ok() }
    }

    /// The number as a binary fraction, if that is exact.
    #[must_use]
    pub fn as_exact_f64(&self) -> Option<f64> {
        if self.exponent.unsigned_abs() > 300 || self.digits.len() > 300 {
            return None;
        }
        let float: f64 = self.to_string().parse().ok()?;
        // Printed with more places than a double ever needs, a float shows every digit that it has.
        let exact: Self = format!("{float:.1100}").parse().ok()?;
        (exact == *self).then_some(float)
    }

    /// The shortest decimal that gives this float, which is how cty compares them.
    #[must_use]
    pub fn shortest(float: f64) -> Option<Self> {
        if float.is_finite() { format!("{float}").parse().ok() } else { None }
    }

    /// How many digits are before the decimal point; negative for the zeros after it.
    fn magnitude(&self) -> i64 {
        i64::try_from(self.digits.len()).unwrap_or(i64::MAX).saturating_add(self.exponent)
    }

    fn compare_size(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // With the same magnitude the digits compare like fractions: place by place.
            (false, false) => self.magnitude().cmp(&other.magnitude()).then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        number.to_string().parse().unwrap_or_else(|_| unreachable!("an integer is a decimal"))
    }
}

impl FromStr for Decimal {
    type Err = NoDecimal;

    fn from_str(text: &str) -> Result<Self, NoDecimal> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(NoDecimal);
        }
        let power: i64 = power.parse().map_err(|_| NoDecimal)?;
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self { negative: false, digits: String::new(), exponent: 0 });
        }
        let trailing = digits.len() - digits.trim_end_matches('0').len();
        let shift = i64::try_from(trailing).map_err(|_| NoDecimal)? - i64::try_from(fraction.len()).map_err(|_| NoDecimal)?;
        let exponent = power.checked_add(shift).ok_or(NoDecimal)?;
        Ok(Self { negative, digits: significant.to_owned(), exponent })
    }
}

/// Written out in full, as core writes numbers into a state; a very large or small one with its exponent.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        match self.exponent {
            _ if self.digits.is_empty() => f.write_str("0"),
            exponent if !(-1000..=1000).contains(&exponent) => write!(f, "{}e{exponent}", self.digits),
            exponent @ 0.. => write!(f, "{}{}", self.digits, zeros(exponent)),
            _ if self.magnitude() <= 0 => write!(f, "0.{}{}", zeros(-self.magnitude()), self.digits),
            _ => {
                let (whole, fraction) = self.digits.split_at(usize::try_from(self.magnitude()).unwrap_or(0));
                write!(f, "{whole}.{fraction}")
            }
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.compare_size(other),
            (true, true) => other.compare_size(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn every_spelling_of_a_number_is_the_same_number() {
        for (text, shown) in [
            ("5432", "5432"),
            ("1e3", "1000"),
            ("1.50", "1.5"),
            ("-0.00", "0"),
            ("+0.1", "0.1"),
            ("1E-7", "0.0000001"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("0.1234567890123456789", "0.1234567890123456789"),
            ("1e999999", "1e999999"),
        ] {
            assert_eq!(decimal(text).to_string(), shown);
            assert_eq!(decimal(shown), decimal(text));
        }
        for text in ["", "-", ".", "1e", "e1", "0x1", "NaN", "1_0"] {
            assert_eq!(text.parse::<Decimal>(), Err(NoDecimal), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_ordered_by_size() {
        let ordered = ["-1e9", "-2.5", "-2.49", "0", "1e-9", "0.1", "0.11", "2", "10", "10.5", "1e30"];
        for pair in ordered.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn only_what_is_exact_counts_as_a_binary_number() {
        assert_eq!(decimal("0.5").as_exact_f64(), Some(0.5));
        assert_eq!(decimal("0.1").as_exact_f64(), None);
        assert_eq!(decimal("18446744073709551615").as_i64(), None);
        assert_eq!(decimal("9223372036854775807").as_i64(), Some(i64::MAX));
        assert_eq!(Decimal::shortest(0.1), Some(decimal("0.1")));
    }
}
