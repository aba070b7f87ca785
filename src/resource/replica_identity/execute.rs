//! Looks at a table in its database, and sets its replica identity.

use std::borrow::Cow;

use super::desired::Desired;
use super::observe;
use super::observed::Observed;
use super::operation::Operation;
use super::schema::{ReplicaIdentityModel, ReplicaIdentityOfTable};
use crate::postgres::{Error, Facts, Identifier, Reader, Statement};
use crate::resource::change::{InDatabase, Look, ShortWaits, Sighting, Work};
use crate::terraform::Attr;

impl InDatabase for ReplicaIdentityOfTable {
    const GOES_WITH_ITS_DATABASE: bool = true;
    const SHORT_WAITS: Option<ShortWaits> = Some(ShortWaits::AHEAD_OF_QUERIES);

    fn sighting(observed: &Observed) -> Sighting<'_> {
        let object = observed.table.as_ref().map(|table| (table.oid, table.name.as_str()));
        Sighting { site: observed.site.as_ref(), object }
    }

    /// The oid is in the private data.
    fn oid(_: &ReplicaIdentityModel) -> Option<u32> {
        None
    }

    fn name(arguments: &Desired) -> Cow<'_, str> {
        arguments.table.name().into()
    }

    fn database(arguments: &Desired) -> &Identifier {
        &arguments.database
    }

    fn cluster(arguments: &Desired) -> Option<&str> {
        arguments.cluster.as_deref()
    }

    fn cluster_identifier(model: &ReplicaIdentityModel) -> &Attr<String> {
        &model.cluster_identifier
    }

    async fn observe(reader: &Reader, facts: &Facts, look: &Look<'_, Self>) -> Result<Observed, Error> {
        observe::observe(reader, facts, look).await
    }

    fn statements(_: &Work<'_, Self>, operation: &Operation, now: &Observed) -> Vec<Statement> {
        operation.statements(now)
    }
}
