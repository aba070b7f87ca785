//! The terms of the engine: the moment of a change, the purpose of a look, its findings, what remains of an operation. Pure.

use std::fmt::{Debug, Display};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::impact::{ImpactModel, OnDestroy};
use crate::printable::printable_line;
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

    /// The reviewed operations of a destroy: those of `on_destroy`. `None`: there were none to review.
    fn reviewed_destroy(&self) -> Option<&[String]>;

    /// `drift`, if the resource has it.
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

/// What happens to an operation that is needed at apply but was not planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unplanned {
    /// The next plan shows it.
    LeftToTheNextPlan,
    /// The apply stops before it changes anything.
    Refused,
}

/// The moment of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// It is planned: what is missing may be created before the apply.
    Plan,
    /// It is about to run.
    Apply,
}

/// Whether a create is half of a replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replacement {
    /// Not as far as the plan can tell: after a taint it looks like any other create.
    No,
    /// An argument moves the object: it does not exist yet where it moves to.
    Argument,
    /// The practitioner requests another object in the same place.
    Request,
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
    /// To change the object.
    Apply,
    /// To see the result of a change.
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
    /// Obstacles that another destroy of the same apply may remove: warnings at plan; awaited at apply, then errors.
    pub(crate) awaited: Diagnostics,
    /// What something else may still meet: warnings at plan, errors at apply.
    pub(crate) unmet: Diagnostics,
    /// Warnings of the plan.
    pub(crate) warnings: Diagnostics,
}

/// What remains of a planned operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remaining<O> {
    /// It runs.
    All,
    /// It runs without what is already done, which is named.
    Part(O, Vec<String>),
    /// It expands to these.
    Each(Vec<O>),
    /// Its effect already exists, or its object is gone.
    Nothing,
}

/// A number for a value. Another build may return another number; then drift is treated as a change.
pub(crate) fn fingerprint(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The lines of `operations` and `drift`.
pub(crate) fn lines<O: Display>(operations: &[O]) -> Vec<String> {
    operations.iter().map(line).collect()
}

/// The line of one operation.
pub(crate) fn line<O: Display>(operation: &O) -> String {
    printable_line(&operation.to_string())
}
