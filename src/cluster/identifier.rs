//! Identifiers that RDS accepts. Pure.

/// Length of the longest identifier of a cluster.
pub(crate) const LONGEST_CLUSTER: usize = 63;
/// Length of the longest name of a parameter group.
pub(crate) const LONGEST_GROUP: usize = 255;

/// Why RDS would not accept the identifier of a cluster or a parameter group, which it stores in lower case.
pub(crate) fn invalid_identifier(identifier: &str, longest: usize) -> Option<String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if identifier.is_empty() || identifier.len() > longest {
        Some(format!("it must have 1 to {longest} characters"))
    } else if identifier.chars().any(|c| c.is_ascii_uppercase()) {
        Some("RDS stores identifiers in lower case; use lower case".to_owned())
    } else if !identifier.starts_with(|c: char| c.is_ascii_lowercase())
        || !identifier.chars().all(allowed)
        || identifier.contains("--")
        || identifier.ends_with('-')
    {
        Some("use letters, digits and single hyphens, start with a letter, and do not end with a hyphen".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rds_would_refuse_is_named() {
        for valid in ["shop", "shop-1", "s"] {
            assert_eq!(invalid_identifier(valid, LONGEST_CLUSTER), None, "{valid}");
        }
        for invalid in ["", "Shop", "1shop", "shop--1", "shop-", "shop_1", &"s".repeat(64)] {
            assert!(invalid_identifier(invalid, LONGEST_CLUSTER).is_some(), "{invalid}");
        }
    }
}
