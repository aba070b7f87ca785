//! What all independently configured kinds have in common: a name, a schema, and rules of its configuration. Pure.

use super::{Diagnostics, Model};

/// A data source, an ephemeral resource, a list resource or an action.
pub(crate) trait Configured: Send + Sync + 'static {
    /// Its type name in HCL.
    const TYPE_NAME: &'static str;
    /// Schema, configuration and, where it has one, result.
    type Model: Model;

    /// Checks a configuration by itself; anything in it may be unknown.
    fn validate(_: &Self::Model) -> Diagnostics {
        Diagnostics::new()
    }
}
