//! A cluster with its relevant parameter groups, as one look saw them. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::group::{Group, default_name};
use super::next_family::{NextFamily, is_later_family};
use super::ownership::Dispute;
use super::parameters::{BABELFISH, LOGICAL_REPLICATION};
use super::remembered::Remembered;
use super::version::Version;
use crate::rds::cluster::Member;
use crate::rds::parameter_group::default_group;
use crate::rds::{Cluster, ClusterStatus, GlobalMembership, ParameterGroupStatus};

/// A cluster with its parameter groups. It may be stored in clear: it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Observed {
    pub(crate) cluster: Cluster,
    /// Its place in a global database.
    pub(crate) global: Option<GlobalMembership>,
    pub(crate) region: String,
    /// Parameter group family of the engine version.
    pub(crate) family: String,
    /// The group that is attached.
    pub(crate) attached: Group,
    /// The groups of ours that are not attached, and whatever has a name that ours are to have; sorted by name. A group that is
    /// attached to another cluster is listed only if it has such a name.
    #[serde(default)]
    pub(crate) detached: Vec<Group>,
    /// Whether another cluster has the detached one of that name: it is not deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) target_in_use: bool,
    /// The group that was attached before ours.
    pub(crate) previous: Option<Group>,
    /// The family of the major version to come, if a group of it is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next_family: Option<NextFamily>,
    /// The other clusters that the attached group is attached to, if it is neither ours nor AWS's own; `None`: they may not be listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shared_with: Option<Vec<String>>,
    /// Whether the cluster was deleted: then this is what was last seen of it. Of its groups, the detached ones still exist, and the
    /// attached one if values were set in it in place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) gone: bool,
    /// What a change that stopped half-way may have left in our group.
    #[serde(default, skip_serializing_if = "Unfinished::is_nothing")]
    pub(crate) unfinished: Unfinished,
    /// Contradictions about whose a group is. While there are any, nothing is changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) disputes: Vec<Dispute>,
    /// What was before it was changed in place.
    #[serde(default, skip_serializing_if = "Remembered::is_nothing")]
    pub(crate) remembered: Remembered,
}

/// What a change that stopped half-way may have left in our group, and the state does not mention: once it is no longer wanted, it is
/// taken away again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Unfinished {
    pub(crate) parameters: BTreeSet<String>,
    /// Keys.
    pub(crate) tags: BTreeSet<String>,
    /// What it began in place of whoever manages the parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) takeover: Option<Takeover>,
    /// Whether it was cut off before anything was recorded beside the state, and only tags say what may have been set: that is named.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unrecorded: bool,
}

/// How parameters that something else managed were about to be managed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Takeover {
    /// In a group of our own.
    OwnGroup,
    /// In the cluster's group.
    InPlace,
}

impl Unfinished {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Observed {
    pub(super) fn new(cluster: Cluster, global: Option<GlobalMembership>, region: &str, family: String, attached: Group) -> Self {
        Self {
            cluster,
            global,
            region: region.to_owned(),
            family,
            attached,
            detached: Vec::new(),
            target_in_use: false,
            previous: None,
            next_family: None,
            shared_with: None,
            gone: false,
            unfinished: Unfinished::default(),
            disputes: Vec::new(),
            remembered: Remembered::default(),
        }
    }

    /// The cluster's identifier.
    pub(crate) fn id(&self) -> &str {
        &self.cluster.identifier
    }

    /// Whether this provider created the attached group for the cluster.
    pub(crate) fn attached_is_ours(&self) -> bool {
        self.attached.is_ours(self.id())
    }

    /// What is left of it once it was deleted: these groups of ours, or the group in which values were set in place.
    pub(crate) fn remains(self, groups: Vec<Group>, changed: Option<Group>) -> Self {
        let cluster = Cluster { members: Vec::new(), status: ClusterStatus::Deleting, ..self.cluster };
        let attached = changed.unwrap_or_else(|| Group::unread("", &self.family));
        let (previous, disputes) = (None, Vec::new());
        Self { cluster, attached, detached: groups, previous, disputes, shared_with: None, gone: true, ..self }
    }

    /// The detached group with this name.
    pub(crate) fn detached(&self, name: &str) -> Option<&Group> {
        self.detached.iter().find(|group| group.name == name)
    }

    /// The groups of ours that are not attached, apart from those with these names.
    pub(crate) fn left_over<'a>(&'a self, kept: &'a [&str]) -> impl Iterator<Item = &'a Group> {
        self.detached.iter().filter(|group| !kept.contains(&group.name.as_str()) && group.is_ours(self.id()))
    }

    /// The later family for which there is a group of ours beside the attached one.
    pub(crate) fn prepared_family(&self) -> Option<&String> {
        let families = self.left_over(&[]).filter(|group| group.name == default_name(self.id(), &group.family));
        families.map(|group| &group.family).find(|family| is_later_family(family, &self.family))
    }

    /// All groups of ours, the attached one first.
    pub(crate) fn ours(&self) -> impl Iterator<Item = &Group> {
        std::iter::once(&self.attached).chain(&self.detached).filter(|group| group.is_ours(self.id()))
    }

