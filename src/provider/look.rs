//! A look into a database that belongs to no resource: for lists and data sources. It ends in time, and a database that does not
//! exist is at its argument.

use std::time::Duration;

use super::Context;
use crate::failure::Failure;
use crate::postgres::{self, Reader};
use crate::terraform::{Attr, AttributePath, Diagnostic};

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Where to look: the arguments that these kinds have in common.
pub(crate) struct Place<'a> {
    /// Null: the server that the provider block connects to.
    pub(crate) cluster_identifier: &'a Attr<String>,
    /// Null: the database of the provider block.
    pub(crate) database: &'a Attr<String>,
}

impl Context {
    /// Asks the database, and returns its name too. `doing` says what this is, such as `listing publications`.
    pub(crate) async fn look<T: Send, F: Future<Output = Result<T, postgres::Error>> + Send>(
        &self,
        place: Place<'_>,
        doing: &str,
        ask: impl FnOnce(Reader) -> F + Send,
    ) -> Result<(T, String), Failure> {
        self.look_into(place, doing, |reader, _| ask(reader)).await
    }

    /// The same for a question that depends on the name of the database.
    pub(crate) async fn look_into<T: Send, F: Future<Output = Result<T, postgres::Error>> + Send>(
        &self,
        place: Place<'_>,
        doing: &str,
        ask: impl FnOnce(Reader, String) -> F + Send,
    ) -> Result<(T, String), Failure> {
        let look = |within: Self| async move {
            let server = within.postgres(place.cluster_identifier.known().map(String::as_str)).await?;
            let database = place.database.known().unwrap_or(&server.settings().database).clone();
            let reader = server.read(&database, within.cancel()).await.map_err(|error| at_database(error.into()))?;
            Ok((ask(reader, database.clone()).await?, database))
        };
        self.in_time(doing, look).await
    }

    /// Does something that ends in time.
    pub(crate) async fn in_time<T, F: Future<Output = Result<T, Failure>> + Send>(
        &self,
        doing: &str,
        work: impl FnOnce(Self) -> F + Send,
    ) -> Result<T, Failure> {
        let limited = self.within(LIMIT);
        let work = work(limited.context().clone());
        limited.run(Box::pin(work)).await.map_err(|failure| match failure {
            Failure::Cancelled { awaited, .. } if !self.cancel().is_cancelled() => timed_out(doing, &awaited).into(),
            other => other,
        })
    }
}

fn timed_out(doing: &str, awaited: &str) -> Diagnostic {
    let limit = humantime::format_duration(LIMIT);
    let detail = format!("Gave up {doing} after {limit}, while waiting for {awaited}. Find out why there is no answer.");
    Diagnostic::error("Timed out", detail)
}

/// The missing object is the named database.
pub(crate) fn at_database(failure: Failure) -> Failure {
    match failure {
        Failure::Missing(missing) => Failure::Missing(missing.at(AttributePath::of("database"))),
        other => other,
    }
}
