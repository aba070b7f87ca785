//! The one account that the simulator plays.

/// Its number, in every ARN here.
pub(crate) const ACCOUNT: &str = "123456789012";
