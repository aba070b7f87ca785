//! What a list resource is to the server layer. Pure.

use crate::failure::Failure;
use crate::provider::Context;
use crate::resource::Resource;
use crate::terraform::Configured;

/// Finds the existing objects of a resource, managed or not. It has the resource's own type name.
pub(crate) trait List: Configured {
    /// The resource.
    type Resource: Resource;

    /// Finds at most `limit` of them, always in the same order.
    fn list(
        context: &Context,
        config: &Self::Model,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Listed<Self::Resource>>, Failure>> + Send;
}

/// One that was found.
pub(crate) struct Listed<R: Resource> {
    /// Its display name.
    pub(crate) display_name: String,
    /// The attributes that name it, as for an import. The rest is read on request.
    pub(crate) named: R::Model,
}
