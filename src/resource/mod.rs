//! What a managed resource is to the server layer, and the list of those there are.
//!
//! A resource splits its work in two. *Plan* is pure: it sees configuration, prior state and what was observed before, and answers with
//! the planned state and the operations. *Apply* runs operations and chooses nothing. Between them everything travels in the private
//! data that Terraform hands back unread: the planned operations, and the observation that Read made.
//!
//! Each resource has a folder of its own and one line in [`crate::server::handler`].

pub(crate) mod aurora_source;
pub(crate) mod publication;
pub(crate) mod replication_user;
mod timeouts;

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use timeouts::Timeouts;

use crate::failure::Failure;
use crate::provider::Context;
use crate::terraform::{AttributePath, Diagnostics, Model, Schema};

/// A resource as it exists: its state, and the private data stored beside it.
#[derive(Clone, Debug)]
pub(crate) struct Existing<R: Resource> {
    /// The state. Nothing in it is unknown.
    pub model: R::Model,
    /// Stored beside the state in clear, so never a secret.
    pub private: R::Private,
}

/// What a plan is made from.
pub(crate) struct PlanRequest<'a, R: Resource> {
    /// The configuration, with unknowns and write-only values.
    pub config: &'a R::Model,
    /// What exists; `None` on create.
    pub prior: Option<&'a Existing<R>>,
    /// The proposal: configuration over prior state, with defaults filled in, write-only values nulled and, when anything changes,
    /// computed attributes unknown.
    pub proposed: &'a R::Model,
    /// True on create and when the proposal differs from the prior state.
    pub changed: bool,
    /// The private data of the first plan, from clients that hand it back in the plan right before apply.
    pub first_plan: Option<&'a R::Private>,
}

/// A plan.
pub(crate) struct Plan<R: Resource> {
    /// The planned state. Attributes left as proposed keep what the configuration says.
    pub model: R::Model,
    /// Travels to apply, and is stored if nothing is to be applied.
    pub private: R::Private,
    /// Attributes whose change replaces the resource, beside those declared so.
    pub requires_replace: Vec<AttributePath>,
    /// Warnings, and refusals as errors.
    pub diagnostics: Diagnostics,
}

/// What an apply is made from.
pub(crate) struct ApplyRequest<'a, R: Resource> {
    /// The configuration, the only place where write-only values are.
    pub config: &'a R::Model,
    /// What exists; `None` on create.
    pub prior: Option<&'a Existing<R>>,
    /// The planned state. Every known value in it is returned unchanged.
    pub planned: &'a R::Model,
    /// The planned private data, with the operations.
    pub planned_private: &'a R::Private,
}

/// Where apply leaves what exists remotely, as soon as it exists: an error, a panic or a cancellation later loses nothing.
pub(crate) struct Saved<R: Resource>(std::sync::Mutex<Option<Existing<R>>>);

impl<R: Resource> Default for Saved<R> {
    fn default() -> Self {
        Self(std::sync::Mutex::new(None))
    }
}

impl<R: Resource> Saved<R> {
    /// Records what exists now.
    pub(crate) fn save(&self, existing: Existing<R>) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(existing);
    }

    /// What was recorded last.
    pub(crate) fn take(&self) -> Option<Existing<R>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}

/// A managed resource.
pub(crate) trait Resource: Clone + std::fmt::Debug + Sized + Send + Sync + 'static {
    /// Its type name in HCL.
    const TYPE_NAME: &'static str;
    /// Version of its state's shape.
    const VERSION: i64 = 0;
    /// Schema, configuration and state.
    type Model: Model + std::fmt::Debug;
    /// What is stored beside the state.
    type Private: Serialize + DeserializeOwned + Clone + std::fmt::Debug + Default + Send + Sync;
    /// What is looked up for a plan.
    type Lookup: Send + Sync;

    /// Its declared schema.
    fn schema() -> Schema {
        Schema { version: Self::VERSION, description: Self::Model::description(), attributes: Self::Model::attributes() }
    }

    /// Checks a configuration by itself; anything in it may be unknown. Pure.
    fn validate(config: &Self::Model) -> Diagnostics;

    /// Observes for a plan. On create this may decide known planned values as far as the facts cannot change in the same apply;
    /// everything else may only lead to warnings and refusals. `Ok(None)`: nothing needed to be looked up.
    fn look_up(
        context: &Context,
        request: &PlanRequest<'_, Self>,
    ) -> impl Future<Output = Result<Option<Self::Lookup>, Failure>> + Send;

    /// Plans a create or an update. Pure. `lookup` is `None` when nothing was or could be looked up.
    fn plan(request: &PlanRequest<'_, Self>, lookup: Option<&Self::Lookup>) -> Plan<Self>;

    /// What a destroy will do, as a warning, and what it refuses: a destroy plan has no values to show it in.
    fn plan_destroy(context: &Context, prior: &Existing<Self>) -> impl Future<Output = Result<Diagnostics, Failure>> + Send;

    /// Reads what exists. `None`: it is gone.
    fn read(context: &Context, prior: Existing<Self>) -> impl Future<Output = Result<Option<Existing<Self>>, Failure>> + Send;

    /// Creates or updates, and saves what exists. Returns warnings.
    fn apply(
        context: &Context,
        request: &ApplyRequest<'_, Self>,
        saved: &Saved<Self>,
    ) -> impl Future<Output = Result<Diagnostics, Failure>> + Send;

    /// Destroys. Whatever is left after an error is saved; nothing saved means that all is as before.
    fn destroy(
        context: &Context,
        prior: &Existing<Self>,
        saved: &Saved<Self>,
    ) -> impl Future<Output = Result<Diagnostics, Failure>> + Send;

    /// Whether this is what [`Resource::import`] makes of an id, which no Read has completed yet.
    fn is_import(existing: &Existing<Self>) -> bool;

    /// Starts an import: the attributes that the id names. Read finds the rest; declared defaults are filled in. Pure.
    ///
    /// # Errors
    /// The id is malformed.
    fn import(id: &str) -> Result<Existing<Self>, Diagnostics>;
}
