//! `clickpipes_replica_identity`: what identifies an old row of a table in the WAL.
//!
//! Manages one property of a table, which has a value before and after the resource. Does not change the table otherwise, its indexes,
//! or the publications that contain it. Needs the table's owner, or a role that may act as it.

mod check;
mod desired;
mod diff;
mod execute;
#[cfg(test)]
mod fixture;
mod identity;
mod message;
mod observe;
mod observed;
mod operation;
mod schema;
mod state;
mod statement;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use schema::{ReplicaIdentityModel, ReplicaIdentityOfTable};

use super::Prior;
use super::change::{
    self, Change, Done, Effect, Findings, InDatabase, Look, Managed, Proposal, Purpose, Remaining, Seen, Stopped, Stranger, Work,
};
use super::planned_ahead;
use super::timeouts::Limits;
use crate::failure::Failure;
use crate::names::{import_table, on_cluster};
use crate::provider::Context;
use crate::terraform::{AttributePath, Diagnostic, Diagnostics};
use desired::Desired;
use identity::TableOfDatabase;
use observed::{Observed, Remembered};
use operation::Operation;

impl Managed for ReplicaIdentityOfTable {
    const TYPE_NAME: &'static str = "clickpipes_replica_identity";
    const NOUN: &'static str = "replica identity";
    const LIMITS: Limits = Limits::each(Duration::from_secs(300));
    type Model = ReplicaIdentityModel;
    type Identity = TableOfDatabase;
    type Desired = Desired;
    type Observed = Observed;
    type Stored = Remembered;
    type Operation = Operation;

    fn decode(config: &ReplicaIdentityModel) -> Result<Option<Desired>, Diagnostics> {
        Desired::decode(config)
    }

    fn decode_state(state: &ReplicaIdentityModel, remembered: Option<&Remembered>) -> Result<Option<Desired>, Diagnostics> {
        Desired::decode_state(state, remembered.and_then(|remembered| remembered.identity.as_ref()))
    }

    fn import(id: &str) -> Result<ReplicaIdentityModel, Diagnostics> {
        let (cluster, database, table) = import_table(id)?;
        Ok(ReplicaIdentityModel::named(cluster, database.as_str(), &table.name()))
    }

    fn import_by(_: &Context, identity: &TableOfDatabase) -> Result<ReplicaIdentityModel, Failure> {
        let (cluster, database, table) = identity.named()?;
        Ok(ReplicaIdentityModel::named(cluster, database.as_str(), &table.name()))
    }

    fn identity(model: &ReplicaIdentityModel, _: Option<&TableOfDatabase>) -> TableOfDatabase {
        let (cluster_identifier, database) = (model.cluster_identifier.clone(), model.database.clone());
        TableOfDatabase { cluster_identifier, database, table: model.table.clone() }
    }

    fn object(arguments: &Desired) -> String {
        let cluster = on_cluster(arguments.cluster.as_ref());
        format!("replica identity of {} in database {}{cluster}", arguments.table, arguments.database)
    }

    fn fingerprint(desired: &Desired) -> u64 {
        change::fingerprint(&(&desired.table, &desired.identity))
    }

    fn store(observed: &Observed) -> Remembered {
        observed::remember(observed)
    }

    fn recall(prior: &Prior<ReplicaIdentityModel, Desired>, remembered: Option<&Remembered>) -> Option<Observed> {
        Some(observed::recall(prior, remembered))
    }

    fn exists(observed: &Observed) -> bool {
        observed.table.is_some()
    }

    fn diff(change: &Change<'_, Self>) -> Result<Option<Vec<Operation>>, Diagnostics> {
        Ok(Some(diff::diff(change)))
    }

    fn check(change: &Change<'_, Self>, operations: Option<&[Operation]>) -> Findings {
        check::check(change, operations)
    }

    fn remaining(operation: &Operation, seen: &Seen<'_, Self>) -> Remaining<Operation> {
        operation::remaining(operation, seen)
    }

    fn effect(operation: &Operation, _: &Change<'_, Self>) -> Effect {
        operation::effect(operation)
    }

    /// The table is there before and after, and what is planned does not depend on its present replica identity.
    fn is_taken(_: &Observed) -> bool {
        false
    }

    fn stranger(prior: &Prior<ReplicaIdentityModel, Desired>, recalled: Option<&Observed>, now: &Observed) -> Option<Stranger> {
        change::stranger::<Self>(prior, recalled, now)
    }

    fn elsewhere(arguments: &Desired, before: &Observed, now: &Observed) -> Option<Diagnostic> {
        change::elsewhere::<Self>(arguments, before, now)
    }

    fn replacements(
        own_cluster: Option<&str>,
        proposed: &ReplicaIdentityModel,
        prior: &Prior<ReplicaIdentityModel, Desired>,
        recalled: Option<&Observed>,
    ) -> Vec<AttributePath> {
        change::replacements::<Self>(own_cluster, proposed, &prior.model, recalled)
    }

    fn dial_again(context: &Context, arguments: &Desired) {
        context.dial_cluster_again(Self::cluster(arguments));
    }

    fn foresee(change: &Change<'_, Self>, _: &[Operation]) -> Option<Observed> {
        observed::foresee(change)
    }

    fn planned(change: &Change<'_, Self>, plan: Proposal<'_, Self>) -> ReplicaIdentityModel {
        state::planned(change, plan)
    }

    fn state(model: &ReplicaIdentityModel, observed: &Observed, _: bool) -> ReplicaIdentityModel {
        state::observed(model, observed)
    }

    async fn look(context: &Context, look: &Look<'_, Self>) -> Result<Option<Observed>, Failure> {
        if look.purpose == (Purpose::Plan { changed: false }) {
            return Ok(None);
        }
        let seen = change::look(context, look).await?;
        if let (Purpose::Plan { .. }, Some(desired), Some(seen)) = (look.purpose, look.desired, &seen)
            && check::identifies_rows(desired, seen)
        {
            let server = change::server::<Self>(context, desired, None).await?;
            planned_ahead::set_identity(context, &server, &desired.database, &desired.table.name());
        }
        Ok(seen)
    }

    async fn execute(context: &Context, work: &Work<'_, Self>) -> Result<Done<Self>, Stopped<Self>> {
        change::execute(context, work).await
    }
}
