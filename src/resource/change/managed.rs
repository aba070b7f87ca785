//! What a resource provides to the engine, and the types of the requests. Pure.

use std::fmt::{Debug, Display};
use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::impact::{Effect, Impact};
use super::sighting::Stranger;
use super::terms::{Findings, ManagedModel, Moment, Purpose, Remaining, Replacement, Unplanned, line, lines};
use crate::failure::Failure;
use crate::provider::Context;
use crate::resource::contract::Prior;
use crate::resource::timeouts::{Limits, Timeouts};
use crate::secret::Secret;
use crate::terraform::{AttributePath, Diagnostic, Diagnostics, Model};

/// A resource whose operations are planned, shown and run by the engine.
pub(crate) trait Managed: Clone + Debug + Sized + Send + Sync + 'static {
    /// Its type name in HCL.
    const TYPE_NAME: &'static str;
    /// Version of its state's shape.
    const VERSION: i64 = 0;
    /// What its objects are called in messages, such as `publication`.
    const NOUN: &'static str;
    /// How long each step may take if `timeouts` is not set.
    const LIMITS: Limits;
    /// How much later than its limit a change is stopped, if its own waits, which end at the limit, have not ended it.
    const GRACE: Duration = Duration::from_secs(1);
    /// What happens to an operation that is needed at apply but was not planned.
    const UNPLANNED: Unplanned = Unplanned::LeftToTheNextPlan;

    /// Schema, configuration and state.
    type Model: ManagedModel;
    /// The identity of an object.
    type Identity: Model + Debug;
    /// Version of its identity's shape.
    const IDENTITY_VERSION: i64 = 0;
    /// What a configuration asks for, or the arguments of a state say.
    type Desired: Clone + Debug + Send + Sync;
    /// What a look saw.
    type Observed: Clone + Debug + Send + Sync;
    /// The part of it that is stored next to the state.
    type Stored: Serialize + DeserializeOwned + Clone + Debug + Send + Sync;
    /// One change: a closed enum. `Display` is its line in `operations`, made from it and never compared in its place.
    type Operation: Serialize + DeserializeOwned + Clone + PartialEq + Debug + Display + Send + Sync;

    /// What a configuration asks for; `None` while a value that decides is unknown.
    ///
    /// # Errors
    /// Every fault, each with its attribute path.
    fn decode(config: &Self::Model) -> Result<Option<Self::Desired>, Diagnostics>;

    /// The same for a state. Nothing in a state is unknown, and `None` makes it unreadable. An import has only named the object,
    /// and it must decode whatever others changed in it: a rule that reality can break belongs in `validate`.
    ///
    /// # Errors
    /// The state holds something that this provider never writes.
    fn decode_state(state: &Self::Model, stored: Option<&Self::Stored>) -> Result<Option<Self::Desired>, Diagnostics>;

    /// Rules of a configuration that types cannot express; anything in it may be unknown.
    fn validate(_: &Self::Model) -> Diagnostics {
        Diagnostics::new()
    }

    /// Starts an import: the attributes that the id names.
    ///
    /// # Errors
    /// The id is malformed.
    fn import(id: &str) -> Result<Self::Model, Diagnostics>;

    /// The same by an identity.
    fn import_by(context: &Context, identity: &Self::Identity) -> Result<Self::Model, Failure>;

    /// The identity of the object that a state describes, known as far as the state is. `before` is its previous identity.
    fn identity(model: &Self::Model, before: Option<&Self::Identity>) -> Self::Identity;

    /// A secret of the configuration, in the form in which it may leave the process.
    fn secret(_: &Self::Model) -> Option<Secret> {
        None
    }

    /// The object as messages name it, such as `publication "p"`.
    fn object(arguments: &Self::Desired) -> String;

    /// The same with where it is looked for.
    fn object_and_place(arguments: &Self::Desired) -> String {
        Self::object(arguments)
    }

    /// A fingerprint of a configuration, as far as operations depend on it.
    fn fingerprint(desired: &Self::Desired) -> u64;

    /// The part of an observation that is stored.
    fn store(observed: &Self::Observed) -> Self::Stored;

    /// The observation that a state and the data stored with it represent; `None` if they do not contain enough.
    fn recall(prior: &Prior<Self::Model, Self::Desired>, stored: Option<&Self::Stored>) -> Option<Self::Observed>;

    /// Whether the object exists.
    fn exists(observed: &Self::Observed) -> bool;

    /// The operations of a change, in order: of a create, an update, a drift or a destroy. `None`: they cannot be determined.
    ///
    /// # Errors
    /// Refusals.
    fn diff(change: &Change<'_, Self>) -> Result<Option<Vec<Self::Operation>>, Diagnostics>;

    /// What prevents a change, and what the practitioner should know about it.
    fn check(change: &Change<'_, Self>, operations: Option<&[Self::Operation]>) -> Findings;

    /// What remains of a planned operation when it is about to run.
    fn remaining(operation: &Self::Operation, seen: &Seen<'_, Self>) -> Remaining<Self::Operation>;

    /// What an operation of this change means to the users of the database. A new operation does not compile without an answer.
    fn effect(operation: &Self::Operation, change: &Change<'_, Self>) -> Effect;

    /// Whether a create may be half of a replacement whose other half destroys what was seen: an object of the same name, or
    /// something that this resource created. Terraform does not tell, so no known values may be planned from it.
    fn is_taken(now: &Self::Observed) -> bool {
        Self::exists(now)
    }

    /// Whether what was found for a change is something else than what the state describes.
    fn stranger(_: &Prior<Self::Model, Self::Desired>, _: Option<&Self::Observed>, _: &Self::Observed) -> Option<Stranger> {
        None
    }

    /// What a refresh says if it looked elsewhere than the one before.
    fn elsewhere(_: &Self::Desired, _: &Self::Observed, _: &Self::Observed) -> Option<Diagnostic> {
        None
    }

    /// Arguments that replace the object by what they mean, and not by every change. `own_cluster` is the one that the provider
    /// block names.
    fn replacements(
        _own_cluster: Option<&str>,
        _proposed: &Self::Model,
        _prior: &Prior<Self::Model, Self::Desired>,
        _recalled: Option<&Self::Observed>,
    ) -> Vec<AttributePath> {
        Vec::new()
    }

    /// Forgets outages before and after a change, which connects again.
    fn dial_again(context: &Context, _: &Self::Desired) {
        context.dial_again();
    }

    /// Whether both were observed in the same place, so that a create there is affected by a destroy of what was there before.
    fn is_same_place(_before: &Self::Observed, _now: &Self::Observed) -> bool {
        true
    }

    /// What was observed, without what the other half of a replacement destroys; `None` if that cannot be told apart.
    fn vacated(_: &Self::Observed) -> Option<Self::Observed> {
        None
    }

    /// A configuration with what a state says of the arguments that it leaves open.
    fn completed(desired: &Self::Desired, _: &Self::Desired) -> Self::Desired {
        desired.clone()
    }

    /// What will be observed once these operations have run, as far as a destroy depends on it; `None` if the plan cannot know
    /// it.
    fn foresee(change: &Change<'_, Self>, operations: &[Self::Operation]) -> Option<Self::Observed>;

    /// Whether an operation that is needed but was not planned may wait for the next plan, even if others may not.
    fn may_wait(_: &Self::Operation) -> bool {
        false
    }

    /// The planned state: what the operations may alter is unknown, everything else is known. The engine sets `operations` and
    /// `drift`.
    fn planned(change: &Change<'_, Self>, plan: Proposal<'_, Self>) -> Self::Model;

    /// The state of what was observed, in the order and with the config-only arguments of `model`. After an import the arguments
    /// are those found. The engine sets `operations` and `drift`.
    fn state(model: &Self::Model, observed: &Self::Observed, importing: bool) -> Self::Model;

    /// Fills in what follows from the arguments of a state and an observation together, if the resource has `drift`.
    fn conclude(_: &mut Self::Model, _: &Self::Desired, _: &Self::Observed) {}

    /// Looks at what exists. `Ok(None)`: nothing exists, or no look was needed.
    fn look(context: &Context, look: &Look<'_, Self>) -> impl Future<Output = Result<Option<Self::Observed>, Failure>> + Send;

    /// Looks, decides with [`Work`], runs, and looks again.
    fn execute(context: &Context, work: &Work<'_, Self>) -> impl Future<Output = Result<Done<Self>, Stopped<Self>>> + Send;
}

/// A change from one set of arguments to another.
pub(crate) struct Change<'a, R: Managed> {
    /// The arguments of the prior state; `None` on create.
    pub(crate) before: Option<&'a R::Desired>,
    /// The desired arguments; `None` on destroy, and in a plan while they are not known.
    pub(crate) after: Option<&'a R::Desired>,
    /// The observation that the prior state represents.
    pub(crate) recalled: Option<&'a R::Observed>,
    /// The latest observation.
    pub(crate) now: Option<&'a R::Observed>,
    /// The moment of the change.
    pub(crate) moment: Moment,
    /// Whether a create is half of a replacement whose other half has not run.
    pub(crate) replacement: Replacement,
}

impl<'a, R: Managed> Change<'a, R> {
    /// An observation of an object that matches its arguments, or drifted from them.
    pub(crate) fn drift(arguments: &'a R::Desired, now: &'a R::Observed) -> Self {
        let (before, after) = (Some(arguments), Some(arguments));
        Self { before, after, recalled: None, now: Some(now), moment: Moment::Apply, replacement: Replacement::No }
    }

    /// The destroy of an object, planned.
    pub(crate) fn destroy(arguments: &'a R::Desired, now: &'a R::Observed) -> Self {
        Self { after: None, moment: Moment::Plan, ..Self::drift(arguments, now) }
    }

    /// The observation from which operations are made. In the plan of an update, it is what the last Read stored: Terraform plans
    /// twice, and both answers must agree.
    pub(crate) fn basis(&self) -> Option<&'a R::Observed> {
        let is_update = self.before.is_some() && self.after.is_some();
        if self.moment == Moment::Plan && is_update { self.recalled } else { self.now }
    }
}

/// What the operations of a change mean together; `None` if there are none.
pub(crate) fn impact<R: Managed>(operations: &[R::Operation], change: &Change<'_, R>) -> Option<Impact> {
    Impact::of(operations.iter().map(|operation| (|| line(operation), R::effect(operation, change))))
}

/// What a destroy of an object would run, and what that would mean; `None` if too little is known of it.
pub(crate) fn undoing<R: Managed>(arguments: &R::Desired, observed: &R::Observed) -> Option<(Vec<String>, Option<Impact>)> {
    let change = Change::destroy(arguments, observed);
    let operations = R::diff(&change).ok().flatten()?;
    Some((lines(&operations), impact(&operations, &change)))
}

/// A look at what exists.
pub(crate) struct Look<'a, R: Managed> {
    pub(crate) purpose: Purpose,
    /// Where to look: the arguments of the state, otherwise the desired ones.
    pub(crate) arguments: &'a R::Desired,
    /// What the state says; `None` on create.
    pub(crate) prior: Option<&'a Prior<R::Model, R::Desired>>,
    /// The observation that the prior state represents.
    pub(crate) recalled: Option<&'a R::Observed>,
    /// What is asked for; `None` for a refresh and a destroy.
    pub(crate) desired: Option<&'a R::Desired>,
    /// The operations that are about to run, as far as they are known, or of which the result is looked at.
    pub(crate) operations: &'a [R::Operation],
}

/// What is known when planned operations are about to run.
pub(crate) struct Seen<'a, R: Managed> {
    /// The latest observation.
    pub(crate) now: &'a R::Observed,
    /// All planned operations.
    pub(crate) planned: &'a [R::Operation],
    /// The operations that would be planned now.
    pub(crate) needed: &'a [R::Operation],
}

/// What a planned state is made from.
pub(crate) struct Proposal<'a, R: Managed> {
    /// What Terraform proposes, completed.
    pub(crate) model: R::Model,
    /// The configuration.
    pub(crate) config: &'a R::Model,
    /// The prior state.
    pub(crate) prior: Option<&'a R::Model>,
    /// The operations; `None`: they cannot be known yet.
    pub(crate) operations: Option<&'a [R::Operation]>,
}

/// What an apply or a destroy works from.
pub(crate) struct Work<'a, R: Managed> {
    /// What the state says, else what is asked for.
    pub(crate) arguments: &'a R::Desired,
    /// The prior state; `None` on create.
    pub(crate) prior: Option<&'a Prior<R::Model, R::Desired>>,
    /// The observation that it represents.
    pub(crate) recalled: Option<R::Observed>,
    /// What is asked for; `None` on destroy.
    pub(crate) desired: Option<&'a R::Desired>,
    /// The planned operations; `None`: they were not known at plan, or this is a destroy.
    pub(crate) planned: Option<&'a [R::Operation]>,
    /// The configuration's secret.
    pub(crate) secret: Option<Secret>,
    /// How long a wait may take: for the turn to change a database, for each statement, for AWS.
    pub(crate) limit: Duration,
    /// How long a destroy waits for another destroy of the same run.
    pub(crate) patience: Duration,
}

