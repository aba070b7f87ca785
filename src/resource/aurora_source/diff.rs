//! From what is observed to what is configured: the operations in order, or a refusal. Pure.

use std::collections::BTreeMap;

use super::model::{Desired, RebootPolicy};
use super::notice;
use super::observe::{Group, Observed};
use super::refuse;
use super::request::Operation;
use crate::rds::parameter_group::{PARAMETERS_PER_CALL, Tags};
use crate::rds::{ApplyMethod, ApplyType, ParameterGroupStatus};
use crate::terraform::{AttributePath, Diagnostic, Diagnostics};

/// Start of the tag keys that this provider writes.
pub(super) const TAG_PREFIX: &str = "clickpipes:";
/// Tag of a group of ours: the cluster it was made for.
pub(super) const OWNER_TAG: &str = "clickpipes:cluster";
/// Tag of a group of ours: the group that was attached before it.
pub(super) const PREVIOUS_TAG: &str = "clickpipes:previous-parameter-group";

/// What must be done, and what the practitioner should know about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) operations: Vec<Operation>,
    pub(super) warnings: Diagnostics,
}

/// Operations that bring the cluster from `observed` to `desired`. `prior` is the configuration last applied: what it set and `desired` does
/// not mention any more goes back.
pub(super) fn diff(observed: &Observed, desired: &Desired, prior: Option<&Desired>) -> Result<Difference, Diagnostics> {
    let mut refusals = refuse::unfit(observed);
    refusals.extend(refuse::unfit_parameters(observed, desired));
    let mut operations = match refusals.has_errors().then_some(()) {
        Some(()) => return Err(refusals),
        None => group_operations(observed, desired, prior)?,
    };
    if operations.iter().any(|operation| matches!(operation, Operation::AttachGroup { .. })) {
        refuse_pending_values(observed)?;
    }
    let reboots = reboots(observed, desired.reboot, &operations);
    // The old group is deleted last: until the reboot it is the one that the members run with.
    let deletion = operations.iter().position(|operation| matches!(operation, Operation::DeleteGroup { .. }));
    let at = deletion.unwrap_or(operations.len());
    operations.splice(at..at, reboots);
    let warnings = notice::of_change(observed, desired.reboot, &operations);
    Ok(Difference { operations, warnings })
}

fn group_operations(observed: &Observed, desired: &Desired, prior: Option<&Desired>) -> Result<Vec<Operation>, Diagnostics> {
    let attached = &observed.attached;
    let attached_is_ours = attached.belongs_to(&observed.cluster.identifier);
    let target = observed.target_name(desired.group_name.as_deref());
    let unmet = desired.wanted.iter().any(|(name, value)| !attached.holds(name, value));
    if attached_is_ours && attached.name == target {
        let mut operations = modify_in_place(observed, desired, prior);
        operations.extend(retag(attached, &tags(observed, desired, recorded_previous(attached)), prior));
        operations.extend(delete_left_over(observed));
        return Ok(operations);
    }
    if !attached_is_ours && !unmet {
        return Ok(Vec::new());
    }
    build_group(observed, desired, prior, &target)
}

/// Our group is attached: set what differs, and give back what is not configured any more.
fn modify_in_place(observed: &Observed, desired: &Desired, prior: Option<&Desired>) -> Vec<Operation> {
    let attached = &observed.attached;
    let mut set: BTreeMap<String, String> =
        desired.wanted.iter().filter(|(name, value)| !attached.holds(name, value)).map(owned).collect();
    let mut reset = Vec::new();
    for name in prior.map(|prior| prior.wanted.keys()).into_iter().flatten().filter(|name| !desired.mentions(name)) {
        let before = observed.previous.as_ref().and_then(|group| group.user_set().find(|(key, _)| *key == name));
        match before {
            Some((_, value)) if attached.holds(name, value) => {}
            Some((_, value)) => drop(set.insert(name.clone(), value.clone())),
            None if attached.user_set().any(|(key, _)| key == name) => reset.push((name.clone(), method(observed, name))),
            None => {}
        }
    }
    let mut operations = modifications(observed, &attached.name, set);
    operations.extend(
        reset
            .chunks(PARAMETERS_PER_CALL)
            .map(|chunk| Operation::ResetGroup { name: attached.name.clone(), parameters: chunk.to_vec() }),
    );
    operations
}

/// Another group is attached: make ours with everything that it sets, and attach it.
fn build_group(
    observed: &Observed,
    desired: &Desired,
    prior: Option<&Desired>,
    target: &str,
) -> Result<Vec<Operation>, Diagnostics> {
    let attached = &observed.attached;
    let attached_is_ours = attached.belongs_to(&observed.cluster.identifier);
    let given_back = |name: &str| prior.is_some_and(|prior| prior.wanted.contains_key(name)) && !desired.mentions(name);
    let carried = attached
        .user_set()
        .filter(|(name, _)| attached.family == observed.family && !(attached_is_ours && given_back(name)))
        .map(owned);
    let mut values: BTreeMap<String, String> = carried.collect();
    values.extend(desired.wanted.iter().map(owned));

    let previous = if attached_is_ours { recorded_previous(attached) } else { Some(attached.name.clone()) };
    let tags = tags(observed, desired, previous);
    let mut operations = Vec::new();
    match &observed.named {
        None => {
            operations.push(Operation::CreateGroup { name: target.to_owned(), family: observed.family.clone(), tags });
        }
        Some(group) => {
            refuse_foreign(observed, group)?;
            values.retain(|name, value| !group.holds(name, value));
            operations.extend(retag(group, &tags, prior));
        }
    }
    operations.extend(modifications(observed, target, values));
    operations.push(Operation::AttachGroup { cluster: observed.cluster.identifier.clone(), group: target.to_owned() });
    if attached_is_ours {
        operations.push(Operation::DeleteGroup { name: attached.name.clone() });
    }
    operations.extend(delete_left_over(observed));
    Ok(operations)
}

