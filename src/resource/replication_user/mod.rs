//! `clickpipes_replication_user`: a login role that ClickPipes replicates as.
//!
//! It manages the role itself, its password, what lets it replicate (membership in `rds_replication`, or REPLICATION), CONNECT on one
//! database, and SELECT on schemas and tables with the default privileges for tables to come. It leaves alone whatever privileges,
//! memberships and settings others gave the role.
//!
//! The provider's role needs CREATEROLE, ADMIN OPTION on `rds_replication`, and for each owner of tables one of: being it, a membership
//! that inherits, or one that may SET ROLE. It never makes itself a member of anything.

mod apply;
mod diff;
mod message;
mod model;
mod needed;
mod observe;
mod observed;
mod operation;
mod plan;
mod private;
mod removal;
mod schema;
mod state;
mod statement;

use crate::failure::Failure;
use crate::postgres::{Identifier, parse_import_id};
use crate::provider::Context;
use crate::resource::{ApplyRequest, Existing, Plan, PlanRequest, Resource, Saved};
use crate::terraform::{Diagnostic, Diagnostics};
use model::Desired;
use plan::Lookup;
use private::Private;
use schema::ReplicationUserModel;

/// The resource.
#[derive(Clone, Debug)]
pub(crate) struct ReplicationUser;

impl Resource for ReplicationUser {
    const TYPE_NAME: &'static str = "clickpipes_replication_user";
    type Model = ReplicationUserModel;
    type Private = Private;
    type Lookup = Lookup;

    fn validate(config: &Self::Model) -> Diagnostics {
        model::validate(config)
    }

    async fn look_up(context: &Context, request: &PlanRequest<'_, Self>) -> Result<Option<Lookup>, Failure> {
        let Some(desired) = Desired::decode(request.config)? else { return Ok(None) };
        let before = match request.prior {
            Some(prior) => Desired::decode(&prior.model)?,
            None => None,
        };
        observe::look_up(context, before.as_ref(), &desired).await
    }

    fn plan(request: &PlanRequest<'_, Self>, lookup: Option<&Lookup>) -> Plan<Self> {
        plan::plan(request, lookup)
    }

    async fn plan_destroy(context: &Context, prior: &Existing<Self>) -> Result<Diagnostics, Failure> {
        apply::destroy::plan(context, prior).await
    }

    async fn read(context: &Context, prior: Existing<Self>) -> Result<Option<Existing<Self>>, Failure> {
        observe::read(context, prior).await
    }

    async fn apply(context: &Context, request: &ApplyRequest<'_, Self>, saved: &Saved<Self>) -> Result<Diagnostics, Failure> {
        apply::apply(context, request, saved).await
    }

    async fn destroy(context: &Context, prior: &Existing<Self>, _: &Saved<Self>) -> Result<Diagnostics, Failure> {
        apply::destroy::destroy(context, prior).await
    }

    fn is_import(existing: &Existing<Self>) -> bool {
        existing.model.oid.is_null()
    }

    fn import(id: &str) -> Result<Existing<Self>, Diagnostics> {
        let (database, name) = parse_import_id(id).map_err(|fault| Diagnostic::from_error("Malformed import id", &fault))?;
        let text = |name: Identifier| String::from(name).into();
        let model = ReplicationUserModel { name: text(name), database: text(database), ..ReplicationUserModel::default() };
        Ok(Existing { model, private: Private::default() })
    }
}
