//! AWS's notation for the values that a parameter allows. Pure.

use super::parameter_value::Kind;

/// Whether AWS's notation (`0-1`, `-1-2147483647`, `on,off`) allows the value, which is in AWS's notation too. AWS has to check a
/// formula (`{DBInstanceClassMemory/4}`).
pub(super) fn permits(allowed: &str, kind: Kind, value: &str) -> bool {
    let is_formula = kind == Kind::Number && value.contains(['{', '(']);
    if allowed.trim().is_empty() || is_formula {
        return true;
    }
    if kind == Kind::List {
        return value.split(',').all(|word| items(allowed).any(|item| item.eq_ignore_ascii_case(word)));
    }
    let number = value.parse::<f64>().ok();
    items(allowed).any(|item| {
        let within = number.zip(range(item)).is_some_and(|(number, (low, high))| (low..=high).contains(&number));
        within || item.eq_ignore_ascii_case(value)
    })
}

/// The values and ranges of the notation.
pub(super) fn items(allowed: &str) -> impl Iterator<Item = &str> {
    allowed.split(',').map(str::trim)
}

fn range(item: &str) -> Option<(f64, f64)> {
    // The first character may be the sign of the lower bound.
    let hyphen = item.char_indices().skip(1).find(|(_, c)| *c == '-')?.0;
    Some((item[..hyphen].parse().ok()?, item[hyphen + 1..].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_values_are_read_in_the_notation_of_aws() {
        use Kind::{List, Number, Switch, Text, Word};
        for (allowed, kind, value) in [
            ("0-1", Number, "1"),
            ("0,1", Switch, "0"),
            ("-1-2147483647", Number, "-1"),
            ("0-1000", Number, "1.1"),
            ("on,off", Word, "ON"),
            ("", Text, "x"),
            ("5-100", Number, "{x/2}"),
            ("a,b-c,d", List, "d,b-c"),
        ] {
            assert!(permits(allowed, kind, value), "{allowed} {value}");
        }
        for (allowed, kind, value) in [
            ("0-1", Number, "2"),
            ("0,1", Switch, "on"),
            ("on,off", Word, "maybe"),
            ("5-100,200", Number, "150"),
            ("5-100", Number, "many"),
            ("5-100", Number, "5min"),
            ("a,b", List, "a,c"),
        ] {
            assert!(!permits(allowed, kind, value), "{allowed} {value}");
        }
    }
}
