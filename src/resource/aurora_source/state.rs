//! A source's state: as planned, and as observed. Pure.

use super::desired::{Desired, Mode};
use super::diff::looks_again;
use super::observed::{Observed, basis};
use super::operation::Operation;
use super::schema::{AuroraSource, MemberState, ParameterGroupSettings, ParameterValues, Source};
use crate::cluster::{self, GUIDE_PARAMETERS, Owner, PREVIOUS_TAG, TAG_PREFIX, default_name};
use crate::rds::cluster::Member;
use crate::rds::parameter_group::Tags;
use crate::rds::{Cluster, ClusterStatus, ParameterGroupStatus};
use crate::resource::change::{Change, Proposal};
use crate::terraform::Attr;

/// Value of `source_type`.
pub(crate) const SOURCE_TYPE: &str = "aurorapostgres";

/// The planned state: in an update, what no operation changes stays as it is.
pub(super) fn planned(change: &Change<'_, Source>, plan: Proposal<'_, Source>) -> AuroraSource {
    let Proposal { model, prior, operations, .. } = plan;
    let Some(prior) = prior else {
        let next = match (change.after, basis(change)) {
            (Some(desired), Some(found)) => next_group(desired, &found, &Attr::Unknown),
            (Some(Desired { next_family: None, .. }), None) => Attr::Null,
            _ => Attr::Unknown,
        };
        return AuroraSource {
            id: model.cluster_identifier.clone(),
            source_type: SOURCE_TYPE.into(),
            next_parameter_group_name: next,
            ..model
        };
    };
    let (Some(operations), Some(found), Some(desired)) = (operations, basis(change), change.after) else { return model };
    let found = found.as_ref();
    if found.gone {
        // Its resource id tells clusters apart, so another one takes its place.
        return AuroraSource { cluster_resource_id: Attr::Unknown, ..model };
    }
    // Others of the same run may change what this update looks at.
    let looks_again = looks_again(change.before, desired);
    let changes_mode = change.before.is_some_and(|before| before.mode != desired.mode);
    let previous = match (desired.mode, changes_mode) {
        (Mode::InPlace | Mode::External, _) => Attr::Null,
        (Mode::Dedicated, true) => Attr::Unknown,
        (Mode::Dedicated, false) => prior.previous_parameter_group_name.clone(),
    };
    let altered = operations.iter().map(|operation| alters(operation, found)).fold(Altered::default(), Altered::and);
    let attached = kept(&prior.parameter_group_name, !altered.attachment && !looks_again);
    AuroraSource {
        members: kept(&prior.members, !altered.members && !looks_again),
        next_parameter_group_name: next_group(desired, found, &attached),
        parameter_group_name: attached,
        previous_parameter_group_name: kept(&previous, !altered.previous || desired.mode != Mode::Dedicated),
        ready: if altered.members || altered.values || looks_again { Attr::Unknown } else { ready(found, desired).into() },
        reboot_required: kept(&prior.reboot_required, !altered.members && !looks_again),
        writer_instance_id: kept(&prior.writer_instance_id, !altered.writer && !looks_again),
        ..model
    }
}

/// The name of the group for the next major version; the attached one, if the cluster has that by now.
fn next_group(desired: &Desired, found: &cluster::Observed, attached: &Attr<String>) -> Attr<String> {
    match (desired.next_group(found), &desired.next_family) {
        (Some(next), _) => next.into(),
        (None, Some(_)) => attached.clone(),
        (None, None) => Attr::Null,
    }
}

/// What an operation can alter of the computed attributes.
#[derive(Clone, Copy, Debug, Default)]
struct Altered {
    /// Which group is attached.
    attachment: bool,
    /// What was attached before it, which the owner's tags hold.
    previous: bool,
    /// Which values are in effect.
    values: bool,
    /// Whether members wait for a reboot.
    members: bool,
    /// Who the writer is.
    writer: bool,
}

impl Altered {
    fn and(self, other: Self) -> Self {
        Self {
            attachment: self.attachment || other.attachment,
            previous: self.previous || other.previous,
            values: self.values || other.values,
            members: self.members || other.members,
            writer: self.writer || other.writer,
        }
    }
}

fn alters(operation: &Operation, found: &cluster::Observed) -> Altered {
    let none = Altered::default();
    match operation {
        Operation::AttachGroup { .. } => Altered { attachment: true, previous: true, values: true, members: true, ..none },
        Operation::ModifyGroup { name, .. } | Operation::ResetGroup { name, .. } => {
            let attached = &found.attached.name;
            Altered { values: name == attached, members: operation.needs_reboot(attached), ..none }
        }
        Operation::RebootWriter { .. } | Operation::RebootWriterIfWaiting { .. } | Operation::RebootOthers { .. } => {
            Altered { values: true, members: true, writer: true, ..none }
        }
        Operation::TagGroup { name, tags } => {
            Altered { previous: *name == found.attached.name && tags.contains_key(PREVIOUS_TAG), ..none }
        }
        Operation::SetIamAuthentication { .. } => Altered { values: true, ..none },
        Operation::CreateGroup { .. } | Operation::UntagGroup { .. } | Operation::DeleteGroup { .. } => none,
    }
}