/// The result of a change.
#[derive(Debug)]
pub(crate) struct Done<R: Managed> {
    /// What exists now; `None`: nothing.
    pub(crate) observed: Option<R::Observed>,
    /// What ran.
    pub(crate) ran: Vec<R::Operation>,
    /// Warnings.
    pub(crate) diagnostics: Diagnostics,
}

impl<R: Managed> Done<R> {
    /// There was nothing to do, because the object does not exist.
    pub(crate) fn nothing() -> Self {
        Self { observed: None, ran: Vec::new(), diagnostics: Diagnostics::new() }
    }

    /// The object is kept instead of destroyed.
    pub(crate) fn left(why: Diagnostic) -> Self {
        Self { diagnostics: why.into(), ..Self::nothing() }
    }
}

/// A change that failed.
#[derive(Debug)]
pub(crate) struct Stopped<R: Managed> {
    /// Why.
    pub(crate) failure: Failure,
    /// What is left of an object that existed before; `None`: as in the prior state.
    pub(crate) left: Option<R::Observed>,
    /// Further diagnostics.
    pub(crate) diagnostics: Diagnostics,
}

impl<R: Managed, E: Into<Failure>> From<E> for Stopped<R> {
    fn from(failure: E) -> Self {
        Self { failure: failure.into(), left: None, diagnostics: Diagnostics::new() }
    }
}

/// The limit of one step.
pub(crate) fn limit<R: Managed>(model: &R::Model, of: impl FnOnce(Limits) -> Duration) -> Duration {
    of(Timeouts::limits(model.timeouts(), R::LIMITS))
}
