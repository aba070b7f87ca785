//! Values of parameters: which mean the same, and how AWS writes them. Pure.
//!
//! AWS has one notation: `1` or `0` for a switch, a number in the parameter's base unit. PostgreSQL has more (`on`, `5min`), and a
//! practitioner may write any of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// The unit that a number without one counts in, by the name of the parameter.
static UNITS: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = include_str!("units.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).collect()
});

/// What the values of a parameter are, as far as their meaning depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// A number.
    #[default]
    #[serde(rename = "n")]
    Number,
    /// On or off.
    #[serde(rename = "s")]
    Switch,
    /// One word of several, in any case.
    #[serde(rename = "w")]
    Word,
    /// Words, separated by commas.
    #[serde(rename = "l")]
    List,
    /// Any text.
    #[serde(rename = "t")]
    Text,
}

impl Kind {
    /// The kind by what AWS says: its data type, and the values that it allows.
    pub(super) fn of(data_type: Option<&str>, allowed: Option<&str>) -> Self {
        let allowed = allowed.map(str::trim).filter(|allowed| !allowed.is_empty());
        match (data_type, allowed) {
            (Some("boolean"), _) | (None, Some("0,1" | "0-1")) => Self::Switch,
            (Some("integer" | "float"), _) | (None, None) => Self::Number,
            (Some("list"), _) => Self::List,
            (Some(_), None) => Self::Text,
            (_, Some(allowed)) if allowed.split(',').any(|item| item.trim().starts_with(|c: char| c.is_ascii_alphabetic())) => {
                Self::Word
            }
            (_, Some(_)) => Self::Number,
        }
    }

    pub(crate) fn is_number(&self) -> bool {
        *self == Self::Number
    }
}

/// Whether two values of a parameter mean the same.
pub(super) fn same(parameter: &str, kind: Kind, one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let switches = || switch(one).is_some() && switch(one) == switch(other);
    match kind {
        Kind::Text => false,
        Kind::List => words(one).eq(words(other)),
        Kind::Word => one.trim().eq_ignore_ascii_case(other.trim()) || switches(),
        Kind::Switch => switches(),
        Kind::Number => match (number(parameter, one), number(parameter, other)) {
            (Some(one), Some(other)) => one == other,
            // The kind of an older record is not known.
            _ => switches(),
        },
    }
}

/// The value as AWS writes it, as far as that does not depend on the values that it allows; what cannot be understood stays as it
/// is.
pub(super) fn notation(parameter: &str, kind: Kind, value: &str) -> String {
    match kind {
        Kind::Text => value.to_owned(),
        Kind::List => value.split(',').map(str::trim).collect::<Vec<_>>().join(","),
        Kind::Word => value.trim().to_owned(),
        Kind::Switch => switch(value).map_or_else(|| value.to_owned(), |on| u8::from(on).to_string()),
        Kind::Number => number(parameter, value).map_or_else(|| value.to_owned(), |number| number.to_string()),
    }
}

fn words(list: &str) -> impl Iterator<Item = String> {
    list.split(',').map(|word| word.trim().to_ascii_lowercase())
}

/// Whether the value is a switch, and if so whether it is on. PostgreSQL knows these words and, of the longer ones, beginnings.
pub(crate) fn switch(value: &str) -> Option<bool> {
    let value = value.trim().to_ascii_lowercase();
    let begins = |word: &str, least: usize| value.len() >= least && word.starts_with(&value);
    if value == "1" || value == "on" || begins("true", 1) || begins("yes", 1) {
        return Some(true);
    }
    (value == "0" || begins("off", 2) || begins("false", 1) || begins("no", 1)).then_some(false)
}

/// The number in the parameter's base unit.
fn number(parameter: &str, text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))).unwrap_or(text.len());
    let (digits, unit) = (&text[..end], text[end..].trim_start());
    // PostgreSQL reads other bases too: 010 is 8.
    let whole = digits.trim_start_matches(['-', '+']);
    if whole.len() > 1 && whole.starts_with('0') && !whole.starts_with("0.") {
        return None;
    }
    let number: f64 = digits.parse().ok()?;
    if unit.is_empty() {
        return Some(number);
    }
    let base = UNITS.get(parameter)?;
    let (factor, of_base) = (factor(unit)?, factor(base)?);
    if is_time(unit) != is_time(base) {
        return None;
    }
    // PostgreSQL rounds to the base unit.
    Some((number * factor / of_base).round())
}

fn is_time(unit: &str) -> bool {
    matches!(unit, "us" | "ms" | "s" | "min" | "h" | "d")
}

/// How many microseconds or bytes a unit is. Its case matters.
fn factor(unit: &str) -> Option<f64> {
    Some(match unit {
        "us" | "B" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "min" => 60e6,
        "h" => 3600e6,
        "d" => 86_400e6,
        "kB" => 1024.0,
        "8kB" => 8192.0,
        "MB" => 1_048_576.0,
        "GB" => 1_073_741_824.0,
        "TB" => 1_099_511_627_776.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