fn kept<T: Clone>(prior: &Attr<T>, stays: bool) -> Attr<T> {
    if stays { prior.clone() } else { Attr::Unknown }
}

/// The members of a cluster.
pub(crate) fn members(cluster: &Cluster) -> Vec<MemberState> {
    let member = |member: &Member| MemberState {
        identifier: member.identifier.clone().into(),
        parameter_group_status: member.parameter_group_status.to_string().into(),
        writer: member.writer.into(),
    };
    cluster.members.iter().map(member).collect()
}

/// The state of a source: what was observed, with the arguments of `model`; after an import with those found.
pub(super) fn observed(model: &AuroraSource, Observed { found, .. }: &Observed, importing: bool) -> AuroraSource {
    let model = if importing { imported(model, found) } else { model.clone() };
    let cluster = &found.cluster;
    let attached = &found.attached;
    // While tags and state contradict each other, what the state records is kept.
    let is_recorded = found.attached_is_ours() || matches!(attached.owner, Owner::Disputed { .. });
    let is_dedicated = matches!(model.mode().known().map(String::as_str), None | Some("dedicated"));
    let previous = attached.recorded_previous().filter(|_| is_recorded && is_dedicated);
    let attached_name: Attr<String> = Some(&attached.name).filter(|_| !found.gone).cloned().into();
    let next = model.next_family().known().map(|family| match *family == found.family {
        true => attached_name.clone(),
        false => default_name(found.id(), family).into(),
    });
    AuroraSource {
        id: cluster.identifier.clone().into(),
        arn: cluster.arn.clone().into(),
        cluster_resource_id: cluster.resource_id.clone().into(),
        engine_version: cluster.engine_version.clone().into(),
        parameter_group_family: found.family.clone().into(),
        host: cluster.endpoint.clone().into(),
        tls_host: cluster.endpoint.clone().into(),
        port: cluster.port.map(i64::from).into(),
        region: found.region.clone().into(),
        source_type: SOURCE_TYPE.into(),
        next_parameter_group_name: next.unwrap_or(Attr::Null),
        parameter_group_name: attached_name,
        previous_parameter_group_name: previous.cloned().into(),
        members: members(cluster).into(),
        writer_instance_id: cluster.writer().map(|writer| writer.identifier.clone()).into(),
        reboot_required: found.waiting().next().is_some().into(),
        ..model
    }
}

/// Whether every wanted value is in effect on the writer.
pub(super) fn ready(found: &cluster::Observed, desired: &Desired) -> bool {
    found.cluster.status == ClusterStatus::Available
        && desired.wanted.iter().all(|(name, value)| found.attached.holds(name, value))
        && desired.iam_authentication.is_none_or(|on| found.cluster.iam_authentication == on)
        && found.cluster.writer().is_some_and(|writer| writer.parameter_group_status == ParameterGroupStatus::InSync)
}

/// The arguments that describe what exists, so that a configuration with the same ones plans nothing.
fn imported(model: &AuroraSource, found: &cluster::Observed) -> AuroraSource {
    let attached = &found.attached;
    let differing = GUIDE_PARAMETERS.into_iter().filter(|(name, value)| !attached.holds(name, value));
    let mut parameters = ParameterValues::default();
    parameters.0.extend(differing.map(|(name, _)| (name.to_owned(), attached.value(name).map(str::to_owned))));
    let mut model = model.clone();
    if found.attached_is_ours() {
        let carried =
            |name: &str, value: &str| found.previous.as_ref().is_some_and(|previous| previous.user_value(name) == Some(value));
        let own = attached
            .user_set()
            .filter(|(name, value)| !carried(name, value) && !GUIDE_PARAMETERS.contains(&(name.as_str(), value.as_str())));
        parameters.0.extend(own.map(|(name, value)| (name.clone(), Some(value.clone()))));
        let mut tags: Tags = attached.tags.clone();
        tags.retain(|key, _| !key.starts_with(TAG_PREFIX));
        model.tags = if tags.is_empty() { Attr::Null } else { tags.into() };
        if attached.name != default_name(found.id(), &found.family) {
            model.parameter_group = ParameterGroupSettings { name: attached.name.clone().into(), ..Default::default() }.into();
        }
    }
    if let (Some(family), Attr::Null) = (found.prepared_family(), &model.parameter_group) {
        model.parameter_group = ParameterGroupSettings { next_family: family.clone().into(), ..Default::default() }.into();
    }
    model.parameters = if parameters.0.is_empty() { Attr::Null } else { parameters.into() };
    model
}

#[cfg(test)]
mod tests;
