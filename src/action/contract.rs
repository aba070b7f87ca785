//! What an action is to the server layer. Pure.

use std::fmt;
use std::sync::Arc;

use crate::failure::Failure;
use crate::provider::Context;
use crate::terraform::{Configured, Diagnostics};

/// Something that is done once, on request, and leaves nothing in the state.
pub(crate) trait Action: Configured {
    /// What a reviewer should know. Any value in the configuration may be unknown; nothing is changed.
    fn plan(context: &Context, config: &Self::Model) -> impl Future<Output = Result<Diagnostics, Failure>> + Send;

    /// Runs the action, and reports its progress. All values in the configuration are known. Ends early at a stop. Returns
    /// warnings.
    fn invoke(
        context: &Context,
        config: &Self::Model,
        progress: &Progress,
    ) -> impl Future<Output = Result<Diagnostics, Failure>> + Send;
}

/// Where an action reports its progress.
#[derive(Clone)]
pub(crate) struct Progress(Arc<dyn Fn(String) + Send + Sync>);

impl Progress {
    /// Passes each report to `tell`.
    pub(crate) fn new(tell: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Reports progress.
    pub(crate) fn say(&self, text: impl Into<String>) {
        (self.0)(text.into());
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}
