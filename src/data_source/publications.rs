//! `clickpipes_publications`: the publications of a database, with the arguments of the resource.

use std::collections::{BTreeMap, BTreeSet};

use super::{DataSource, Found};
use crate::failure::Failure;
use crate::names;
use crate::postgres::Reader;
use crate::printable::printable_line;
use crate::provider::{Context, Place};
use crate::resource::publication::{PublicationModel, TableOptions, publications};
use crate::terraform::{Attr, Configured, Diagnostics, computed, model, optional};

model! {
    /// The publications of a database, whoever made them, with the arguments of `clickpipes_publication`: for an import of all of them,
    /// or to find those on which UPDATE and DELETE fail.
    pub struct PublicationsModel {
        /// Cluster of the database. Default: the server that the provider block connects to.
        cluster_identifier: String => optional(),
        /// Database whose publications are listed. Default: `postgres.database` of the provider block.
        database: String => optional(),
        /// The publications, sorted by name.
        publications: Vec<PublicationFound> => computed(),
    }
}

model! {
    /// A publication.
    pub struct PublicationFound {
        /// Whether it publishes every table of the database; null if not.
        all_tables: bool => computed(),
        /// Its database.
        database: String => computed(),
        /// Its import id.
        id: String => computed(),
        /// Its name.
        name: String => computed(),
        /// Its oid.
        oid: i64 => computed(),
        /// Its owner.
        owner: String => computed(),
        /// The operations that it publishes.
        publish: BTreeSet<String> => computed(),
        /// `none` or `stored`; null before PostgreSQL 18.
        publish_generated_columns: String => computed(),
        /// Whether changes of partitions are published as those of their partitioned table; null before PostgreSQL 13.
        publish_via_partition_root: bool => computed(),
        /// The listed schemas; null if there are none.
        schemas: Vec<String> => computed(),
        /// Row filters and column lists, by table; null if there are none.
        table_options: BTreeMap<String, TableOptionsFound> => computed(),
        /// The listed tables, as `schema.table`; null if there are none and it publishes something else.
        tables: Vec<String> => computed(),
        /// Published tables on which UPDATE or DELETE fails because they have no usable replica identity.
        tables_without_replica_identity: Vec<String> => computed(),
    }
}

model! {
    /// What is published of a table.
    pub struct TableOptionsFound {
        /// The published columns; null: all.
        columns: Vec<String> => computed(),
        /// The row filter, as the server writes it; null: there is none.
        r#where: String => computed(),
    }
}

/// The data source.
pub(crate) struct Publications;

impl Configured for Publications {
    const TYPE_NAME: &'static str = "clickpipes_publications";
    type Model = PublicationsModel;

    fn validate(config: &PublicationsModel) -> Diagnostics {
        names::place_faults(&config.cluster_identifier, &config.database)
    }
}

impl DataSource for Publications {
    async fn read(context: &Context, config: &PublicationsModel) -> Result<Found<PublicationsModel>, Failure> {
        let place = Place { cluster_identifier: &config.cluster_identifier, database: &config.database };
        let cluster = config.cluster_identifier.known();
        let ask = |reader: Reader, database: String| async move { publications(&reader, cluster, &database).await };
        let (found, _) = context.look_into(place, "listing publications", ask).await?;
        let found: Vec<PublicationFound> = found.into_iter().map(shown).collect();
        Ok(Found { model: PublicationsModel { publications: found.into(), ..config.clone() }, warnings: Diagnostics::new() })
    }
}

/// What of the resource says what a publication is. A new argument does not compile without a decision.
fn shown(publication: PublicationModel) -> PublicationFound {
    let PublicationModel {
        name,
        database,
        cluster_identifier: _,
        all_tables,
        tables,
        schemas,
        table_options,
        publish,
        publish_via_partition_root,
        publish_generated_columns,
        owner,
        allow_tables_without_replica_identity: _,
        allow_scope_replacement: _,
        force_destroy: _,
        timeouts: _,
        id,
        impact: _,
        on_destroy: _,
        oid,
        tables_without_replica_identity,
        operations: _,
    } = publication;
    let line = |text: Attr<String>| text.known().map(|text| printable_line(text)).into();
    let options = |(table, options): (&String, &TableOptions)| {
        let TableOptions { columns, r#where } = options.clone();
        (table.clone(), TableOptionsFound { columns, r#where })
    };
    PublicationFound {
        all_tables,
        database: line(database),
        id: line(id),
        name: line(name),
        oid,
        owner,
        publish,
        publish_generated_columns,
        publish_via_partition_root,
        schemas,
        table_options: table_options.known().map(|found| found.iter().map(options).collect::<BTreeMap<_, _>>()).into(),
        tables,
        tables_without_replica_identity,
    }
}
