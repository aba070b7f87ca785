//! Reads clusters and parameter groups, and shares with others what may be shared.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

use super::attachment::Attachment;
use super::client::Client;
use super::cluster::Cluster;
use super::gather::Gather;
use super::global::{GlobalCluster, GlobalMembership, membership};
use super::instance::Instance;
use super::memory::{Lasting, Parameters, Seen};
use super::parameter_group::{Parameter, ParameterGroup, Tags, Which, default_group, is_default_group};
use crate::aws::{Cause, Error};

/// Reads for one look.
pub struct Reader {
    client: Client,
    gather: Arc<Gather<Client>>,
    lasting: Arc<Lasting>,
    /// What other looks have seen; `None`: everything that can change is asked anew.
    seen: Option<Arc<Seen>>,
}

type Found<T> = Result<Option<T>, Error>;

impl Reader {
    pub(super) fn new(client: Client, gather: Arc<Gather<Client>>, lasting: Arc<Lasting>, seen: Option<Arc<Seen>>) -> Self {
        Self { client, gather, lasting, seen }
    }

    /// Whether both use what the other has seen.
    #[cfg(test)]
    pub(super) fn shares_with(&self, other: &Self) -> bool {
        self.seen.as_ref().zip(other.seen.as_ref()).is_some_and(|(ours, theirs)| Arc::ptr_eq(ours, theirs))
    }

    /// The region in use.
    pub fn region(&self) -> &str {
        self.client.region()
    }

    /// Finds a cluster by its identifier. One that was seen while it had no endpoint yet is looked at again.
    ///
    /// # Errors
    /// Any failed call; a cluster that does not exist is `None`.
    pub async fn find_cluster(&self, identifier: &str) -> Found<Cluster> {
        let is_early =
            |seen: &&Arc<Seen>| seen.clusters.answer(&identifier.to_owned()).is_some_and(|cluster| cluster.endpoint.is_none());
        let Some(seen) = self.seen.as_ref().filter(|seen| !is_early(seen)) else {
            return self.client.find_cluster(identifier).await;
        };
        let call = || {
            let (gather, identifier) = (Arc::clone(&self.gather), identifier.to_owned());
            async move { gather.find_now(&identifier).await }.boxed()
        };
        seen.clusters.ask(&identifier.to_owned(), call).await
    }

    /// Finds a cluster, and its place in a global database; the latter may fail on its own.
    ///
    /// # Errors
    /// Any failed call for the cluster; a cluster that does not exist is `None`.
    pub async fn find_cluster_and_membership(
        &self,
        identifier: &str,
    ) -> Found<(Cluster, Result<Option<GlobalMembership>, Error>)> {
        let Some(seen) = &self.seen else {
            let Some(cluster) = self.client.find_cluster(identifier).await? else { return Ok(None) };
            let place = self.client.list_global_clusters().await.map(|globals| membership(&globals, &cluster.arn));
            return Ok(Some((cluster, place)));
        };
        let call = || {
            let (gather, identifier) = (Arc::clone(&self.gather), identifier.to_owned());
            async move { gather.find(&identifier).await }.boxed()
        };
        let identifier = identifier.to_owned();
        let cluster = async {
            match seen.clusters.ask(&identifier, call).await {
                Ok(Some(cluster)) => Ok(cluster),
                ended => Err(ended.map(|_| None)),
            }
        };
        // While the call for the global databases is under way, those arrive who ask at the same time.
        match tokio::try_join!(cluster, async { Ok(self.globals(seen).await) }) {
            Ok((cluster, globals)) => {
                let place = globals.map(|globals| membership(&globals, &cluster.arn));
                Ok(Some((cluster, place)))
            }
            Err(ended) => ended,
        }
    }

    async fn globals(&self, seen: &Seen) -> Result<Arc<[GlobalCluster]>, Error> {
        let call = || {
            let client = self.client.clone();
            async move {
                match client.list_global_clusters().await {
                    Ok(globals) => Ok(Some(Ok(globals.into()))),
                    // A policy does not change during a refresh.
                    Err(error) if error.cause() == Cause::AccessDenied => Ok(Some(Err(error))),
                    Err(error) => Err(error),
                }
            }
            .boxed()
        };
        seen.globals.ask(&(), call).await?.unwrap_or_else(|| Ok(Arc::default()))
    }

