//! AWS's notation for the values that a parameter allows. Pure.

/// Whether AWS's notation (`0-1`, `-1-2147483647`, `on,off`) allows the value. AWS has to check a formula
/// (`{DBInstanceClassMemory/4}`).
pub(super) fn permits(allowed: &str, value: &str) -> bool {
    let number = value.parse::<i64>().ok();
    if allowed.trim().is_empty() || (number.is_none() && value.contains(['{', '('])) {
        return true;
    }
    allowed.split(',').map(str::trim).any(|item| {
        let within = number.zip(range(item)).is_some_and(|(number, (low, high))| (low..=high).contains(&number));
        // Text for a numeric range may be a list, a fraction or a unit: AWS has to check it.
        within || item.eq_ignore_ascii_case(value) || (number.is_none() && range(item).is_some())
    })
}

fn range(item: &str) -> Option<(i64, i64)> {
    // The first character may be the sign of the lower bound.
    let hyphen = item.char_indices().skip(1).find(|(_, c)| *c == '-')?.0;
    Some((item[..hyphen].parse().ok()?, item[hyphen + 1..].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_values_are_read_in_the_notation_of_aws() {
        for (allowed, value) in
            [("0-1", "1"), ("0,1", "0"), ("-1-2147483647", "-1"), ("on,off", "ON"), ("", "x"), ("5-100", "{x/2}")]
        {
            assert!(permits(allowed, value), "{allowed} {value}");
        }
        for (allowed, value) in [("0-1", "2"), ("0,1", "2"), ("on,off", "maybe"), ("5-100,200", "150")] {
            assert!(!permits(allowed, value), "{allowed} {value}");
        }
    }
}
