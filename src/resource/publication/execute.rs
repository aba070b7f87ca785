//! Looks at a publication in its database, alters it, drops it.

use std::borrow::Cow;

use super::desired::Desired;
use super::observe;
use super::observed::Observed;
use super::operation::Operation;
use super::schema::{Publication, PublicationModel};
use crate::postgres::{Error, Facts, Identifier, Reader, Statement};
use crate::resource::change::{InDatabase, Look, ShortWaits, Sighting, Work};
use crate::terraform::Attr;

impl InDatabase for Publication {
    const GOES_WITH_ITS_DATABASE: bool = true;
    const SHORT_WAITS: Option<ShortWaits> = Some(ShortWaits::BESIDE_QUERIES);

    fn sighting(observed: &Observed) -> Sighting<'_> {
        let object = observed.publication.as_ref().map(|found| (found.oid, found.current.name.as_str()));
        Sighting { site: observed.site.as_ref(), object }
    }

    fn oid(state: &PublicationModel) -> Option<u32> {
        state.catalogue_oid()
    }

    fn name(arguments: &Desired) -> Cow<'_, str> {
        arguments.name.as_str().into()
    }

    fn database(arguments: &Desired) -> &Identifier {
        &arguments.database
    }

    fn cluster(arguments: &Desired) -> Option<&str> {
        arguments.cluster.as_deref()
    }

    fn cluster_identifier(model: &PublicationModel) -> &Attr<String> {
        &model.cluster_identifier
    }

    async fn observe(reader: &Reader, facts: &Facts, look: &Look<'_, Self>) -> Result<Observed, Error> {
        observe::observe(reader, facts, look).await
    }

    fn statements(_: &Work<'_, Self>, operation: &Operation, now: &Observed) -> Vec<Statement> {
        operation.statements(now)
    }
}
