//! What a data source is to the server layer. Pure.

use crate::failure::Failure;
use crate::provider::Context;
use crate::terraform::{Configured, Diagnostics};

/// What is known, or found out, without anything to manage.
pub(crate) trait DataSource: Configured {
    /// Finds it out. Everything in the configuration is known, and stays in the answer as it is.
    fn read(context: &Context, config: &Self::Model) -> impl Future<Output = Result<Found<Self::Model>, Failure>> + Send;

    /// The answer of a run that goes on although somebody cannot be reached: the configuration, and null for the rest.
    fn unreached(config: &Self::Model) -> Self::Model {
        config.clone()
    }
}

/// What was found.
pub(crate) struct Found<M> {
    /// The configuration, completed.
    pub(crate) model: M,
    /// Warnings.
    pub(crate) warnings: Diagnostics,
}
