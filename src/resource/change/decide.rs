//! What runs: the planned operations that are still needed, unless something prevents them. Pure.

use std::fmt::Display;

use super::managed::{Change, Look, Managed, Seen, Work};
use super::message;
use super::terms::{ManagedModel, Moment, Purpose, Remaining, Replacement, Unplanned, line};
use crate::failure::Attempt;
use crate::terraform::Diagnostics;

/// What of a destroy the review did not show. A destroy that nobody could review runs what it needs.
pub(super) fn unreviewed<O: Display + Clone>(operations: &[O], reviewed: Option<&[String]>) -> Vec<O> {
    let is_new = |operation: &&O| reviewed.is_some_and(|reviewed| !reviewed.contains(&line(*operation)));
    operations.iter().filter(is_new).cloned().collect()
}

/// What runs.
#[derive(Debug)]
pub(crate) struct Decision<R: Managed> {
    /// The operations, in order.
    pub(crate) run: Vec<R::Operation>,
    /// Planned operations that do not run, and operations left to the next plan.
    pub(crate) warnings: Diagnostics,
}

impl<R: Managed> Work<'_, R> {
    /// Whether the object is destroyed.
    pub(crate) fn destroys(&self) -> bool {
        self.desired.is_none()
    }

    /// Whether the object is new.
    pub(crate) fn creates(&self) -> bool {
        self.prior.is_none()
    }

    /// A look for this work.
    pub(crate) fn look<'a>(&'a self, purpose: Purpose, operations: &'a [R::Operation]) -> Look<'a, R> {
        let recalled = self.recalled.as_ref();
        Look { purpose, arguments: self.arguments, prior: self.prior, recalled, desired: self.desired, operations }
    }

    /// The change, as seen now.
    pub(crate) fn change<'a>(&'a self, now: &'a R::Observed) -> Change<'a, R> {
        Change {
            before: self.prior.map(|prior| &prior.arguments),
            after: self.desired,
            recalled: self.recalled.as_ref(),
            now: Some(now),
            moment: Moment::Apply,
            replacement: Replacement::No,
        }
    }

    /// The planned operations; decided now if the plan could not know them.
    ///
    /// # Errors
    /// Refusals, and an object that is gone.
    pub(crate) fn operations(&self, now: &R::Observed) -> Result<Vec<R::Operation>, Diagnostics> {
        if let (Some(prior), true, false) = (self.prior, self.desired.is_some(), R::exists(now)) {
            return Err(message::gone::<R>(&prior.arguments).into());
        }
        match self.planned {
            Some(planned) => Ok(planned.to_vec()),
            None => self.needed(now),
        }
    }

    fn needed(&self, now: &R::Observed) -> Result<Vec<R::Operation>, Diagnostics> {
        R::diff(&self.change(now))?.ok_or_else(|| message::undecided().into())
    }

    /// Decides which operations run. Nothing is left to decide afterwards.
    ///
    /// # Errors
    /// What prevents the change, and a stale plan.
    pub(crate) fn decide(&self, now: &R::Observed, operations: &[R::Operation]) -> Result<Decision<R>, Attempt> {
        let mut warnings = Diagnostics::new();
        let needed = match self.destroys() {
            true => self.compare_destroy(operations)?,
            false => self.compare(now, &mut warnings)?,
        };
        self.admit(now, operations)?;
        let seen = Seen { now, planned: operations, needed: &needed };
        let mut run = Vec::new();
        let mut skipped = self.done_already(operations);
        // Operations that were decided just now need no warning about what is already done.
        let is_reviewed = self.planned.is_some() || self.destroys();
        for operation in operations {
            match R::remaining(operation, &seen) {
                Remaining::All => run.push(operation.clone()),
                Remaining::Part(rest, done) => {
                    warnings.extend(is_reviewed.then(|| message::skipped_in_part(operation, &done)));
                    run.push(rest);
                }
                Remaining::Each(each) => run.extend(each),
                Remaining::Nothing => skipped.push(line(operation)),
            }
        }
        if is_reviewed && !skipped.is_empty() {
            warnings.push(message::skipped::<R>(self.arguments, &skipped));
        }
        Ok(Decision { run, warnings })
    }

    /// Lets the operations run, unless something prevents them.
    ///
    /// # Errors
    /// What prevents them.
    pub(crate) fn admit(&self, now: &R::Observed, operations: &[R::Operation]) -> Result<(), Attempt> {
        let findings = R::check(&self.change(now), Some(operations));
        let mut refusals = findings.refusals;
        refusals.extend(findings.unmet);
        refusals.into_result()?;
        if findings.awaited.is_empty() { Ok(()) } else { Err(Attempt::Awaited(findings.awaited)) }
    }

    /// The reviewed operations of a destroy, from its prior state: in a replacement, Terraform passes the private data of another
    /// plan.
    fn reviewed(&self) -> Option<&[String]> {
        self.prior.filter(|_| self.destroys()).and_then(|prior| prior.model.reviewed_destroy())
    }

    /// Reviewed operations of a destroy that are no longer needed.
    fn done_already(&self, operations: &[R::Operation]) -> Vec<String> {
        let is_needed = |reviewed: &&String| operations.iter().any(|operation| line(operation) == **reviewed);
        self.reviewed().unwrap_or_default().iter().filter(|line| !is_needed(line)).cloned().collect()
    }

    /// A destroy runs what was reviewed, except what is already done, or nothing.
    fn compare_destroy(&self, operations: &[R::Operation]) -> Result<Vec<R::Operation>, Diagnostics> {
        let unreviewed = unreviewed(operations, self.reviewed());
        if unreviewed.is_empty() {
            Ok(operations.to_vec())
        } else {
            Err(message::not_reviewed::<R>(self.arguments, &unreviewed).into())
        }
    }

    /// What is needed now. Operations that were not planned are left to the next plan, or stop the change if they may not wait.
    fn compare(&self, now: &R::Observed, warnings: &mut Diagnostics) -> Result<Vec<R::Operation>, Diagnostics> {
        let needed = self.needed(now)?;
        let (Unplanned::Refused, Some(planned)) = (R::UNPLANNED, self.planned) else { return Ok(needed) };
        let unplanned = needed.iter().filter(|operation| !planned.contains(operation)).cloned();
        let (may_wait, must_not): (Vec<_>, Vec<_>) = unplanned.partition(R::may_wait);
        if !must_not.is_empty() {
            return Err(message::stale::<R>(self.arguments, &must_not).into());
        }
        if !may_wait.is_empty() {
            warnings.push(message::left_out::<R>(self.arguments, &may_wait));
        }
        Ok(needed)
    }
}
