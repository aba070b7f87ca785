//! The rules by which core judges a provider's answers, in its words. Pure.
//!
//! The provider checks its own answers by the same rules in debug builds (`src/server/self_check/`). The two are written
//! independently and share no code: a mistake in one of them shows as a difference, while shared code would agree with itself.
//!
//! The tolerance for legacy SDKs, which silences most of these, does not exist here.

pub mod action;
pub mod compatible;
pub mod function;
pub mod identity;
pub mod plan;
pub mod replacement;
pub mod schema;
pub mod stored;
mod violation;

use std::fmt;

use super::path::Path;

pub use violation::Violation;

/// What is wrong at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place.
    pub path: Path,
    /// What is wrong there.
    pub words: String,
}

impl Problem {
    fn at(path: &Path, words: impl Into<String>) -> Self {
        Self { path: path.clone(), words: words.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path == Path::root() { f.write_str(&self.words) } else { write!(f, "{}: {}", self.path, self.words) }
    }
}
