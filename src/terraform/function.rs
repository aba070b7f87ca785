//! The declaration of a function, and the error of a refused call.

use super::Type;

/// A function: its parameters and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// One line, for a list of functions.
    pub summary: &'static str,
    /// What it does. Markdown.
    pub description: &'static str,
    /// Its parameters, in order.
    pub parameters: Vec<Parameter>,
    /// The type of its result.
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
    /// What is wrong, and the remedy.
    pub text: String,
    /// Zero-based position of the invalid argument, if there is one.
    pub argument: Option<usize>,
}

impl CallFault {
    /// A fault of one argument.
    #[must_use]
    pub fn of_argument(argument: usize, text: impl Into<String>) -> Self {
        Self { text: text.into(), argument: Some(argument) }
    }
}
