//! Where the password or token of a login comes from.

use std::fmt;

/// Where a password comes from, as a message names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The settings.
    Given,
    /// A secret, of this name.
    Secret(String),
    /// A token signed for the connection.
    Token,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => Ok(()),
            Self::Secret(name) => write!(f, " with the password in the secret {name}"),
            Self::Token => f.write_str(" with an IAM token"),
        }
    }
}
