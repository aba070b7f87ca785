//! What prevents a change of a role, and what the practitioner should know about it. Pure.

use super::desired::{Authentication, Desired};
use super::observed::Observed;
use super::operation::Operation;
use super::schema::ReplicationUser;
use super::{authentication, lacking, message, obstacle, standing};
use crate::catalogue::holdings::Obstacle;
use crate::catalogue::validity::{Expiry, ValidUntil};
use crate::postgres::Identifier;
use crate::resource::change::{Change, Findings, Moment, Replacement};

/// Checks a change against what was seen.
pub(super) fn check(change: &Change<'_, ReplicationUser>, operations: Option<&[Operation]>) -> Findings {
    let mut findings = Findings::default();
    let Some(desired) = change.after else {
        destroy(change, &mut findings);
        return findings;
    };
    password(change, desired, operations, &mut findings);
    if let Some(before) = change.before.filter(|before| before.name != desired.name) {
        let sets_password = operations.into_iter().flatten().any(Operation::sets_password);
        let keeps_login = sets_password || desired.authentication == Authentication::Iam;
        findings.warnings.push(message::renamed(&before.name, &desired.name, keeps_login));
    }
    authentication::check(change, desired, operations, &mut findings);
    login(change, desired, &mut findings);
    if let (Some(before), Some(basis)) = (change.before, change.basis()) {
        findings.warnings.extend(standing::cannot_be_restored(before, desired, basis));
        findings.warnings.extend(standing::gone(before, desired, basis));
    }
    let seen: Vec<&Observed> = change.basis().into_iter().chain(change.now).collect();
    findings.warnings.extend(standing::hidden_rows(desired, &seen));
    findings.warnings.extend(standing::reads_nothing(desired));
    if let Some(now) = change.now {
        meet(change, desired, now, operations, &mut findings);
    }
    findings
}

/// A role without a password cannot log in. One that is adopted may have its own.
fn password(change: &Change<'_, ReplicationUser>, desired: &Desired, operations: Option<&[Operation]>, findings: &mut Findings) {
    if desired.has_password || desired.authentication == Authentication::Iam {
        return;
    }
    let creates = change.before.is_none();
    // The destroy half of a replacement drops what the create half would adopt.
    let adopts = desired.adopt == Some(true) && change.replacement == Replacement::No;
    if operations.into_iter().flatten().any(Operation::sets_password) || (creates && !adopts) {
        findings.refusals.push(message::password_missing());
    } else if creates && change.now.is_some_and(|now| now.role.is_none()) {
        findings.unmet.push(message::nothing_to_adopt(&desired.name));
    }
}

/// What keeps everybody from logging in as the role, now or soon, once the change is made.
fn login(change: &Change<'_, ReplicationUser>, desired: &Desired, findings: &mut Findings) {
    let is_kept = change.before.is_some() || desired.adopt == Some(true);
    let found = change.basis().and_then(|basis| basis.role.as_ref()).filter(|_| is_kept);
    let is_set = |wanted: &ValidUntil| found.is_none_or(|found| found.valid_until != Some(*wanted));
    let (valid_until, expiry) = match (desired.valid_until.filter(is_set), found) {
        (Some(wanted), _) => (Some(wanted), change.now.map_or(Expiry::Far, |now| now.closer.expiry)),
        (None, Some(found)) => (found.valid_until, found.expiry),
        (None, None) => (None, Expiry::Far),
    };
    // An IAM token has an end of its own.
    let valid_until = valid_until.filter(|_| desired.authentication == Authentication::Password);
    findings.warnings.extend(valid_until.and_then(|valid_until| message::expiry(&desired.name, valid_until, expiry)));
    let limit = desired.connection_limit.or(found.map(|found| found.connection_limit));
    findings.warnings.extend((limit == Some(0)).then(|| message::no_connections(&desired.name)));
}

/// What is missing, out of reach or taken. Another resource may still fix it before the plan is applied.
fn meet(
    change: &Change<'_, ReplicationUser>,
    desired: &Desired,
    now: &Observed,
    operations: Option<&[Operation]>,
    findings: &mut Findings,
) {
    let at_apply = change.moment == Moment::Apply;
    let adopts = matches!(operations, Some([Operation::AdoptRole { .. }, ..]));
    match (&now.role, adopts) {
        _ if change.before.is_some() => {}
        (Some(existing), _) if now.facts.is_own_role(&existing.name) => findings.refusals.push(message::own_login(&desired.name)),
        (Some(_), true) if !now.closer.elsewhere.is_empty() => {
            findings.refusals.push(message::used_elsewhere(desired, &now.closer.elsewhere));
        }
        (None, true) => findings.unmet.push(message::role_gone(&desired.name)),
        // In a replacement, the old role still has the name.
        (Some(existing), false) if change.replacement == Replacement::No => {
            findings.unmet.push(message::already_exists(desired, existing))
        }
        _ => {}
    }
    findings.unmet.extend(message::missing(change.before, desired, now, at_apply));
    let is_new = |schema: &&Identifier| change.before.is_none_or(|before| !before.schemas.contains(schema));
    let is_granted = |schema: &&Identifier| {
        let grants =
            |operation: &Operation| matches!(operation, Operation::GrantDefaults { schema: granted, .. } if granted == *schema);
        operations.into_iter().flatten().any(grants)
    };
    let covered: Vec<&Identifier> =
        desired.schemas.iter().filter(|schema| if at_apply { is_granted(schema) } else { is_new(schema) }).collect();
    findings.warnings.extend(message::owners_found(&covered, desired, now));
    let operations = operations.unwrap_or_default();
    let lacking = lacking::lacking(change.before, desired, now, operations, &covered, at_apply);
    findings.unmet.extend(lacking.unmet);
    findings.warnings.extend(lacking.warnings);
}

fn destroy(change: &Change<'_, ReplicationUser>, findings: &mut Findings) {
    let Some((now, role)) = change.now.and_then(|now| Some((now, now.role.as_ref()?))) else { return };
    let obstacles = now.clearings.iter().flat_map(|clearing| &clearing.obstacles);
    // The same run may destroy the pipe that reads.
    let (live, others): (Vec<_>, Vec<_>) = obstacles.partition(|obstacle| matches!(obstacle, Obstacle::Replicates { .. }));
    let (at_apply, admin) = (change.moment == Moment::Apply, &now.facts.current_user);
    findings.awaited.extend((!live.is_empty()).then(|| obstacle::in_the_way(role, admin, &live, at_apply)));
    findings.unmet.extend((!others.is_empty()).then(|| obstacle::in_the_way(role, admin, &others, at_apply)));
}
