//! Looks at a publication in its database, alters it, drops it.

use super::desired::Desired;
use super::observe;
use super::observed::Observed;
use super::operation::Operation;
use super::schema::Publication;
use crate::postgres::{Error, Facts, Identifier, Reader, Transaction};
use crate::resource::change::{InDatabase, Look, Work};

impl InDatabase for Publication {
    const GOES_WITH_ITS_DATABASE: bool = true;

    fn oid(observed: &Observed) -> Option<u32> {
        observed.publication.as_ref().map(|found| found.oid)
    }

    fn database(arguments: &Desired) -> &Identifier {
        &arguments.database
    }

    async fn observe(reader: &Reader, facts: &Facts, look: &Look<'_, Self>) -> Result<Observed, Error> {
        observe::observe(reader, facts, look).await
    }

    async fn run(transaction: &Transaction, _: &Work<'_, Self>, operation: &Operation, _: &Observed) -> Result<(), Error> {
        transaction.execute(&operation.statement()).await
    }
}
