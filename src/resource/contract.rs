//! A managed resource as the server layer sees it. Pure.
//!
//! *Plan* sees the configuration, the prior state and what was observed before, and returns the planned state and the operations.
//! *Apply* runs operations and decides nothing. Between them, everything travels in the private data, which Terraform does not
//! read.

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::titled::{Failed, Said};
use crate::failure::Failure;
use crate::provider::Context;
use crate::terraform::{AttributePath, Diagnostics, Model, Schema};

/// A resource as it exists: its state, and the private data stored next to it.
#[derive(Clone, Debug)]
pub(crate) struct Existing<R: Resource> {
    /// The state. Nothing in it is unknown.
    pub model: R::Model,
    /// Stored next to the state in clear, so never a secret.
    pub private: R::Private,
}

/// The state that Terraform passes, decoded.
#[derive(Clone, Debug)]
pub(crate) struct Prior<M, D> {
    /// The state. Nothing in it is unknown.
    pub model: M,
    /// What its arguments say.
    pub arguments: D,
}

/// What a plan is made from: a model `M`, what it asks for `D`, private data `P`.
pub(crate) struct PlanRequest<'a, M, D, P> {
    /// The configuration, with unknowns and write-only values.
    pub config: &'a M,
    /// What the configuration asks for; `None` while a value that decides is unknown.
    pub desired: Option<&'a D>,
    /// What exists; `None` on create.
    pub prior: Option<&'a Prior<M, D>>,
    /// What is stored next to the prior state.
    pub prior_private: &'a P,
    /// The proposal: configuration over prior state, with defaults filled in, write-only values nulled and, when anything changes,
    /// computed attributes unknown.
    pub proposed: &'a M,
    /// True on create and when the proposal differs from the prior state.
    pub changed: bool,
    /// True when a changed argument replaces the object: Terraform then calls again, for a create.
    pub replaces: bool,
    /// The private data of the first plan, from clients that pass it back in the plan right before apply.
    pub first_plan: Option<&'a P>,
}

/// The plan request of a resource.
pub(crate) type PlanRequestOf<'a, R> =
    PlanRequest<'a, <R as Resource>::Model, <R as Resource>::Desired, <R as Resource>::Private>;

/// The prior state of a resource.
pub(crate) type PriorOf<R> = Prior<<R as Resource>::Model, <R as Resource>::Desired>;

/// A plan.
pub(crate) struct Plan<M, P> {
    /// The planned state. Attributes left as proposed keep what the configuration says.
    pub model: M,
    /// Travels to apply, and is stored if nothing is to be applied.
    pub private: P,
    /// Warnings, and refusals as errors.
    pub diagnostics: Said,
}

/// What a refresh found.
pub(crate) struct Refreshed<R: Resource> {
    /// The object; `None`: it is gone.
    pub existing: Option<Existing<R>>,
    /// Warnings.
    pub said: Said,
}

/// What an apply is made from.
pub(crate) struct ApplyRequest<'a, M, D, P> {
    /// The configuration, the only place where write-only values are.
    pub config: &'a M,
    /// What it asks for.
    pub desired: &'a D,
    /// What exists; `None` on create.
    pub prior: Option<&'a Prior<M, D>>,
    /// The planned state. Every known value in it is returned unchanged.
    pub planned: &'a M,
    /// The planned private data, with the operations. (Terraform passes no other private data to an apply.)
    pub planned_private: &'a P,
}

/// The apply request of a resource.
pub(crate) type ApplyRequestOf<'a, R> =
    ApplyRequest<'a, <R as Resource>::Model, <R as Resource>::Desired, <R as Resource>::Private>;

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

