//! Whose events are written.

/// Our own events' targets begin so; what dependencies log is theirs.
pub(super) const CRATE: &str = "terraform_provider_clickpipes";
