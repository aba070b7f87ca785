//! What core will do with an object, and whether that may change between the plan and the apply.

use std::fmt;

use super::super::value::Value;

/// What is planned for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    NoOp,
    /// It is created.
    Create,
    /// It is changed in place.
    Update,
    /// It is destroyed and created again.
    Replace,
    /// It is destroyed.
    Delete,
}

impl Action {
    /// What a plan means: `replaced` says whether a path that requires it changed.
    #[must_use]
    pub fn of(prior: &Value, planned: &Value, replaced: bool) -> Self {
        match (prior, planned) {
            (Value::Null, Value::Null) => Self::NoOp,
            (Value::Null, _) => Self::Create,
            (_, Value::Null) => Self::Delete,
            _ if replaced => Self::Replace,
            // An unknown value may or may not equal the old one, so it counts as a change.
            _ if prior == planned && planned.is_wholly_known() => Self::NoOp,
            _ => Self::Update,
        }
    }

    /// Whether the plan right before apply may have the action `last` if the first one had this.
    #[must_use]
    pub fn may_become(self, last: Self) -> bool {
        self == last || (self, last) == (Self::Update, Self::NoOp)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoOp => "NoOp",
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Replace => "DeleteThenCreate",
            Self::Delete => "Delete",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_means_one_action() {
        let (a, b) = (Value::text("a"), Value::text("b"));
        assert_eq!(Action::of(&Value::Null, &a, false), Action::Create);
        assert_eq!(Action::of(&a, &a, false), Action::NoOp);
        assert_eq!(Action::of(&a, &b, false), Action::Update);
        assert_eq!(Action::of(&a, &Value::unknown(), false), Action::Update);
        assert_eq!(Action::of(&a, &b, true), Action::Replace);
        assert_eq!(Action::of(&a, &Value::Null, false), Action::Delete);
    }

    #[test]
    fn only_an_update_may_turn_out_to_be_nothing() {
        assert!(Action::Update.may_become(Action::NoOp));
        assert!(!Action::NoOp.may_become(Action::Update));
        assert!(!Action::Update.may_become(Action::Replace));
        assert!(Action::Create.may_become(Action::Create));
    }
}
