//! Reads a cluster and its relevant parameter groups from RDS.

use std::collections::{BTreeMap, BTreeSet};

use super::group::{Group, OWNER_TAG, Setting, default_name};
use super::next_family::NextFamily;
use super::observed::Observed;
use super::owner::Owner;
use super::ownership::{Claims, DESCRIPTION, judge};
use super::parameter_value::Kind;
use super::parameters::ENGINE;
use crate::aws::{Cause, Error};
use crate::rds::attachment::{attached_elsewhere, is_attached};
use crate::rds::parameter_group::{Tags, Which, default_group, is_default_group};
use crate::rds::{Parameter, Reader};

/// Where to look for groups, apart from the one that is attached and those whose tags say that they are ours.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// The name that ours is to have; `None`: the one made of cluster and family.
    pub(crate) wanted: Option<String>,
    /// The same before a change.
    pub(crate) before: Option<String>,
    /// The family of which another group of ours is wanted, for the major version to come.
    pub(crate) next_family: Option<String>,
    /// Whether such a group, if there is one, says which family that is: an import does not know.
    pub(crate) finds_next_family: bool,
    /// Those that groups of ours have or had.
    pub(crate) known: BTreeSet<String>,
}

/// Observes a cluster; `None` if there is none. `claims` say which groups are ours apart from their tags.
///
/// # Errors
/// Any failed call.
pub(crate) async fn observe(
    reader: &Reader,
    cluster_identifier: &str,
    names: &Names,
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
    let target = observed.target_name(names.wanted.as_deref());
    let (owner, dispute) = judge(&observed.attached, cluster_identifier, &target, true, claims);
    observed.attached.owner = owner;
    observed.disputes.extend(dispute);
    let mut next_family = names.next_family.as_ref().filter(|next| **next != observed.family).cloned();
    let next = next_family.as_ref().map(|family| default_name(cluster_identifier, family));
    let is_reserved = |name: &String| *name == target || next.as_ref() == Some(name);
    let mut candidates = names.known.clone();
    candidates.extend([target.clone(), observed.target_name(names.before.as_deref())]);
    candidates.extend(next.clone());
    candidates.retain(|name| *name != observed.attached.name && !is_default_group(name));
    let mut all_known = candidates.clone();
    all_known.insert(observed.attached.name.clone());
    candidates.extend(left_behind(reader, cluster_identifier, &all_known).await?);
    for name in candidates {
        let Some(group) = find_group(reader, &name, Which::UserSet).await? else { continue };
        let (owner, dispute) = judge(&group, cluster_identifier, &target, false, claims);
        let group = Group { owner, ..group };
        // Of other groups only those that are ours are touched, so a contradiction about them does no harm.
        observed.disputes.extend(dispute.filter(|_| is_reserved(&name)));
        if is_reserved(&name) || group.is_ours(cluster_identifier) {
            observed.detached.push(group);
        }
    }
    let is_theirs = !observed.attached_is_ours() && !is_default_group(&observed.attached.name);
    if is_theirs || observed.detached.iter().any(|group| group.is_ours(cluster_identifier)) {
        let attachments = reader.list_attachments().await?;
        let elsewhere = |group: &str| {
            let attachments = attachments.as_deref()?;
            Some(attached_elsewhere(attachments, group, cluster_identifier).map(str::to_owned).collect::<Vec<_>>())
        };
        // Of use to another cluster, such as a copy of this one.
        let is_in_use = |group: &str| elsewhere(group).is_some_and(|others| !others.is_empty());
        observed.detached.retain(|group| is_reserved(&group.name) || !is_in_use(&group.name));
        observed.target_in_use = observed.detached(&target).is_some() && is_in_use(&target);
        observed.shared_with = elsewhere(&observed.attached.name).filter(|_| is_theirs);
    }
    observed.previous = find_previous(reader, &observed, &target).await?;
    if names.finds_next_family {
        next_family = observed.prepared_family().cloned();
    }
    if let Some(family) = next_family {
        observed.next_family = Some(find_next_family(reader, &family).await?);
    }
    Ok(Some(observed))
}

/// What groups of a family can set, whether or not there is one.
///
/// # Errors
/// Any failed call.
pub(crate) async fn find_next_family(reader: &Reader, family: &str) -> Result<NextFamily, Error> {
    let catalogue = reader.describe_engine_defaults(family).await?.map(settings);
    Ok(NextFamily::new(family, catalogue))
}

/// The groups that this provider created for the cluster, apart from those known, and that no cluster has: what changes that stopped
/// half-way have left, and sources that were removed from a state.
///
/// # Errors
/// Any failed call.
pub(crate) async fn left_behind(
    reader: &Reader,
    cluster_identifier: &str,
    known: &BTreeSet<String>,
) -> Result<Vec<String>, Error> {
    let Some(all) = reader.list_parameter_groups().await? else {
        tracing::debug!(cluster = cluster_identifier, "not allowed to list parameter groups: only known names are looked at");
        return Ok(Vec::new());
    };
    // Most are those of other sources, in use: the tags of the rest are all that is read.
    let is_unknown = |name: &String| !known.contains(name) && !reader.is_seen_attached(name);
    let unknown: Vec<_> = all.iter().filter(|group| group.description == DESCRIPTION && is_unknown(&group.name)).collect();
    if unknown.is_empty() {
        return Ok(Vec::new());
    }
    let attachments = reader.list_attachments().await?;
    let is_used = |name: &str| attachments.as_deref().is_some_and(|all| is_attached(all, name));
    let mut found = Vec::new();
    for group in unknown.into_iter().filter(|group| !is_used(&group.name)) {
        match reader.list_tags(&group.arn).await {
            Ok(tags) if tags.get(OWNER_TAG).is_some_and(|owner| owner == cluster_identifier) => found.push(group.name.clone()),
            Ok(_) => {}
            // Deleted in the meantime, or nothing that this caller may see.
            Err(error) if matches!(error.cause(), Cause::NotFound | Cause::AccessDenied) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

async fn find_previous(reader: &Reader, observed: &Observed, target: &str) -> Result<Option<Group>, Error> {
    let named = observed.detached(target).filter(|group| group.is_ours(observed.id()));
    let ours = Some(&observed.attached).filter(|_| observed.attached_is_ours()).or(named).or(observed.ours().next());
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
