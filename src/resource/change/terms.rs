//! The words of the engine: where a change stands, why a look is taken, what was found, what is left of an operation. Pure.

use std::fmt::{Debug, Display};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::impact::{ImpactModel, OnDestroy};
use crate::resource::timeouts::Timeouts;
use crate::terraform::{Attr, Diagnostics, Model};

/// The attributes that every resource has.
pub(crate) trait ManagedModel: Model + Debug {
    /// `operations`.
    fn operations(&mut self) -> &mut Attr<Vec<String>>;

    /// `impact`.
    fn impact(&mut self) -> &mut Attr<ImpactModel>;

    /// `on_destroy`.
    fn on_destroy(&mut self) -> &mut Attr<OnDestroy>;

    /// What was reviewed of a destroy: the operations of `on_destroy`. `None`: nobody could review any.
    fn reviewed_destroy(&self) -> Option<&[String]>;

    /// `drift`, where the resource has it.
    fn drift(&mut self) -> Option<&mut Attr<Vec<String>>> {
        None
    }

    /// `timeouts`.
    fn timeouts(&self) -> &Attr<Timeouts>;
}

/// Implements [`ManagedModel`] for a model with these attributes: `managed_model!(Model)`, or `managed_model!(Model, drift)`.
macro_rules! managed_model {
    ($model:ident $(, $drift:ident)?) => {
        impl $crate::resource::change::ManagedModel for $model {
            fn operations(&mut self) -> &mut $crate::terraform::Attr<Vec<String>> {
                &mut self.operations
            }

            fn impact(&mut self) -> &mut $crate::terraform::Attr<$crate::resource::change::ImpactModel> {
                &mut self.impact
            }

            fn on_destroy(&mut self) -> &mut $crate::terraform::Attr<$crate::resource::change::OnDestroy> {
                &mut self.on_destroy
            }

            fn reviewed_destroy(&self) -> Option<&[String]> {
                self.on_destroy.known()?.operations.known().map(Vec::as_slice)
            }

            $(fn drift(&mut self) -> Option<&mut $crate::terraform::Attr<Vec<String>>> {
                Some(&mut self.$drift)
            })?

            fn timeouts(&self) -> &$crate::terraform::Attr<$crate::resource::timeouts::Timeouts> {
                &self.timeouts
            }
        }
    };
}
pub(crate) use managed_model;

/// What becomes of an operation that is needed at apply and was not planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unplanned {
    /// The next plan shows it.
    LeftToTheNextPlan,
    /// The apply stops before it changes anything.
    Refused,
}

/// Where a change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// It is planned: what is missing may come until it is applied.
    Plan,
    /// It is about to run.
    Apply,
}

/// Why a look is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To refresh the state.
    Read {
        /// Only the name is known yet.
        importing: bool,
    },
    /// To plan; `changed`: on create, and when the proposal differs from the prior state.
    Plan {
        /// Whether anything differs.
        changed: bool,
    },
    /// To change what is there.
    Apply,
    /// To see what a change made of it.
    Result,
    /// To say what a destroy will do.
    PlanDestroy,
    /// To destroy.
    Destroy,
}

/// Findings about a change.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// What no later step of the same apply could fix: errors at plan and at apply.
    pub(crate) refusals: Diagnostics,
    /// What another destroy of the same apply may free: warnings at plan; awaited at apply, then errors.
    pub(crate) awaited: Diagnostics,
    /// What something else may still meet: warnings at plan, errors at apply.
    pub(crate) unmet: Diagnostics,
    /// Warnings of the plan.
    pub(crate) warnings: Diagnostics,
}

/// Why a change cannot run now.
#[derive(Debug)]
pub(crate) enum Hindrance {
    /// It is refused.
    Refused(Diagnostics),
    /// Another destroy of the same run may free it.
    Awaited(Diagnostics),
}

impl From<Diagnostics> for Hindrance {
    fn from(refusals: Diagnostics) -> Self {
        Self::Refused(refusals)
    }
}

/// What is left of a planned operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remaining<O> {
    /// It runs.
    All,
    /// It runs without what is done already, which is named.
    Part(O, Vec<String>),
    /// It stands for these.
    Each(Vec<O>),
    /// Its effect is there already, or what it is about is gone.
    Nothing,
}

/// A number for a value. Another build may give another one; then a drift is taken for a change.
pub(crate) fn fingerprint(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The lines of `operations` and `drift`.
pub(crate) fn lines<O: Display>(operations: &[O]) -> Vec<String> {
    operations.iter().map(ToString::to_string).collect()
}
