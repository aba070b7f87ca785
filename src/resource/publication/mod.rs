//! `clickpipes_publication`: what ClickPipes replicates.
//!
//! Manages the publication: its name, its scope and its parameters. Leaves alone the tables, their replica identities and the replication
//! slots. Needs CREATE on the database and ownership of each listed table; publishing all tables or whole schemas needs `rds_superuser`
//! (a superuser on plain PostgreSQL).

mod apply;
mod catalogue;
mod check;
mod diff;
mod model;
mod observe;
mod plan;
mod private;
mod schema;
mod state;
mod statement;

use super::{ApplyRequest, Existing, Plan, PlanRequest, Resource, Saved, Timeouts};
use crate::failure::Failure;
use crate::postgres::parse_import_id;
use crate::provider::Context;
use crate::terraform::{Diagnostic, Diagnostics};
use catalogue::Lookup;
use model::Desired;
use private::Private;
use schema::PublicationModel;

/// The resource.
#[derive(Clone, Debug)]
pub(crate) struct Publication;

impl Resource for Publication {
    const TYPE_NAME: &'static str = "clickpipes_publication";
    type Model = PublicationModel;
    type Private = Private;
    type Lookup = Lookup;

    fn validate(config: &PublicationModel) -> Diagnostics {
        let mut faults = Timeouts::validate(&config.timeouts);
        faults.absorb(Desired::decode(config));
        faults
    }

    async fn look_up(context: &Context, request: &PlanRequest<'_, Self>) -> Result<Option<Lookup>, Failure> {
        observe::for_plan(context, request).await
    }

    fn plan(request: &PlanRequest<'_, Self>, lookup: Option<&Lookup>) -> Plan<Self> {
        plan::plan(request, lookup)
    }

    async fn plan_destroy(context: &Context, prior: &Existing<Self>) -> Result<Diagnostics, Failure> {
        let slots = observe::active_slots(context, &prior.model.database.known_or(String::new())).await?;
        Ok(plan::destroy(prior, &slots))
    }

    async fn read(context: &Context, prior: Existing<Self>) -> Result<Option<Existing<Self>>, Failure> {
        observe::read(context, prior).await
    }

    async fn apply(context: &Context, request: &ApplyRequest<'_, Self>, saved: &Saved<Self>) -> Result<Diagnostics, Failure> {
        apply::apply(context, request, saved).await
    }

    async fn destroy(context: &Context, prior: &Existing<Self>, _: &Saved<Self>) -> Result<Diagnostics, Failure> {
        apply::destroy(context, prior).await
    }

    fn is_import(existing: &Existing<Self>) -> bool {
        existing.model.oid.is_null()
    }

    fn import(id: &str) -> Result<Existing<Self>, Diagnostics> {
        let (database, name) = parse_import_id(id).map_err(|error| {
            let mut diagnostic = Diagnostic::from_error("Invalid import id", &error);
            diagnostic.detail.push('.');
            diagnostic
        })?;
        let model = PublicationModel {
            id: id.into(),
            database: database.as_str().into(),
            name: name.as_str().into(),
            ..PublicationModel::default()
        };
        Ok(Existing { model, private: Private::default() })
    }
}