fn delete_left_over(observed: &Observed) -> Option<Operation> {
    observed.left_over.as_ref().map(|group| Operation::DeleteGroup { name: group.name.clone() })
}

fn modifications(observed: &Observed, group: &str, values: BTreeMap<String, String>) -> Vec<Operation> {
    let parameters: Vec<(String, String, ApplyMethod)> =
        values.into_iter().map(|(name, value)| (name.clone(), value, method(observed, &name))).collect();
    let chunks = parameters.chunks(PARAMETERS_PER_CALL);
    chunks.map(|chunk| Operation::ModifyGroup { name: group.to_owned(), parameters: chunk.to_vec() }).collect()
}

fn method(observed: &Observed, parameter: &str) -> ApplyMethod {
    observed.attached.settings.get(parameter).map_or(ApplyType::Static, |setting| setting.apply_type).into()
}

fn recorded_previous(group: &Group) -> Option<String> {
    group.tags.get(PREVIOUS_TAG).cloned()
}

/// The tags that a group of ours has.
fn tags(observed: &Observed, desired: &Desired, previous: Option<String>) -> Tags {
    let mut tags = desired.tags.clone();
    tags.insert(OWNER_TAG.to_owned(), observed.cluster.identifier.clone());
    tags.extend(previous.map(|previous| (PREVIOUS_TAG.to_owned(), previous)));
    tags
}

fn retag(group: &Group, wanted: &Tags, prior: Option<&Desired>) -> Vec<Operation> {
    let missing: Tags = wanted.iter().filter(|(key, value)| group.tags.get(*key) != Some(value)).map(owned).collect();
    let dropped: Vec<String> = prior
        .map(|prior| prior.tags.keys())
        .into_iter()
        .flatten()
        .filter(|key| group.tags.contains_key(*key) && !wanted.contains_key(*key))
        .cloned()
        .collect();
    let mut operations = Vec::new();
    if !missing.is_empty() {
        operations.push(Operation::TagGroup { name: group.name.clone(), tags: missing });
    }
    if !dropped.is_empty() {
        operations.push(Operation::UntagGroup { name: group.name.clone(), keys: dropped });
    }
    operations
}

/// The reboots that the policy allows, in the order in which they are listed: by identifier.
pub(super) fn reboots(observed: &Observed, policy: RebootPolicy, before: &[Operation]) -> Vec<Operation> {
    let all_wait = before.iter().any(Operation::needs_reboot);
    let mut waiting = observed
        .cluster
        .members
        .iter()
        .filter(|member| all_wait || member.parameter_group_status == ParameterGroupStatus::PendingReboot);
    match policy {
        RebootPolicy::Never => Vec::new(),
        RebootPolicy::Writer if waiting.any(|member| all_wait || member.writer) => {
            vec![Operation::RebootWriter { cluster: observed.cluster.identifier.clone() }]
        }
        RebootPolicy::Writer => Vec::new(),
        RebootPolicy::All => waiting.map(|member| Operation::RebootMember { instance: member.identifier.clone() }).collect(),
    }
}

/// ModifyDBCluster with ApplyImmediately would also carry out what somebody left for the maintenance window.
pub(super) fn refuse_pending_values(observed: &Observed) -> Result<(), Diagnostics> {
    let pending = &observed.cluster.pending_modified_values;
    if pending.is_empty() {
        return Ok(());
    }
    let list = pending.iter().map(|value| format!("{} = {}", value.name, value.value)).collect::<Vec<_>>().join(", ");
    Err(Diagnostic::error(
        "Other changes of the cluster are pending",
        format!(
            "Attaching a parameter group to cluster {} has to be applied immediately, and that would also apply what waits for the \
             maintenance window: {list}. Apply or revert these changes first.",
            observed.cluster.identifier
        ),
    )
    .at(AttributePath::of("cluster_identifier"))
    .into())
}

fn refuse_foreign(observed: &Observed, group: &Group) -> Result<(), Diagnostics> {
    let way_out = "Set `parameter_group.name` to another name, or delete that group if nobody needs it.";
    let path = AttributePath::of("parameter_group").attribute("name");
    if !group.belongs_to(&observed.cluster.identifier) {
        let owner = match group.tags.get(OWNER_TAG) {
            Some(cluster) => format!("it was made for cluster {cluster}"),
            None => format!("it has no tag {OWNER_TAG}"),
        };
        let detail = format!(
            "Parameter group {} exists and was not made for cluster {}: {owner}. {way_out}",
            group.name, observed.cluster.identifier
        );
        return Err(Diagnostic::error("Parameter group name is taken", detail).at(path).into());
    }
    if group.family != observed.family {
        let detail = format!(
            "Parameter group {} is of the family {}, and cluster {} needs {}. {way_out}",
            group.name, group.family, observed.cluster.identifier, observed.family
        );
        return Err(Diagnostic::error("Parameter group of another family", detail).at(path).into());
    }
    Ok(())
}

fn owned<K: Clone, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (key.clone(), value.clone())
}

#[cfg(test)]
mod tests;
