//! What RDS says about a cluster and the parameter groups that matter to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::diff::{OWNER_TAG, PREVIOUS_TAG};
use super::model::ENGINE;
use crate::aws::{Cause, Error};
use crate::rds::parameter_group::{Tags, Which, default_group, is_default_group};
use crate::rds::{ApplyType, Client, Cluster, GlobalMembership, Parameter};

/// A cluster with its parameter groups. It is stored beside the state, and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Observed {
    pub(super) cluster: Cluster,
    /// Its place in a global database.
    pub(super) global: Option<GlobalMembership>,
    pub(super) region: String,
    /// Parameter group family of the engine version.
    pub(super) family: String,
    /// The group that is attached.
    pub(super) attached: Group,
    /// The group of the name that ours has or would have, when it exists and is not the one attached.
    pub(super) named: Option<Group>,
    /// A group of ours from before, neither attached nor of the name that ours would have now.
    pub(super) left_over: Option<Group>,
    /// The group that our group says was attached before it.
    pub(super) previous: Option<Group>,
}

/// A parameter group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(super) name: String,
    pub(super) family: String,
    /// Its tags; not asked for where the group is AWS's own.
    pub(super) tags: Tags,
    /// The parameters that can be modified.
    pub(super) settings: BTreeMap<String, Setting>,
}

/// A parameter of a group. Its fields have short names where it is stored: there are some hundreds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setting {
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    #[serde(rename = "t")]
    pub(super) apply_type: ApplyType,
    #[serde(rename = "u", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) user_set: bool,
    /// AWS's notation of the values allowed; known right after an observation only.
    #[serde(skip)]
    pub(super) allowed_values: Option<String>,
}

impl Group {
    /// A group of which only the name is known.
    fn unread(name: &str, family: &str) -> Self {
        Self { name: name.to_owned(), family: family.to_owned(), tags: Tags::new(), settings: BTreeMap::new() }
    }

    /// Whether it was made by this resource for the cluster.
    pub(super) fn belongs_to(&self, cluster_identifier: &str) -> bool {
        self.tags.get(OWNER_TAG).is_some_and(|owner| owner == cluster_identifier)
    }

    /// Whether the parameter has the value.
    pub(super) fn holds(&self, parameter: &str, value: &str) -> bool {
        self.value(parameter) == Some(value)
    }

    /// The value of the parameter, where there is one.
    pub(super) fn value(&self, parameter: &str) -> Option<&str> {
        self.settings.get(parameter)?.value.as_deref()
    }

    /// The values that somebody set.
    pub(super) fn user_set(&self) -> impl Iterator<Item = (&String, &String)> {
        self.settings
            .iter()
            .filter(|(_, setting)| setting.user_set)
            .filter_map(|(name, setting)| Some((name, setting.value.as_ref()?)))
    }
}

impl Observed {
    fn new(cluster: Cluster, global: Option<GlobalMembership>, region: &str, family: String, attached: Group) -> Self {
        Self { cluster, global, region: region.to_owned(), family, attached, named: None, left_over: None, previous: None }
    }

    /// The name that a group of ours has: the configured one, or one made of cluster and family.
    pub(super) fn target_name(&self, configured: Option<&str>) -> String {
        configured.map_or_else(|| default_name(&self.cluster.identifier, &self.family), str::to_owned)
    }
}

/// Name of the parameter group when the configuration has none.
pub(super) fn default_name(cluster_identifier: &str, family: &str) -> String {
    format!("clickpipes-{cluster_identifier}-{}", family.replace('.', "-"))
}

/// Observes a cluster; `None` if there is none. `earlier` are names that groups of ours had before.
pub(super) async fn observe(
    client: &Client,
    cluster_identifier: &str,
    configured_name: Option<&str>,
    earlier: &[&str],
) -> Result<Option<Observed>, Error> {
    let Some(cluster) = client.find_cluster(cluster_identifier).await? else { return Ok(None) };
    let global = match client.find_global_membership(&cluster.arn).await {
        Ok(global) => global,
        // An optional permission: without it a secondary cluster is known by its lack of a writer only.
        Err(error) if error.cause() == Cause::AccessDenied => {
            tracing::debug!(cluster = cluster.identifier, "not allowed to describe global clusters");
            None
        }
        Err(error) => return Err(error),
    };
    if cluster.engine != ENGINE {
        // Refused whatever else it is, and its parameter groups are of no concern.
        let attached = Group::unread(&cluster.parameter_group, "");
        return Ok(Some(Observed::new(cluster, global, client.region(), String::new(), attached)));
    }
    let family = client.find_parameter_group_family(&cluster.engine, &cluster.engine_version).await?;
    let attached = find_group(client, &cluster.parameter_group, Which::All).await?;
    let attached = attached.unwrap_or_else(|| Group::unread(&cluster.parameter_group, &family));
    let mut observed = Observed::new(cluster, global, client.region(), family, attached);
    let target = observed.target_name(configured_name);
    if observed.attached.name != target {
        observed.named = find_group(client, &target, Which::UserSet).await?;
    }
    for name in earlier {
        if *name != target && *name != observed.attached.name && !is_default_group(name) && observed.left_over.is_none() {
            observed.left_over =
                find_group(client, name, Which::UserSet).await?.filter(|group| group.belongs_to(&observed.cluster.identifier));
        }
    }
    observed.previous = find_previous(client, &observed).await?;
    Ok(Some(observed))
}

async fn find_previous(client: &Client, observed: &Observed) -> Result<Option<Group>, Error> {
    let ours = [Some(&observed.attached), observed.named.as_ref(), observed.left_over.as_ref()]
        .into_iter()
        .flatten()
        .find(|group| group.belongs_to(&observed.cluster.identifier));
    let Some(ours) = ours else { return Ok(None) };
    let recorded = match ours.tags.get(PREVIOUS_TAG) {
        Some(name) => find_group(client, name, Which::UserSet).await?.filter(|group| group.family == observed.family),
        None => None,
    };
    match recorded {
        Some(group) => Ok(Some(group)),
        // Deleted meanwhile, or of the family before an upgrade: what is left is AWS's own group.
        None => find_group(client, &default_group(&observed.family), Which::UserSet).await,
    }
}

/// Finds a group with its tags and parameters; the whole catalogue is needed of the attached one only.
pub(super) async fn find_group(client: &Client, name: &str, which: Which) -> Result<Option<Group>, Error> {
    let Some(group) = client.find_parameter_group(name).await? else { return Ok(None) };
    let tags = if is_default_group(name) { Tags::new() } else { client.list_tags(&group.arn).await? };
    let parameters = match client.describe_parameters(name, which).await {
        Ok(parameters) => parameters,
        Err(error) if error.cause() == Cause::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let settings = parameters.into_iter().filter(|parameter| parameter.modifiable).map(setting).collect();
    Ok(Some(Group { name: group.name, family: group.family, tags, settings }))
}

fn setting(parameter: Parameter) -> (String, Setting) {
    let setting = Setting {
        value: parameter.value,
        apply_type: parameter.apply_type,
        user_set: parameter.user_set,
        allowed_values: parameter.allowed_values,
    };
    (parameter.name, setting)
}
