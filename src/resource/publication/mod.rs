//! `clickpipes_publication`: what ClickPipes replicates.
//!
//! Manages the publication: its name, its scope and its parameters. Does not change the tables, their replica identities and the
//! replication slots. Needs CREATE on the database and ownership of each listed table; publishing all tables or whole schemas
//! needs `rds_superuser` (a superuser on plain PostgreSQL).

mod check;
mod desired;
mod diff;
mod execute;
mod exposure;
mod filter;
#[cfg(test)]
mod fixture;
mod lacking;
mod left_out;
mod listing;
mod message;
mod observe;
mod observed;
mod operation;
mod remembered;
mod restriction;
mod schema;
mod state;
mod statement;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use observe::{objections, publications};
pub(crate) use schema::{Publication, PublicationModel, TableOptions};

use super::Prior;
use super::change::{
    self, Change, Done, Effect, Findings, InDatabase, Look, Managed, Proposal, Purpose, Remaining, Seen, Stopped, Stranger, Work,
};
use super::identity::DatabaseObject;
use super::planned_ahead;
use super::timeouts::Limits;
use crate::failure::Failure;
use crate::names::{import_parts, on_cluster};
use crate::provider::Context;
use crate::terraform::{AttributePath, Diagnostic, Diagnostics};
use desired::Desired;
use observed::Observed;
use operation::Operation;
use remembered::Remembered;

impl Managed for Publication {
    const TYPE_NAME: &'static str = "clickpipes_publication";
    const NOUN: &'static str = "publication";
    const LIMITS: Limits = Limits::each(Duration::from_secs(300));
    type Model = PublicationModel;
    type Identity = DatabaseObject;
    type Desired = Desired;
    type Observed = Observed;
    type Stored = Remembered;
    type Operation = Operation;

    fn decode(config: &PublicationModel) -> Result<Option<Desired>, Diagnostics> {
        Desired::decode(config)
    }

    fn decode_state(state: &PublicationModel, remembered: Option<&Remembered>) -> Result<Option<Desired>, Diagnostics> {
        change::same_oid(state.catalogue_oid(), remembered.and_then(|remembered| remembered.oid))?;
        Desired::decode_state(state, remembered)
    }

    fn import(id: &str) -> Result<PublicationModel, Diagnostics> {
        let (cluster, database, name) = import_parts(id)?;
        Ok(PublicationModel::named(cluster, database.as_str(), name.as_str()))
    }

    fn import_by(_: &Context, identity: &DatabaseObject) -> Result<PublicationModel, Failure> {
        let (cluster, database, name) = identity.named()?;
        Ok(PublicationModel::named(cluster, database.as_str(), name.as_str()))
    }

    fn identity(model: &PublicationModel, _: Option<&DatabaseObject>) -> DatabaseObject {
        let (cluster_identifier, database) = (model.cluster_identifier.clone(), model.database.clone());
        DatabaseObject { cluster_identifier, database, name: model.name.clone() }
    }

    fn object(arguments: &Desired) -> String {
        let cluster = on_cluster(arguments.cluster.as_ref());
        format!("publication {} of database {}{cluster}", arguments.name, arguments.database)
    }

    fn fingerprint(desired: &Desired) -> u64 {
        desired.fingerprint()
    }

    fn store(observed: &Observed) -> Remembered {
        observed::remember(observed)
    }

    fn recall(prior: &Prior<PublicationModel, Desired>, remembered: Option<&Remembered>) -> Option<Observed> {
        observed::recall(prior, remembered)
    }

    fn exists(observed: &Observed) -> bool {
        observed.publication.is_some()
    }

    fn diff(change: &Change<'_, Self>) -> Result<Option<Vec<Operation>>, Diagnostics> {
        Ok(diff::diff(change))
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

    fn stranger(prior: &Prior<PublicationModel, Desired>, recalled: Option<&Observed>, now: &Observed) -> Option<Stranger> {
        change::stranger::<Self>(prior, recalled, now)
    }

    fn elsewhere(arguments: &Desired, before: &Observed, now: &Observed) -> Option<Diagnostic> {
        change::elsewhere::<Self>(arguments, before, now)
    }

    fn replacements(
        own_cluster: Option<&str>,
        proposed: &PublicationModel,
        prior: &Prior<PublicationModel, Desired>,
        recalled: Option<&Observed>,
    ) -> Vec<AttributePath> {
        change::replacements::<Self>(own_cluster, proposed, &prior.model, recalled)
    }

    fn dial_again(context: &Context, arguments: &Desired) {
        context.dial_cluster_again(Self::cluster(arguments));
    }

    fn completed(desired: &Desired, of_state: &Desired) -> Desired {
        desired.completed(of_state)
    }

    fn foresee(change: &Change<'_, Self>, _: &[Operation]) -> Option<Observed> {
        change.after.map(observed::foresee)
    }

    fn planned(change: &Change<'_, Self>, plan: Proposal<'_, Self>) -> PublicationModel {
        state::planned(change, plan)
    }

    fn state(model: &PublicationModel, observed: &Observed, _: bool) -> PublicationModel {
        state::observed(model, observed)
    }

    async fn look(context: &Context, look: &Look<'_, Self>) -> Result<Option<Observed>, Failure> {
        if look.purpose == (Purpose::Plan { changed: false }) {
            return Ok(None);
        }
        let mut seen = change::look(context, look).await?;
        let met = seen.as_mut().and_then(|seen| seen.met.as_mut());
        if let (Purpose::Plan { .. }, Some(desired), Some(met)) = (look.purpose, look.desired, met) {
            let server = context.postgres(Self::cluster(desired)).await?;
            let is_first = |table: &&String| planned_ahead::sets_identity(context, &server, &desired.database, table);
            met.identified_first = met.without_identity.keys().filter(is_first).cloned().collect();
        }
        Ok(seen)
    }

    async fn execute(context: &Context, work: &Work<'_, Self>) -> Result<Done<Self>, Stopped<Self>> {
        change::execute(context, work).await
    }
}