    /// Finds an instance by its identifier.
    ///
    /// # Errors
    /// Any failed call; an instance that does not exist is `None`.
    pub async fn find_instance(&self, identifier: &str) -> Found<Instance> {
        self.client.find_instance(identifier).await
    }

    /// Reads the parameters of a family with AWS's own values. `None`: there is no such family, or this caller may not read them.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn describe_defaults(&self, family: &str) -> Found<Vec<Parameter>> {
        Ok(self.defaults(family).await?.map(|defaults| defaults.to_vec()))
    }

    /// Reads what groups of a family can set, whether or not the account has one yet; `None`: there is no such family.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn describe_engine_defaults(&self, family: &str) -> Found<Vec<Parameter>> {
        let call = || {
            let (client, family) = (self.client.clone(), family.to_owned());
            async move { Ok(Some(client.describe_engine_defaults(&family).await?.map(Parameters::from))) }.boxed()
        };
        let found = self.lasting.engine_defaults.ask(&family.to_owned(), call).await?;
        Ok(found.flatten().map(|parameters| parameters.to_vec()))
    }

    /// Finds the parameter group family of an engine version.
    ///
    /// # Errors
    /// Any failed call, and an engine version that RDS does not list.
    pub async fn find_parameter_group_family(&self, engine: &str, engine_version: &str) -> Result<String, Error> {
        let question = (engine.to_owned(), engine_version.to_owned());
        let call = || {
            let (client, (engine, version)) = (self.client.clone(), question.clone());
            async move { client.find_parameter_group_family(&engine, &version).await.map(Some) }.boxed()
        };
        Ok(self.lasting.families.ask(&question, call).await?.unwrap_or_default())
    }

    /// Finds a parameter group by its name.
    ///
    /// # Errors
    /// Any failed call; a group that does not exist is `None`.
    pub async fn find_parameter_group(&self, name: &str) -> Found<ParameterGroup> {
        let call = || {
            let (client, name) = (self.client.clone(), name.to_owned());
            async move { client.find_parameter_group(&name).await }.boxed()
        };
        match &self.seen {
            _ if is_default_group(name) => self.lasting.groups.ask(&name.to_owned(), call).await,
            Some(seen) => seen.groups.ask(&name.to_owned(), call).await,
            None => self.client.find_parameter_group(name).await,
        }
    }

    /// Lists the parameter groups of the region; `None` if this caller may only read those that its policy names.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn list_parameter_groups(&self) -> Found<Arc<[ParameterGroup]>> {
        let call = || {
            let client = self.client.clone();
            async move { if_allowed(client.list_parameter_groups().await) }.boxed()
        };
        match &self.seen {
            Some(seen) => Ok(seen.all_groups.ask(&(), call).await?.flatten()),
            None => Ok(call().await?.flatten()),
        }
    }

    /// Lists which cluster of the region has which parameter group; `None` if this caller may only read clusters that its policy
    /// names.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn list_attachments(&self) -> Found<Arc<[Attachment]>> {
        let call = || {
            let client = self.client.clone();
            async move { if_allowed(client.list_attachments().await) }.boxed()
        };
        match &self.seen {
            Some(seen) => Ok(seen.attachments.ask(&(), call).await?.flatten()),
            None => Ok(call().await?.flatten()),
        }
    }

    /// Whether another look of this run has seen a cluster that the group is attached to.
    pub fn is_seen_attached(&self, parameter_group: &str) -> bool {
        let clusters = self.seen.as_ref().map(|seen| seen.clusters.answers()).unwrap_or_default();
        clusters.iter().any(|cluster| cluster.parameter_group == parameter_group)
    }

    /// Reads the tags of an ARN, without those set by AWS.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn list_tags(&self, arn: &str) -> Result<Tags, Error> {
        let Some(seen) = &self.seen else { return self.client.list_tags(arn).await };
        let call = || {
            let (client, arn) = (self.client.clone(), arn.to_owned());
            async move { client.list_tags(&arn).await.map(Some) }.boxed()
        };
        Ok(seen.tags.ask(&arn.to_owned(), call).await?.unwrap_or_default())
    }

    /// Reads the parameters of a group.
    ///
    /// # Errors
    /// Any failed call; a group that does not exist is [`Cause::NotFound`].
    pub async fn describe_parameters(&self, group: &ParameterGroup, which: Which) -> Result<Vec<Parameter>, Error> {
        let is_default = is_default_group(&group.name);
        if is_default && which == Which::UserSet {
            // Nobody can set anything in a group that belongs to AWS.
            return Ok(Vec::new());
        }
        // A whole group takes many pages, and most of it is the same in all groups of a family. For a look that changes nothing, the
        // second group is put together from AWS's own one and from what was set.
        let shares = || is_default || (self.seen.is_some() && self.shares_defaults(&group.family));
        let defaults = if which == Which::All && shares() { self.defaults(&group.family).await? } else { None };
        match defaults {
            Some(defaults) if is_default => Ok(defaults.to_vec()),
            Some(defaults) => Ok(overlaid(&defaults, &self.parameters(&group.name, Which::UserSet).await?)),
            None => Ok(self.parameters(&group.name, which).await?.to_vec()),
        }
    }

    /// Whether the defaults of the family are known, or worth a call because this is not the first whole group of it.
    fn shares_defaults(&self, family: &str) -> bool {
        self.lasting.defaults.answer(&default_group(family)).is_some() || !self.lasting.is_first_of(family)
    }

    async fn parameters(&self, group: &str, which: Which) -> Result<Parameters, Error> {
        let question = (group.to_owned(), which);
        let call = || parameters(self.client.clone(), group.to_owned(), which);
        match &self.seen {
            Some(seen) => Ok(seen.parameters.ask(&question, call).await?.unwrap_or_default()),
            None => Ok(call().await?.unwrap_or_default()),
        }
    }

    /// The parameters of AWS's own group of a family. `None`: there is no such group yet, or this caller may not read it.
    async fn defaults(&self, family: &str) -> Found<Parameters> {
        let name = default_group(family);
        let call = || {
            let asked = parameters(self.client.clone(), name.clone(), Which::All);
            async move {
                match asked.await {
                    Err(error) if matches!(error.cause(), Cause::NotFound | Cause::AccessDenied) => Ok(Some(None)),
                    answered => answered.map(Some),
                }
            }
            .boxed()
        };
        Ok(self.lasting.defaults.ask(&name, call).await?.flatten())
    }
}