/// A managed resource, as the RPCs use it. One engine implements it for all: [`super::change`].
pub(crate) trait Resource: Clone + std::fmt::Debug + Sized + Send + Sync + 'static {
    /// Its type name in HCL.
    const TYPE_NAME: &'static str;
    /// Version of its state's shape.
    const VERSION: i64 = 0;
    /// Schema, configuration and state.
    type Model: Model + std::fmt::Debug;
    /// What a configuration asks for: every value that decides is known and valid.
    type Desired: Clone + std::fmt::Debug + Send + Sync;
    /// The identity of an object.
    type Identity: Model + std::fmt::Debug;
    /// Version of its identity's shape.
    const IDENTITY_VERSION: i64 = 0;
    /// What is stored next to the state.
    type Private: Serialize + DeserializeOwned + Clone + std::fmt::Debug + Default + Send + Sync;
    /// What is looked up for a plan.
    type Lookup: Send + Sync;

    /// Its declared schema.
    fn schema() -> Schema {
        Schema { version: Self::VERSION, ..Self::Model::schema() }
    }

    /// What a configuration asks for; `None` while a value that decides is unknown. Pure.
    ///
    /// # Errors
    /// Every fault, each with its attribute path.
    fn decode(config: &Self::Model) -> Result<Option<Self::Desired>, Diagnostics>;

    /// What the arguments of a state say. Pure.
    ///
    /// # Errors
    /// The state holds something that this provider never writes.
    fn decode_state(state: &Self::Model, private: &Self::Private) -> Result<Self::Desired, Diagnostics>;

    /// Checks a configuration by itself; anything in it may be unknown. Pure.
    fn validate(config: &Self::Model) -> Diagnostics;

    /// Observes for a plan. On create this may decide known planned values as far as the facts cannot change in the same apply;
    /// everything else may only cause warnings and refusals. `Ok(None)`: nothing needed to be looked up.
    fn look_up(
        context: &Context,
        request: &PlanRequestOf<'_, Self>,
    ) -> impl Future<Output = Result<Option<Self::Lookup>, Failed>> + Send;

    /// Arguments that replace the object by what they mean, beside those that are declared to. Pure.
    fn replacements(
        context: &Context,
        proposed: &Self::Model,
        prior: &PriorOf<Self>,
        private: &Self::Private,
    ) -> Vec<AttributePath>;

    /// Plans a create or an update. Pure. `lookup` is `None` when nothing was or could be looked up.
    fn plan(request: &PlanRequestOf<'_, Self>, lookup: Option<&Self::Lookup>) -> Plan<Self::Model, Self::Private>;

    /// What a destroy will do, as a warning, and what it refuses: a destroy plan has no values that could show it.
    fn plan_destroy(
        context: &Context,
        prior: &PriorOf<Self>,
        private: &Self::Private,
    ) -> impl Future<Output = Result<Said, Failed>> + Send;

    /// Reads what exists.
    fn read(
        context: &Context,
        prior: &PriorOf<Self>,
        private: &Self::Private,
    ) -> impl Future<Output = Result<Refreshed<Self>, Failed>> + Send;

    /// Creates or updates, and saves what exists. Returns warnings.
    fn apply(
        context: &Context,
        request: &ApplyRequestOf<'_, Self>,
        saved: &Saved<Self>,
    ) -> impl Future<Output = Result<Said, Failed>> + Send;

    /// Destroys. Whatever is left after an error is saved; nothing saved means that nothing changed.
    fn destroy(
        context: &Context,
        prior: &PriorOf<Self>,
        private: &Self::Private,
        saved: &Saved<Self>,
    ) -> impl Future<Output = Result<Said, Failed>> + Send;

    /// Whether this private data is from [`Resource::import`] and no Read has completed it yet.
    fn is_import(private: &Self::Private) -> bool;

    /// The identity of the object that a state describes, known as far as the state is. `before` is the one that it had. Pure.
    fn identity(model: &Self::Model, before: Option<&Self::Identity>) -> Self::Identity;

    /// Starts an import: the attributes that the id names. Read finds the rest; declared defaults are filled in. Pure.
    ///
    /// # Errors
    /// The id is malformed.
    fn import(id: &str) -> Result<Existing<Self>, Diagnostics>;

    /// The same by an identity. Pure.
    fn import_by(context: &Context, identity: &Self::Identity) -> Result<Existing<Self>, Failure>;

    /// An object of which only these attributes are known, as in an import. Pure.
    fn named(model: Self::Model) -> Existing<Self>;
}
