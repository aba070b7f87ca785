//! What a data source is to the server layer. Pure.

use crate::failure::Failure;
use crate::provider::Context;
use crate::terraform::{Configured, Diagnostics};

/// Something that is known or looked up, with nothing to manage.
pub(crate) trait DataSource: Configured {
    /// Looks it up. All values in the configuration are known, and are returned unchanged.
    fn read(context: &Context, config: &Self::Model) -> impl Future<Output = Result<Found<Self::Model>, Failure>> + Send;

    /// The answer of a run that goes on although AWS or the database server cannot be reached: the configuration, and null for
    /// the rest.
    fn unreached(config: &Self::Model) -> Self::Model {
        config.clone()
    }
}

/// What was found.
pub(crate) struct Found<M> {
    /// The configuration, with the results added.
    pub(crate) model: M,
    /// Warnings.
    pub(crate) warnings: Diagnostics,
}
