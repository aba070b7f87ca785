//! Reads a cluster and its relevant parameter groups from RDS.

use std::collections::BTreeMap;

use super::group::{Group, Setting};
use super::observed::Observed;
use super::owner::Owner;
use super::ownership::{Claims, judge};
use super::parameter_value::Kind;
use super::parameters::ENGINE;
use crate::aws::{Cause, Error};
use crate::rds::parameter_group::{Tags, Which, default_group, is_default_group};
use crate::rds::{Parameter, Reader};

/// Observes a cluster; `None` if there is none. `earlier` are names that groups of ours had before, and `claims` say which groups
/// are ours apart from their tags.
///
/// # Errors
/// Any failed call.
pub(crate) async fn observe(
    reader: &Reader,
    cluster_identifier: &str,
    configured_name: Option<&str>,
    earlier: &[&str],
    claims: &Claims,
) -> Result<Option<Observed>, Error> {
    let Some((cluster, global)) = reader.find_cluster_and_membership(cluster_identifier).await? else { return Ok(None) };
    let global = match global {
        Ok(global) => global,
        // An optional permission: without it, a secondary cluster is recognised only by its missing writer.
        Err(error) if error.cause() == Cause::AccessDenied => {
            tracing::debug!(cluster = cluster.identifier, "not allowed to describe global clusters");
            None
        }
        Err(error) => return Err(error),
    };
    if cluster.engine != ENGINE {
        // Refused in any case, so its parameter groups do not matter.
        let attached = Group::unread(&cluster.parameter_group, "");
        return Ok(Some(Observed::new(cluster, global, reader.region(), String::new(), attached)));
    }
    let family = reader.find_parameter_group_family(&cluster.engine, &cluster.engine_version).await?;
    let attached = find_group(reader, &cluster.parameter_group, Which::All).await?;
    let attached = attached.unwrap_or_else(|| Group::unread(&cluster.parameter_group, &family));
    let mut observed = Observed::new(cluster, global, reader.region(), family, attached);
    let target = observed.target_name(configured_name);
    let mut disputes = Vec::new();
    let mut judged = |group: Group, attached: bool| {
        let (owner, dispute) = judge(&group, cluster_identifier, &target, attached, claims);
        disputes.extend(dispute);
        Group { owner, ..group }
    };
    observed.attached = judged(observed.attached, true);
    if observed.attached.name != target {
        observed.named = find_group(reader, &target, Which::UserSet).await?.map(|group| judged(group, false));
    }
    observed.disputes = disputes;
    for name in earlier {
        if *name != target && *name != observed.attached.name && !is_default_group(name) && observed.left_over.is_none() {
            let group = find_group(reader, name, Which::UserSet).await?;
            let judged = group.map(|group| Group { owner: judge(&group, cluster_identifier, &target, false, claims).0, ..group });
            // Only a group of ours is touched, so a contradiction does no harm.
            observed.left_over = judged.filter(|group| group.is_ours(cluster_identifier));
        }
    }
    observed.previous = find_previous(reader, &observed).await?;
    Ok(Some(observed))
}

async fn find_previous(reader: &Reader, observed: &Observed) -> Result<Option<Group>, Error> {
    let ours = [Some(&observed.attached), observed.named.as_ref(), observed.left_over.as_ref()]
        .into_iter()
        .flatten()
        .find(|group| group.is_ours(observed.id()));
    let Some(ours) = ours else { return Ok(None) };
    let recorded = match ours.recorded_previous() {
        Some(name) => find_group(reader, name, Which::UserSet).await?.filter(|group| group.family == observed.family),
        None => None,
    };
    match recorded {
        Some(group) => Ok(Some(group)),
        // Deleted in the meantime, or of the family before an upgrade: AWS's own group is used instead.
        None => find_group(reader, &default_group(&observed.family), Which::UserSet).await,
    }
}

/// Finds a group with its tags and parameters; the whole catalogue is needed only for the attached one.
///
/// # Errors
/// Any failed call; a group that does not exist is `None`.
pub(crate) async fn find_group(reader: &Reader, name: &str, which: Which) -> Result<Option<Group>, Error> {
    let Some(group) = reader.find_parameter_group(name).await? else { return Ok(None) };
    let tags = if is_default_group(name) { Tags::new() } else { reader.list_tags(&group.arn).await? };
    let parameters = match reader.describe_parameters(&group, which).await {
        Ok(parameters) => parameters,
        Err(error) if error.cause() == Cause::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let settings = settings(parameters);
    let (name, family, description) = (group.name, group.family, group.description);
    Ok(Some(Group { name, family, description, tags, owner: Owner::Unjudged, settings }))
}

/// What can be set in groups of a family, with AWS's own values; `None` if it cannot be known.
///
/// # Errors
/// Any failed call.
pub(crate) async fn find_catalogue(reader: &Reader, family: &str) -> Result<Option<BTreeMap<String, Setting>>, Error> {
    Ok(reader.describe_defaults(family).await?.map(settings))
}

fn settings(parameters: Vec<Parameter>) -> BTreeMap<String, Setting> {
    parameters.into_iter().filter(|parameter| parameter.modifiable).map(setting).collect()
}

fn setting(parameter: Parameter) -> (String, Setting) {
    let setting = Setting {
        value: parameter.value,
        apply_type: parameter.apply_type,
        user_set: parameter.user_set,
        kind: Kind::of(parameter.data_type.as_deref(), parameter.allowed_values.as_deref()),
        whole: parameter.data_type.as_deref() == Some("integer"),
        allowed_values: parameter.allowed_values,
    };
    (parameter.name, setting)
}