/// A list that a policy may refuse: what it holds is then found by name, as far as names are known.
fn if_allowed<T>(listed: Result<Vec<T>, Error>) -> Found<Option<Arc<[T]>>> {
    match listed {
        Ok(listed) => Ok(Some(Some(listed.into()))),
        // A policy does not change during a refresh.
        Err(error) if error.cause() == Cause::AccessDenied => Ok(Some(None)),
        Err(error) => Err(error),
    }
}

fn parameters(client: Client, group: String, which: Which) -> BoxFuture<'static, Found<Parameters>> {
    async move { client.describe_parameters(&group, which).await.map(|found| Some(found.into())) }.boxed()
}

/// The parameters of a group: the defaults of its family, and what was set.
fn overlaid(defaults: &[Parameter], set: &[Parameter]) -> Vec<Parameter> {
    let is_set = |name: &str| set.iter().any(|parameter| parameter.name == name);
    let rest = defaults.iter().filter(|parameter| !is_set(&parameter.name));
    rest.chain(set).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rds::ApplyType;

    fn parameter(name: &str, value: &str, user_set: bool) -> Parameter {
        Parameter {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            apply_type: ApplyType::Static,
            user_set,
            allowed_values: None,
            modifiable: true,
            data_type: None,
        }
    }

    #[test]
    fn what_was_set_takes_the_place_of_the_default() {
        let defaults = [parameter("a", "1", false), parameter("b", "2", false)];
        let set = [parameter("b", "3", true), parameter("c", "4", true)];
        let whole = overlaid(&defaults, &set);
        let shown: Vec<(&str, &str, bool)> = whole
            .iter()
            .map(|parameter| (parameter.name.as_str(), parameter.value.as_deref().unwrap_or_default(), parameter.user_set))
            .collect();
        assert_eq!(shown, [("a", "1", false), ("b", "3", true), ("c", "4", true)]);
    }
}
