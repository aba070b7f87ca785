//! Which events are written.

/// The targets of our own events start with this. All other targets belong to dependencies.
pub(super) const CRATE: &str = "terraform_provider_clickpipes";
