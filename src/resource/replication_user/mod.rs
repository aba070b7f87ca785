//! `clickpipes_replication_user`: a login role that ClickPipes replicates as.
//!
//! It manages the role itself, its password, what lets it replicate (membership in `rds_replication`, or REPLICATION), CONNECT on
//! one database, and SELECT on schemas and tables with the default privileges for tables to come. It keeps all privileges,
//! memberships and settings that others gave the role.
//!
//! The provider's role needs CREATEROLE, ADMIN OPTION on `rds_replication`, and for each owner of tables one of: being it, a
//! membership that inherits, or one that may SET ROLE. It never makes itself a member of another role.

mod acting;
mod authentication;
mod check;
mod desired;
mod destroy;
mod diff;
mod execute;
#[cfg(test)]
mod fixture;
mod lacking;
mod message;
mod observe;
mod observed;
mod obstacle;
mod operation;
mod remaining;
mod schema;
mod standing;
mod state;
mod statement;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use schema::ReplicationUser;

use super::Prior;
use super::change::{
    self, Change, Done, Effect, Findings, InDatabase, Look, Managed, Proposal, Remaining, Seen, Stopped, Stranger, Work,
    fingerprint,
};
use super::identity::DatabaseObject;
use super::timeouts::Limits;
use crate::failure::Failure;
use crate::names::{import_parts, on_cluster};
use crate::postgres::{Moved, scram};
use crate::provider::Context;
use crate::secret::Secret;
use crate::terraform::{AttributePath, Diagnostic, Diagnostics};
use desired::Desired;
use observed::Observed;
use operation::Operation;
use schema::ReplicationUserModel;

impl Managed for ReplicationUser {
    const TYPE_NAME: &'static str = "clickpipes_replication_user";
    const NOUN: &'static str = "role";
    const LIMITS: Limits = Limits::each(Duration::from_secs(600));
    type Model = ReplicationUserModel;
    type Identity = DatabaseObject;
    type Desired = Desired;
    type Observed = Observed;
    type Stored = Observed;
    type Operation = Operation;

    fn decode(config: &ReplicationUserModel) -> Result<Option<Desired>, Diagnostics> {
        Desired::decode(config)
    }

    fn decode_state(state: &ReplicationUserModel, stored: Option<&Observed>) -> Result<Option<Desired>, Diagnostics> {
        let seen = stored.and_then(|stored| stored.role.as_ref()).map(|role| role.oid);
        change::same_oid(state.catalogue_oid(), seen)?;
        Desired::decode(state)
    }

    fn validate(config: &ReplicationUserModel) -> Diagnostics {
        desired::validate(config)
    }

    fn import(id: &str) -> Result<ReplicationUserModel, Diagnostics> {
        let (cluster, database, name) = import_parts(id)?;
        Ok(ReplicationUserModel::named(cluster, database.as_str(), name.as_str()))
    }

    fn import_by(_: &Context, identity: &DatabaseObject) -> Result<ReplicationUserModel, Failure> {
        let (cluster, database, name) = identity.named()?;
        Ok(ReplicationUserModel::named(cluster, database.as_str(), name.as_str()))
    }

    fn identity(model: &ReplicationUserModel, _: Option<&DatabaseObject>) -> DatabaseObject {
        let (cluster_identifier, database) = (model.cluster_identifier.clone(), model.database.clone());
        DatabaseObject { cluster_identifier, database, name: model.name.clone() }
    }

    fn secret(config: &ReplicationUserModel) -> Option<Secret> {
        config.password_wo.known().map(scram::verifier)
    }

    fn object(arguments: &Desired) -> String {
        format!("role {}{}", arguments.name, on_cluster(arguments.cluster.as_ref()))
    }

    fn object_and_place(arguments: &Desired) -> String {
        let cluster = on_cluster(arguments.cluster.as_ref());
        format!("role {} (looked for in database {}{cluster})", arguments.name, arguments.database)
    }

    fn fingerprint(desired: &Desired) -> u64 {
        fingerprint(desired)
    }

    fn store(observed: &Observed) -> Observed {
        observed.clone()
    }

    fn recall(_: &Prior<ReplicationUserModel, Desired>, stored: Option<&Observed>) -> Option<Observed> {
        stored.cloned()
    }

    fn exists(observed: &Observed) -> bool {
        observed.role.is_some()
    }

    fn diff(change: &Change<'_, Self>) -> Result<Option<Vec<Operation>>, Diagnostics> {
        Ok(diff::diff(change))
    }

    fn check(change: &Change<'_, Self>, operations: Option<&[Operation]>) -> Findings {
        check::check(change, operations)
    }

    fn remaining(operation: &Operation, seen: &Seen<'_, Self>) -> Remaining<Operation> {
        remaining::remaining(operation, seen)
    }

    fn effect(operation: &Operation, change: &Change<'_, Self>) -> Effect {
        operation::effect(operation, change)
    }

    fn stranger(prior: &Prior<ReplicationUserModel, Desired>, recalled: Option<&Observed>, now: &Observed) -> Option<Stranger> {
        change::stranger::<Self>(prior, recalled, now)
    }

    fn elsewhere(arguments: &Desired, before: &Observed, now: &Observed) -> Option<Diagnostic> {
        change::elsewhere::<Self>(arguments, before, now)
    }

    fn replacements(
        own_cluster: Option<&str>,
        proposed: &ReplicationUserModel,
        prior: &Prior<ReplicationUserModel, Desired>,
        recalled: Option<&Observed>,
    ) -> Vec<AttributePath> {
        change::replacements::<Self>(own_cluster, proposed, &prior.model, recalled)
    }

    fn dial_again(context: &Context, arguments: &Desired) {
        context.dial_cluster_again(Self::cluster(arguments));
    }

    fn is_same_place(before: &Observed, now: &Observed) -> bool {
        let moved = before.site.as_ref().zip(now.site.as_ref()).and_then(|(before, now)| now.moved_from(before));
        moved != Some(Moved::Server)
    }

    fn vacated(now: &Observed) -> Option<Observed> {
        // A role belongs to the whole server, so it is the one that moves.
        Some(Observed { role: None, ..now.clone() })
    }

    fn foresee(change: &Change<'_, Self>, operations: &[Operation]) -> Option<Observed> {
        diff::foresee(change, operations)
    }

    fn planned(change: &Change<'_, Self>, plan: Proposal<'_, Self>) -> ReplicationUserModel {
        state::planned(change, plan)
    }

    fn state(model: &ReplicationUserModel, observed: &Observed, importing: bool) -> ReplicationUserModel {
        state::observed(model, observed, importing)
    }

    async fn look(context: &Context, look: &Look<'_, Self>) -> Result<Option<Observed>, Failure> {
        execute::look(context, look).await
    }

    async fn execute(context: &Context, work: &Work<'_, Self>) -> Result<Done<Self>, Stopped<Self>> {
        execute::execute(context, work).await
    }
}
