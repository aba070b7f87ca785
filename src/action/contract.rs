//! What an action is to the server layer. Pure.

use std::fmt;
use std::sync::Arc;

use crate::failure::Failure;
use crate::provider::Context;
use crate::terraform::{Configured, Diagnostics};

/// Something that is done once, when it is asked for, and leaves nothing in the state.
pub(crate) trait Action: Configured {
    /// What a reviewer should know. Anything in the configuration may be unknown; nothing is changed.
    fn plan(context: &Context, config: &Self::Model) -> impl Future<Output = Result<Diagnostics, Failure>> + Send;

    /// Does it, and says on the way how far it is. Everything in the configuration is known. Ends early at a stop. Gives warnings.
    fn invoke(
        context: &Context,
        config: &Self::Model,
        progress: &Progress,
    ) -> impl Future<Output = Result<Diagnostics, Failure>> + Send;
}

/// Where an action says how far it is.
#[derive(Clone)]
pub(crate) struct Progress(Arc<dyn Fn(String) + Send + Sync>);

impl Progress {
    /// Hands what is said to `tell`.
    pub(crate) fn new(tell: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Says how far it is.
    pub(crate) fn say(&self, text: impl Into<String>) {
        (self.0)(text.into());
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}
