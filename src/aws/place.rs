//! Where something of AWS is: region and account. Pure.

use std::fmt;

/// A region of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The region.
    pub region: String,
    /// The number of the account.
    pub account: String,
}

impl Place {
    /// The place that an ARN names; `None` if it is not an ARN, or names none.
    pub fn of_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.split(':');
        let (Some("arn"), Some(region), Some(account)) = (parts.next(), parts.nth(2), parts.next()) else { return None };
        let is_known = !region.is_empty() && !account.is_empty();
        is_known.then(|| Self { region: region.to_owned(), account: account.to_owned() })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "region {}, account {}", self.region, self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_region_and_account() {
        let place = Place::of_arn("arn:aws-cn:rds:cn-north-1:123456789012:cluster:shop").unwrap();
        assert_eq!(place.to_string(), "region cn-north-1, account 123456789012");
        for other in ["shop", "arn:aws:s3:::bucket", "arn:aws:rds", ""] {
            assert_eq!(Place::of_arn(other), None, "{other}");
        }
    }
}
