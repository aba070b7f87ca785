//! Reads what Read, a plan and a destroy need to know.

use std::time::Duration;

use super::catalogue::{self, Lookup};
use super::model::Desired;
use super::private::Private;
use super::{Publication, plan, state};
use crate::failure::{Attempt, Failure};
use crate::postgres::retry::transient;
use crate::provider::Context;
use crate::resource::{Existing, PlanRequest, Timeouts};
use crate::terraform::Attr;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

/// The publication as it exists.
pub(super) async fn read(context: &Context, prior: Existing<Publication>) -> Result<Option<Existing<Publication>>, Failure> {
    let server = context.postgres().await?;
    let database = prior.model.database.known_or(String::new());
    let name = prior.model.name.known_or(String::new());
    let attempt = || async {
        let version = server.facts(&database, context.cancel()).await?.version;
        let reader = server.read(&database, context.cancel()).await?;
        let found = catalogue::find(&reader, version, &name, prior.model.catalogue_oid()).await?;
        Ok::<_, Attempt>(found.map(|observed| (version, observed)))
    };
    let limit = Timeouts::read(&prior.model.timeouts, DEFAULT_TIMEOUT);
    let found = Timeouts::within(limit, "reading the publication", transient(context.cancel(), attempt)).await??;
    Ok(found.map(|(version, observed)| Existing {
        model: state::model(&prior.model, &observed),
        private: Private { applied: prior.private.applied, ..Private::of(version, &observed) },
    }))
}

/// What a planned change would meet; `None` when nothing changes or too much is unknown.
pub(super) async fn for_plan(context: &Context, request: &PlanRequest<'_, Publication>) -> Result<Option<Lookup>, Failure> {
    let (true, Ok(Some(desired)), Attr::Known(database)) =
        (request.changed, Desired::decode(request.proposed), &request.proposed.database)
    else {
        return Ok(None);
    };
    let server = context.postgres().await?;
    let version = server.facts(database, context.cancel()).await?.version;
    let prior = request.prior.filter(|prior| prior.model.database == request.proposed.database);
    let current = prior.and_then(plan::current);
    let name = current.as_ref().map_or(&desired.name, |current| &current.name);
    let oid = prior.and_then(|prior| prior.model.catalogue_oid());
    let attempt = || async {
        let reader = server.read(database, context.cancel()).await?;
        let lookup = catalogue::look_up(&reader, version, name.as_str(), oid, &desired.scope).await?;
        Ok::<_, Attempt>(lookup)
    };
    Ok(Some(transient(context.cancel(), attempt).await?))
}

/// The replication slots in use that stand against a destroy.
pub(super) async fn active_slots(context: &Context, database: &str) -> Result<Vec<String>, Failure> {
    let server = context.postgres().await?;
    let attempt = || async {
        let reader = server.read(database, context.cancel()).await?;
        let slots = catalogue::active_slots(&reader).await?;
        Ok::<_, Attempt>(slots)
    };
    Ok(transient(context.cancel(), attempt).await?)
}
