//! A change out of mode external that stopped half-way: the state still says external. Pure.

use super::desired::{Desired, Mode};
use crate::cluster::{self, Takeover};

/// The mode by which what was done is undone: that of the arguments, or the one that a change out of external began before it stopped,
/// which the state does not say.
pub(super) fn begun_mode(arguments: &Desired, found: &cluster::Observed) -> Mode {
    match (arguments.mode, found.unfinished.takeover) {
        (Mode::External, Some(Takeover::OwnGroup)) => Mode::Dedicated,
        (Mode::External, Some(Takeover::InPlace)) => Mode::InPlace,
        (mode, _) => mode,
    }
}

/// Whether a change out of external that stopped half-way is no longer wanted.
pub(super) fn gives_up(before: Option<&Desired>, desired: &Desired, found: &cluster::Observed) -> bool {
    let is_external = |desired: &Desired| desired.mode == Mode::External;
    before.is_some_and(is_external) && is_external(desired) && begun_mode(desired, found) != Mode::External
}
