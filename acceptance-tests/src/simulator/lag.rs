//! Read-after-write lag: some reads do not see a change yet.

use std::collections::BTreeMap;

use super::request::Request;
use super::secret::Secret;
use super::state::{Cluster, ParameterGroup, State};

/// An object that a call changes and later calls read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    Cluster(String),
    Group(String),
    /// By its ARN.
    Secret(String),
}

/// An object as it was: `None` if it did not exist.
#[derive(Debug, Clone)]
enum Before {
    Cluster(Option<Box<Cluster>>),
    Group(Option<ParameterGroup>),
    Secret(Option<Secret>),
}

/// Objects whose past is still shown.
#[derive(Debug, Default)]
pub(crate) struct Past {
    objects: BTreeMap<Object, (Before, u32)>,
}

/// The object that a call of a changing action changes.
pub(crate) fn changed_object(state: &State, request: &Request) -> Option<Object> {
    let group_action = request.action.contains("ClusterParameterGroup");
    if group_action && let Some(name) = request.get("DBClusterParameterGroupName") {
        return Some(Object::Group(name.to_lowercase()));
    }
    if let Some(arn) = request.get("ResourceName") {
        let group = state.groups.values().find(|group| group.arn == arn);
        let cluster = state.clusters.values().find(|cluster| cluster.arn == arn);
        return group
            .map(|group| Object::Group(group.name.clone()))
            .or_else(|| cluster.map(|cluster| Object::Cluster(cluster.identifier.clone())));
    }
    if let Some(cluster) = request.get("DBClusterIdentifier") {
        let known = state.cluster(&request.region, cluster).map(|cluster| cluster.identifier.clone());
        return Some(Object::Cluster(known.unwrap_or_else(|_| cluster.to_lowercase())));
    }
    let cluster = state.cluster_of_instance(&request.region, request.get("DBInstanceIdentifier")?).ok()?;
    Some(Object::Cluster(cluster.identifier.clone()))
}

/// The clusters that the group of a call is attached to.
pub(crate) fn clusters_of_group(state: &State, request: &Request) -> Vec<Object> {
    let group = request.get("DBClusterParameterGroupName").map(str::to_lowercase);
    let clusters = state.clusters.values().filter(|cluster| Some(&cluster.parameter_group) == group.as_ref());
    clusters.map(|cluster| Object::Cluster(cluster.identifier.clone())).collect()
}

impl Past {
    /// Makes the next `reads` reads of the object see its current state.
    pub(crate) fn keep(&mut self, object: Object, before: &State, reads: u32) {
        let seen = match &object {
            Object::Cluster(name) => Before::Cluster(before.clusters.get(name).cloned().map(Box::new)),
            Object::Group(name) => Before::Group(before.groups.get(name).cloned()),
            Object::Secret(arn) => Before::Secret(before.secrets.get(arn).cloned()),
        };
        // If reads already see an earlier state, they keep seeing it.
        let entry = self.objects.entry(object).or_insert((seen, 0));
        entry.1 += reads;
    }

    /// The state as this read sees it; `None`: the current state.
    pub(crate) fn seen_by(&mut self, request: &Request, state: &State) -> Option<State> {
        self.objects.retain(|_, (_, reads)| *reads > 0);
        if self.objects.is_empty() {
            return None;
        }
        let mut seen = state.clone();
        for (object, (before, reads)) in &mut self.objects {
            if !is_read_by(object, request, state) {
                continue;
            }
            *reads -= 1;
            match (object, before) {
                (Object::Cluster(name), Before::Cluster(before)) => {
                    put(&mut seen.clusters, name, before.as_deref().cloned());
                }
                (Object::Group(name), Before::Group(before)) => put(&mut seen.groups, name, before.clone()),
                (Object::Secret(arn), Before::Secret(before)) => put(&mut seen.secrets, arn, before.clone()),
                _ => {}
            }
        }
        Some(seen)
    }

    /// Makes all reads see the current state.
    pub(crate) fn forget(&mut self) {
        self.objects.clear();
    }
}

fn put<T>(map: &mut BTreeMap<String, T>, name: &str, value: Option<T>) {
    match value {
        Some(value) => map.insert(name.to_owned(), value),
        None => map.remove(name),
    };
}

fn is_read_by(object: &Object, request: &Request, state: &State) -> bool {
    let about = |parameter: &str, name: &str| request.get(parameter).is_none_or(|asked| asked.to_lowercase() == name);
    match (object, request.action.as_str()) {
        (Object::Cluster(name), "DescribeDBClusters") => {
            let arn = state.clusters.get(name).map(|cluster| cluster.arn.as_str());
            about("DBClusterIdentifier", name) || request.get("DBClusterIdentifier") == arn
        }
        (Object::Cluster(name), "DescribeDBInstances") => request.get("DBInstanceIdentifier").is_none_or(|instance| {
            state.clusters.get(name).is_some_and(|cluster| cluster.members.iter().any(|member| member.identifier == instance))
        }),
        (Object::Group(name), "DescribeDBClusterParameterGroups" | "DescribeDBClusterParameters") => {
            about("DBClusterParameterGroupName", name)
        }
        (Object::Secret(arn), "GetSecretValue") => request.get("SecretId").is_some_and(|id| match state.secrets.get(arn) {
            Some(secret) => secret.is_named(id),
            None => id == arn,
        }),
        (object, "ListTagsForResource") => {
            let arn = match object {
                Object::Cluster(name) => state.clusters.get(name).map(|cluster| &cluster.arn),
                Object::Group(name) => state.groups.get(name).map(|group| &group.arn),
                Object::Secret(_) => None,
            };
            arn.is_some_and(|arn| request.get("ResourceName") == Some(arn))
        }
        _ => false,
    }
}
