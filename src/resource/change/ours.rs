//! Whether what was found is the object of the state. A number alone does not prove it: on another server, or on a copy of this
//! one, an oid may belong to somebody else's object. Pure.

use super::in_database::InDatabase;
use super::managed::{Managed, Work};
use super::message;
use super::sighting::Stranger;
use crate::resource::contract::Prior;
use crate::terraform::{Diagnostic, Diagnostics};

/// Compares what was found with the state before a change: it needs server, oid and the name last read. (The server is not known in
/// the destroy of a tainted object, to which Terraform passes no private data.) `None`: it is ours, or nothing was found
/// where it was.
pub(crate) fn stranger<R: InDatabase>(
    prior: &Prior<R::Model, R::Desired>,
    recalled: Option<&R::Observed>,
    now: &R::Observed,
) -> Option<Stranger> {
    let now = R::sighting(now);
    let before = recalled.map(R::sighting).unwrap_or_default();
    if let Some(moved) = now.moved_from(&before) {
        return Some(Stranger::Elsewhere(moved));
    }
    let (oid, name) = now.object?;
    let known = R::oid(&prior.model).or(before.object.map(|(oid, _)| oid));
    match known {
        Some(before) if before != oid => Some(Stranger::Another { oid, before }),
        _ if name != R::name(&prior.arguments) => Some(Stranger::Renamed { now: name.to_owned() }),
        _ => None,
    }
}

/// Compares the oid of a state with the one in the private data beside it.
///
/// # Errors
/// They differ: one of them belongs to something else.
pub(crate) fn same_oid(state: Option<u32>, stored: Option<u32>) -> Result<(), Diagnostics> {
    match state.zip(stored).filter(|(state, stored)| state != stored) {
        Some((state, stored)) => Err(message::contradiction(state, stored).into()),
        None => Ok(()),
    }
}

/// What a refresh says if it looked elsewhere than the one before.
pub(crate) fn elsewhere<R: InDatabase>(arguments: &R::Desired, before: &R::Observed, now: &R::Observed) -> Option<Diagnostic> {
    let (before, now) = (R::sighting(before), R::sighting(now));
    let moved = now.moved_from(&before)?;
    Some(message::looked_elsewhere::<R>(arguments, moved, now.object.is_some()))
}

impl<R: Managed> Work<'_, R> {
    /// Refuses a change of something else than what the state describes. A destroy has nothing to do where another object has
    /// taken the name: `Some`, with a warning.
    ///
    /// # Errors
    /// Why the change is refused.
    pub(crate) fn recognise(&self, now: &R::Observed) -> Result<Option<Diagnostic>, Diagnostics> {
        let Some(prior) = self.prior else { return Ok(None) };
        match R::stranger(prior, self.recalled.as_ref(), now) {
            None => Ok(None),
            Some(Stranger::Another { oid, before }) if self.destroys() => {
                Ok(Some(message::already_gone::<R>(&prior.arguments, oid, before)))
            }
            Some(stranger) => Err(message::stranger::<R>(&prior.arguments, &stranger).into()),
        }
    }
}
