//! What an ephemeral resource is to the server layer. Pure.

use crate::failure::Failure;
use crate::provider::Context;
use crate::terraform::Configured;

/// Something that is made anew whenever it is needed, and stands in no state, plan or log.
pub(crate) trait Ephemeral: Configured {
    /// Makes it. Everything in the configuration is known, and stays in the answer as it is. It must outlive the run or be of no use after
    /// it: it is neither renewed nor closed.
    fn open(context: &Context, config: &Self::Model) -> impl Future<Output = Result<Self::Model, Failure>> + Send;
}
