//! What prevents a change where the parameter group is not one of ours: another cluster has it too, or values are missing that something
//! else has to set. Pure.

use super::super::desired::{Desired, Mode};
use super::super::diff::lets_go;
use super::super::message;
use super::super::operation::Operation;
use super::super::schema::Source;
use super::super::takeover::{begun_mode, gives_up};
use crate::cluster::{Observed, Remembered};
use crate::resource::change::{Change, Findings};
use crate::terraform::Diagnostic;

/// Checks a change by its mode.
pub(super) fn check(change: &Change<'_, Source>, found: &Observed, operations: &[Operation], findings: &mut Findings) {
    let Some(arguments) = change.after.or(change.before) else { return };
    if begun_mode(arguments, found) == Mode::InPlace && operations.iter().any(Operation::changes_parameters) {
        match (&found.shared_with, change.after.is_none()) {
            (Some(others), _) if others.is_empty() => {}
            // The other cluster may be destroyed by the same run, or have another group by then.
            (Some(others), true) => findings.awaited.push(message::attached_elsewhere(found, others, true)),
            (Some(others), false) => findings.refusals.push(message::attached_elsewhere(found, others, false)),
            // One that was created for this cluster is not asked for.
            (None, destroys) if !found.attached_is_ours() => {
                if destroys { &mut findings.unmet } else { &mut findings.refusals }.push(message::others_unknown(found));
            }
            (None, _) => {}
        }
    }
    findings.warnings.extend(named_by_tags(change, found, arguments));
    let Some(desired) = change.after else { return };
    if gives_up(change.before, desired, found) && !operations.is_empty() {
        findings.warnings.push(message::gives_up(found, begun_mode(desired, found)));
    } else if lets_go(change.before, desired) {
        findings.warnings.extend(change.before.map(|before| message::lets_go(found, before.mode)));
    } else if desired.mode == Mode::External {
        findings.unmet.extend(missing(found, desired));
    }
}

/// What tags alone say was changed in place: that is not enough to change it back.
fn named_by_tags(change: &Change<'_, Source>, found: &Observed, arguments: &Desired) -> Option<Diagnostic> {
    let mode = begun_mode(arguments, found);
    let destroys = change.after.is_none();
    // What private data have of it is restored.
    let is_remembered = |name: &String| found.remembered.values.contains_key(name);
    let is_told = |name: &String| match (mode, change.after) {
        (Mode::Dedicated, _) => true,
        // What was let go is no longer told.
        (Mode::External, _) => !found.unfinished.unrecorded,
        (Mode::InPlace, None) => is_remembered(name),
        (Mode::InPlace, Some(desired)) => {
            let is_new = change.before.is_none_or(|before| before.mode != Mode::InPlace);
            desired.mode != Mode::InPlace || desired.mentions(name) || (!is_new && is_remembered(name))
        }
    };
    let tagged = Remembered::of_tags(&found.attached.tags).values;
    let named: Vec<&String> = tagged.keys().filter(|name| !is_told(name)).collect();
    (!named.is_empty()).then(|| message::tags_name_others(found, &named, mode, destroys))
}

/// What something else has to set.
fn missing(found: &Observed, desired: &Desired) -> Option<Diagnostic> {
    let value = |(name, value): (&String, &String)| {
        let now = found.attached.value(name).unwrap_or("not set");
        (!found.attached.holds(name, value)).then(|| format!("{name} = {value} (now {now})"))
    };
    let missing: Vec<String> = desired.wanted.iter().filter_map(value).collect();
    let iam = desired.iam_authentication.filter(|on| *on != found.cluster.iam_authentication);
    (!missing.is_empty() || iam.is_some()).then(|| message::missing_values(found, &missing, iam))
}

#[cfg(test)]
mod tests;
