//! What a function says about itself, and about a call that it refuses.

use super::Type;

/// A function: what it takes and gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// One line, for a list of functions.
    pub summary: &'static str,
    /// What it does. Markdown.
    pub description: &'static str,
    /// What it takes, in order.
    pub parameters: Vec<Parameter>,
    /// The type of what it gives.
    pub returns: Type,
}

/// A parameter. Nothing unknown is ever passed: Terraform then knows that the result is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, in messages.
    pub name: &'static str,
    /// What it means. Markdown.
    pub description: &'static str,
    /// Its type.
    pub of: Type,
    /// Whether null may be passed.
    pub nullable: bool,
}

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFault {
    /// What is wrong, and the way out.
    pub text: String,
    /// Zero-based position of the argument at fault, if one is.
    pub argument: Option<usize>,
}

impl CallFault {
    /// A fault of one argument.
    #[must_use]
    pub fn of_argument(argument: usize, text: impl Into<String>) -> Self {
        Self { text: text.into(), argument: Some(argument) }
    }
}
