//! What an ephemeral resource is to the server layer. Pure.

use crate::failure::Failure;
use crate::provider::Context;
use crate::terraform::Configured;

/// Something that is created each time it is needed, and is not stored in any state, plan or log.
pub(crate) trait Ephemeral: Configured {
    /// Creates it. All values in the configuration are known, and are returned unchanged. It must outlive the run or be useless
    /// after it: it is neither renewed nor closed.
    fn open(context: &Context, config: &Self::Model) -> impl Future<Output = Result<Self::Model, Failure>> + Send;
}
