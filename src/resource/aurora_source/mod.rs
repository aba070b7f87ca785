//! `clickpipes_aurora_source`: the cluster parameters that logical replication needs, in a DB cluster parameter group created for
//! the cluster (mode dedicated), in the cluster's own (in_place), or in one that something else manages (external).
//!
//! Manages that group, its attachment, the reboots that the configuration allows, and IAM database authentication if that is
//! configured. Does not change anything else of the cluster, its instances and their own parameter groups, and every parameter that is
//! not wanted here (the settings of the previous group are carried over).
//!
//! A group is ours if its tags and the state say so ([`cluster::judge`]). The tags hold the cluster and the group attached before, so
//! a create that stops half-way leaves no state and loses nothing: the next one finds the group and plans only what is missing.
//!
//! Needs rds:DescribeDBClusters, DescribeDBInstances, DescribeDBEngineVersions, DescribeDBClusterParameterGroups,
//! DescribeDBClusterParameters and ListTagsForResource to read, DescribeEngineDefaultClusterParameters for the parameters of the next
//! major version, DescribeGlobalClusters to recognise a secondary cluster; to change,
//! CreateDBClusterParameterGroup, ModifyDBClusterParameterGroup, ResetDBClusterParameterGroup, DeleteDBClusterParameterGroup,
//! AddTagsToResource, RemoveTagsFromResource, ModifyDBCluster (cluster and group) and RebootDBInstance.

mod check;
mod claims;
mod desired;
mod diff;
mod effect;
mod execute;
#[cfg(test)]
mod fixture;
mod foresee;
mod identity;
mod message;
mod observe;
mod observed;
mod operation;
mod remember;
mod run;
mod schema;
mod state;
mod takeover;
mod unfinished;

use std::time::Duration;

pub(crate) use schema::{MemberState, Source};
pub(crate) use state::{SOURCE_TYPE, members};

use super::Prior;
use super::change::{self, Change, Done, Effect, Findings, Look, Managed, Proposal, Remaining, Seen, Stopped, Unplanned, Work};
use super::timeouts::Limits;
use crate::cluster::{self, LONGEST_CLUSTER, invalid_identifier};
use crate::failure::Failure;
use crate::provider::Context;
use crate::terraform::{Diagnostic, Diagnostics};
use desired::Desired;
use identity::SourceIdentity;
use observed::Observed;
use operation::Operation;
use schema::AuroraSource;

/// A reboot of a busy writer takes minutes, and members restart one after the other.
const CHANGE_LIMIT: Duration = Duration::from_secs(60 * 60);
const READ_LIMIT: Duration = Duration::from_secs(5 * 60);

impl Managed for Source {
    const TYPE_NAME: &'static str = "clickpipes_aurora_source";
    const NOUN: &'static str = "cluster";
    /// After the last wait, everything is read once more.
    const GRACE: Duration = Duration::from_secs(60);
    const LIMITS: Limits = Limits { read: READ_LIMIT, ..Limits::each(CHANGE_LIMIT) };
    /// Each change of a cluster may be an outage: none runs without review.
    const UNPLANNED: Unplanned = Unplanned::Refused;
    type Model = AuroraSource;
    type Identity = SourceIdentity;
    type Desired = Desired;
    type Observed = Observed;
    type Stored = cluster::Observed;
    type Operation = Operation;

    fn decode(config: &AuroraSource) -> Result<Option<Desired>, Diagnostics> {
        Desired::decode(config)
    }

    fn decode_state(state: &AuroraSource, _: Option<&cluster::Observed>) -> Result<Option<Desired>, Diagnostics> {
        Desired::decode(state)
    }

    fn validate(config: &AuroraSource) -> Diagnostics {
        desired::validate(config)
    }

    fn import(id: &str) -> Result<AuroraSource, Diagnostics> {
        if let Some(fault) = invalid_identifier(id, LONGEST_CLUSTER) {
            let detail = format!("The import id is the cluster identifier, but {id:?} is not valid: {fault}.");
            return Err(Diagnostic::error("Invalid import id", detail).into());
        }
        Ok(AuroraSource::named(id))
    }

    fn import_by(_: &Context, identity: &SourceIdentity) -> Result<AuroraSource, Failure> {
        Ok(identity.named()?)
    }

    fn identity(model: &AuroraSource, _: Option<&SourceIdentity>) -> SourceIdentity {
        SourceIdentity::of(model)
    }

    fn object(arguments: &Desired) -> String {
        format!("cluster {}", arguments.cluster_identifier)
    }

    fn fingerprint(desired: &Desired) -> u64 {
        change::fingerprint(desired)
    }

    fn store(observed: &Observed) -> cluster::Observed {
        observed.found.clone()
    }

    fn recall(prior: &Prior<AuroraSource, Desired>, stored: Option<&cluster::Observed>) -> Option<Observed> {
        claims::of_this_cluster(&prior.model, stored).cloned().map(Observed::from)
    }

    /// A cluster that is gone is not observed at all.
    fn exists(_: &Observed) -> bool {
        true
    }

    fn diff(change: &Change<'_, Self>) -> Result<Option<Vec<Operation>>, Diagnostics> {
        diff::diff(change)
    }

    fn check(change: &Change<'_, Self>, operations: Option<&[Operation]>) -> Findings {
        check::check(change, operations)
    }

    fn remaining(operation: &Operation, seen: &Seen<'_, Self>) -> Remaining<Operation> {
        operation::remaining(operation, seen)
    }

    fn effect(operation: &Operation, change: &Change<'_, Self>) -> Effect {
        effect::effect(operation, change)
    }

    /// The cluster does not belong to this resource; a group created for it does.
    fn is_taken(now: &Observed) -> bool {
        now.found.ours().next().is_some() || !now.found.remembered.is_nothing()
    }

    fn foresee(change: &Change<'_, Self>, operations: &[Operation]) -> Option<Observed> {
        foresee::foresee(change, operations)
    }

    fn may_wait(operation: &Operation) -> bool {
        operation.is_reboot()
    }

    fn planned(change: &Change<'_, Self>, plan: Proposal<'_, Self>) -> AuroraSource {
        state::planned(change, plan)
    }

    fn state(model: &AuroraSource, observed: &Observed, importing: bool) -> AuroraSource {
        state::observed(model, observed, importing)
    }

    fn conclude(model: &mut AuroraSource, arguments: &Desired, observed: &Observed) {
        model.ready = state::ready(&observed.found, arguments).into();
    }

    async fn look(context: &Context, look: &Look<'_, Self>) -> Result<Option<Observed>, Failure> {
        observe::look(context, look).await
    }

    async fn execute(context: &Context, work: &Work<'_, Self>) -> Result<Done<Self>, Stopped<Self>> {
        execute::execute(context, work).await
    }
}