    /// Whether the attached group turns logical replication on.
    pub(crate) fn replicates(&self) -> bool {
        self.attached.holds(LOGICAL_REPLICATION, "1")
    }

    /// The name of our group: the configured one, or one made of cluster and family.
    pub(crate) fn target_name(&self, configured: Option<&str>) -> String {
        configured.map_or_else(|| default_name(self.id(), &self.family), str::to_owned)
    }

    /// The group that was attached before ours, or AWS's own if that one no longer exists.
    pub(crate) fn previous_name(&self) -> String {
        self.previous.as_ref().map_or_else(|| default_group(&self.family), |group| group.name.clone())
    }

    /// Whether it replicates another cluster: it has no writer, and so no logical slot of its own.
    pub(crate) fn is_read_only(&self) -> bool {
        self.cluster.replication_source.is_some() || self.global.as_ref().is_some_and(|global| !global.primary)
    }

    /// The engine's version, if it has the usual form.
    pub(crate) fn version(&self) -> Option<Version> {
        Version::of(&self.cluster.engine_version)
    }

    /// Whether the readers restart together with the writer.
    pub(crate) fn readers_restart_with_writer(&self) -> bool {
        self.version().is_some_and(|version| !version.keeps_readers())
    }

    /// The global database whose primary this is, and whether the readers in its secondary regions restart together with the
    /// writer.
    pub(crate) fn secondaries(&self) -> Option<(&str, bool)> {
        let global = self.global.as_ref().filter(|global| global.primary)?;
        let restart = self.version().is_some_and(|version| !version.keeps_secondaries());
        Some((&global.global_cluster_identifier, restart))
    }

    /// Forgets the parameters of the attached group that are not wanted, and that no group sets, and the same of the family to come.
    /// Babelfish decides whether the cluster is fit.
    pub(crate) fn keep_parameters(&mut self, wanted: &BTreeSet<String>) {
        let others: Vec<&Group> = self.detached.iter().chain(&self.previous).collect();
        let (remembered, unfinished) = (&self.remembered.values, &self.unfinished.parameters);
        let is_set = |name: &str| {
            name == BABELFISH
                || others.iter().any(|group| group.user_value(name).is_some())
                || remembered.contains_key(name)
                || unfinished.contains(name)
        };
        self.attached.settings.retain(|name, setting| setting.user_set || wanted.contains(name) || is_set(name));
        if let Some(next) = &mut self.next_family {
            let set = others.iter().flat_map(|group| group.user_set().map(|(name, _)| name));
            next.keep(self.attached.settings.keys().chain(set).chain(wanted));
        }
    }

    /// The members that run without the values of the group until they are rebooted.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Member> {
        self.cluster.members.iter().filter(|member| member.parameter_group_status == ParameterGroupStatus::PendingReboot)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{group, settled, waiting};
    use super::Observed;
    use crate::rds::GlobalMembership;

    #[test]
    fn what_is_stored_keeps_its_field_names() {
        let stored = serde_json::to_value(settled()).unwrap();
        let fields: Vec<&String> = stored.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["attached", "cluster", "detached", "family", "global", "previous", "region"]);
        assert_eq!(
            stored["attached"]["settings"]["wal_sender_timeout"],
            serde_json::json!({"v": "0", "t": "Dynamic", "u": true})
        );
    }

    #[test]
    fn old_versions_restart_readers_with_the_writer_and_older_ones_those_of_other_regions() {
        let restart = |version: &str| {
            let mut observed = settled();
            observed.cluster.engine_version = version.to_owned();
            let (global_cluster_identifier, primary_arn) = ("world".to_owned(), None);
            observed.global = Some(GlobalMembership { global_cluster_identifier, primary: true, primary_arn });
            (observed.readers_restart_with_writer(), observed.secondaries().map(|(_, restart)| restart))
        };
        assert_eq!(restart("15.1"), (true, Some(true)));
        assert_eq!(restart("15.3"), (false, Some(true)));
        assert_eq!(restart("15.4"), (false, Some(false)));
        assert_eq!(settled().secondaries(), None);
    }

    #[test]
    fn of_the_parameters_those_are_kept_that_are_wanted_or_set_anywhere() {
        let mut observed = Observed { previous: Some(group("shop-custom", &[("work_mem", "64")])), ..settled() };
        observed.keep_parameters(&["max_wal_senders".to_owned()].into());
        let kept: Vec<&String> = observed.attached.settings.keys().collect();
        assert_eq!(kept, ["max_wal_senders", "rds.logical_replication", "wal_sender_timeout", "work_mem"]);
    }

    #[test]
    fn members_wait_whoever_is_the_writer() {
        let observed = waiting(settled(), &["shop-a"]);
        assert_eq!(observed.waiting().map(|member| member.identifier.as_str()).collect::<Vec<_>>(), ["shop-a"]);
        assert_eq!(settled().waiting().count(), 0);
    }
}
