//! The publications of a database.

use std::time::Duration;

use super::{List, Listed};
use crate::catalogue::publication::publication_names;
use crate::failure::Failure;
use crate::postgres::Identifier;
use crate::provider::Context;
use crate::resource::publication::{Publication, PublicationModel};
use crate::resource::{Engine, names};
use crate::terraform::{AttributePath, Configured, Diagnostic, Diagnostics, model, optional};

model! {
    /// Lists the publications of a database, sorted by name, no matter who created them.
    pub struct PublicationsModel {
        /// Cluster of the database. Default: the server that the provider block connects to.
        cluster_identifier: String => optional(),
        /// Database whose publications are listed. Default: `postgres.database` of the provider block.
        database: String => optional(),
    }
}

/// The list resource.
pub(crate) struct Publications;

impl Configured for Publications {
    const TYPE_NAME: &'static str = "clickpipes_publication";
    type Model = PublicationsModel;

    fn validate(config: &PublicationsModel) -> Diagnostics {
        let fault = config.database.known().and_then(|database| Identifier::new(database).err());
        let mut faults: Diagnostics = fault.map(|fault| Diagnostic::invalid("database", fault)).into_iter().collect();
        faults.absorb(names::cluster(&config.cluster_identifier));
        faults
    }
}

/// How long the search for names may take.
const LIMIT: Duration = Duration::from_secs(60);

impl List for Publications {
    type Resource = Engine<Publication>;

    async fn list(context: &Context, config: &PublicationsModel, limit: usize) -> Result<Vec<Listed<Self::Resource>>, Failure> {
        let cluster = config.cluster_identifier.known();
        let limited = context.within(LIMIT);
        let within = limited.context();
        let look = async {
            let server = within.postgres(cluster.map(String::as_str)).await?;
            let database = config.database.known().unwrap_or(&server.settings().database).clone();
            let reader = server.read(&database, within.cancel()).await.map_err(|error| at_database(error.into()))?;
            Ok((publication_names(&reader, limit).await?, database))
        };
        let (names, database) = limited.run(Box::pin(look)).await.map_err(|failure| match failure {
            Failure::Cancelled { awaited, .. } if !context.cancel().is_cancelled() => timed_out(&awaited).into(),
            other => other,
        })?;
        let listed = |name: Identifier| Listed {
            display_name: name.as_str().to_owned(),
            named: PublicationModel::named(cluster.cloned(), &database, name.as_str()),
        };
        Ok(names.into_iter().map(listed).collect())
    }
}

fn timed_out(awaited: &str) -> Diagnostic {
    let limit = humantime::format_duration(LIMIT);
    let detail =
        format!("Gave up listing publications after {limit}, while waiting for {awaited}. Find out why there is no answer.");
    Diagnostic::error("Timed out", detail)
}

/// The missing object is the named database.
fn at_database(failure: Failure) -> Failure {
    match failure {
        Failure::Missing(missing) => Failure::Missing(missing.at(AttributePath::of("database"))),
        other => other,
    }
}
