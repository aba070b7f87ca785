//! The publications of a database.

use super::{List, Listed};
use crate::catalogue::publication::publication_names;
use crate::failure::Failure;
use crate::names;
use crate::postgres::Identifier;
use crate::provider::{Context, Place};
use crate::resource::Engine;
use crate::resource::publication::{Publication, PublicationModel};
use crate::terraform::{Configured, Diagnostics, model, optional};

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
        names::place_faults(&config.cluster_identifier, &config.database)
    }
}

impl List for Publications {
    type Resource = Engine<Publication>;

    async fn list(context: &Context, config: &PublicationsModel, limit: usize) -> Result<Vec<Listed<Self::Resource>>, Failure> {
        let place = Place { cluster_identifier: &config.cluster_identifier, database: &config.database };
        let ask = |reader| async move { publication_names(&reader, limit).await };
        let (names, database) = context.look(place, "listing publications", ask).await?;
        let cluster = config.cluster_identifier.known();
        let listed = |name: Identifier| Listed {
            display_name: name.as_str().to_owned(),
            named: PublicationModel::named(cluster.cloned(), &database, name.as_str()),
        };
        Ok(names.into_iter().map(listed).collect())
    }
}
