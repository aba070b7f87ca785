//! What the resource's computed attributes say of an observation. Pure.

use super::diff::{PREVIOUS_TAG, TAG_PREFIX, diff};
use super::model::{Desired, GUIDE_PARAMETERS};
use super::observe::{Observed, default_name};
use super::request::lines;
use super::schema::{AuroraSource, MemberState, ParameterGroupSettings, ParameterValues};
use crate::rds::{ClusterStatus, ParameterGroupStatus};
use crate::terraform::Attr;

/// Value of `source_type`.
pub(super) const SOURCE_TYPE: &str = "aurorapostgres";

/// Fills in every computed attribute except `drift` and `operations`.
pub(super) fn fill(model: &mut AuroraSource, observed: &Observed) {
    let cluster = &observed.cluster;
    let writer = cluster.writer();
    model.id = Attr::Known(cluster.identifier.clone());
    model.arn = Attr::Known(cluster.arn.clone());
    model.cluster_resource_id = Attr::Known(cluster.resource_id.clone());
    model.engine_version = Attr::Known(cluster.engine_version.clone());
    model.parameter_group_family = Attr::Known(observed.family.clone());
    model.host = Attr::from(cluster.endpoint.clone());
    model.tls_host = Attr::from(cluster.endpoint.clone());
    model.port = Attr::from(cluster.port.map(i64::from));
    model.region = Attr::Known(observed.region.clone());
    model.source_type = Attr::from(SOURCE_TYPE);
    model.parameter_group_name = Attr::Known(observed.attached.name.clone());
    let ours = observed.attached.belongs_to(&cluster.identifier);
    model.previous_parameter_group_name = Attr::from(observed.attached.tags.get(PREVIOUS_TAG).filter(|_| ours).cloned());
    let members = cluster.members.iter().map(|member| MemberState {
        identifier: Attr::Known(member.identifier.clone()),
        parameter_group_status: Attr::Known(member.parameter_group_status.to_string()),
        writer: Attr::Known(member.writer),
    });
    model.members = Attr::Known(members.collect());
    model.writer_instance_id = Attr::from(writer.map(|writer| writer.identifier.clone()));
    model.reboot_required = Attr::Known(reboot_required(observed));
    model.ready = Attr::Known(Desired::decode(model).is_some_and(|desired| ready(observed, &desired)));
}

/// Whether a member waits for a reboot.
pub(super) fn reboot_required(observed: &Observed) -> bool {
    observed.cluster.members.iter().any(|member| member.parameter_group_status == ParameterGroupStatus::PendingReboot)
}

/// Whether every wanted value is in effect on the writer.
pub(super) fn ready(observed: &Observed, desired: &Desired) -> bool {
    observed.cluster.status == ClusterStatus::Available
        && desired.wanted.iter().all(|(name, value)| observed.attached.holds(name, value))
        && observed.cluster.writer().is_some_and(|writer| writer.parameter_group_status == ParameterGroupStatus::InSync)
}

/// The operations that mend what somebody else changed; none where the cluster would be refused.
pub(super) fn drift(observed: &Observed, model: &AuroraSource) -> Vec<String> {
    let Some(desired) = Desired::decode(model) else { return Vec::new() };
    diff(observed, &desired, Some(&desired)).map(|difference| lines(&difference.operations)).unwrap_or_default()
}

/// Sets the arguments of an imported resource to what is there, so that a configuration that says the same plans nothing.
pub(super) fn state_arguments(model: &mut AuroraSource, observed: &Observed) {
    let attached = &observed.attached;
    let ours = attached.belongs_to(&observed.cluster.identifier);
    let mut parameters = ParameterValues::default();
    for (name, value) in GUIDE_PARAMETERS {
        if !attached.holds(name, value) {
            parameters.0.insert(name.to_owned(), attached.value(name).map(str::to_owned));
        }
    }
    if ours {
        let carried = |name: &str, value: &str| {
            observed.previous.as_ref().is_some_and(|previous| {
                previous.user_set().any(|(carried_name, carried_value)| carried_name == name && carried_value == value)
            })
        };
        for (name, value) in attached.user_set() {
            if !carried(name, value) && !GUIDE_PARAMETERS.contains(&(name, value)) {
                parameters.0.insert(name.clone(), Some(value.clone()));
            }
        }
        let tags: std::collections::BTreeMap<String, String> = attached
            .tags
            .iter()
            .filter(|(key, _)| !key.starts_with(TAG_PREFIX))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        model.tags = if tags.is_empty() { Attr::Null } else { Attr::Known(tags) };
        if attached.name != default_name(&observed.cluster.identifier, &observed.family) {
            model.parameter_group = Attr::Known(ParameterGroupSettings { name: Attr::Known(attached.name.clone()) });
        }
    }
    model.parameters = if parameters.0.is_empty() { Attr::Null } else { Attr::Known(parameters) };
}
