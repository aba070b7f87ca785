//! The attributes of `clickpipes_publication`.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::object_id;
use crate::resource::change::{ImpactModel, OnDestroy, managed_model};
use crate::resource::timeouts::Timeouts;
use crate::terraform::{Attr, computed, model, optional, optional_computed, required};

model! {
    /// What is published of a table.
    pub struct TableOptions {
        /// Columns to publish, with names exactly as in the catalogue. The order has no meaning. The replica identity must lie within
        /// them. Not possible beside `schemas`. Default: all columns. A change takes the table out of the publication and puts it back,
        /// in one transaction.
        columns: Vec<String> => optional().unordered(),
        /// Rows to publish: an SQL expression of the table's columns, such as `status <> 'draft'`. If updates or deletes are published,
        /// the replica identity must cover its columns. Comments, semicolons and dollar quotes are not accepted. Default: all rows. A
        /// change takes the table out of the publication and puts it back, in one transaction.
        r#where: String => optional(),
    }
}

model! {
    /// A publication: the tables that ClickPipes replicates.
    ///
    /// Everything that PostgreSQL can alter is altered in place, in one transaction, so tables that stay listed never leave the
    /// publication. The provider refuses a change that would make the application's own UPDATE or DELETE fail because a table has
    /// no replica identity.
    pub struct PublicationModel {
        /// Name of the publication. A change renames it in place. Pipes find their publication by name, so change it in the pipes
        /// too.
        name: String => required(),
        /// Database that holds the publication. A change replaces the publication, and the pipe must be resynced.
        database: String => required().requires_replace(),
        /// Cluster of the database, in lower case. Default: the server that the provider block connects to. For another cluster than
        /// the provider's own, the provider logs in with the secret that RDS manages for its master user, or with an IAM token. A
        /// change to another cluster than the object is on replaces the publication, and the pipe must be resynced; a change that names
        /// the present one runs no statement. Give it literally: a value that is unknown at plan replaces an existing object.
        cluster_identifier: String => optional(),
        /// Publish every table of the database, including tables created later. Conflicts with `tables` and `schemas`. PostgreSQL
        /// cannot turn such a publication into one of listed tables, or back. Default: `false`. A change needs
        /// `allow_scope_replacement`.
        all_tables: bool => optional(),
        /// Tables to publish, each as `schema.table`, with names exactly as in the catalogue. The order has no meaning. Default:
        /// none; `[]` publishes nothing. A change adds and drops tables in place.
        tables: Vec<String> => optional().unordered(),
        /// Schemas whose tables are all published, including tables created later. The order has no meaning. Needs PostgreSQL 15.
        /// Default: none. A change adds and drops schemas in place.
        schemas: Vec<String> => optional().unordered(),
        /// Row filters and column lists, by table as in `tables`. Needs PostgreSQL 15. They are observed for every listed table: one that
        /// somebody else has set is removed by the next apply. Default: none. A change alters the tables concerned in place.
        table_options: BTreeMap<String, TableOptions> => optional(),
        /// Operations to publish: `insert`, `update`, `delete`, `truncate`. Default: all four on create; if you remove it later,
        /// the current value is kept. A change is made in place.
        publish: BTreeSet<String> => optional_computed(),
        /// Publish changes of partitions as changes of their partitioned table, which ClickPipes needs. Needs PostgreSQL 13.
        /// Default: `true` on create; if you remove it later, the current value is kept. A change is made in place.
        publish_via_partition_root: bool => optional_computed(),
        /// Publish generated columns: `none`, or `stored` for those that are stored; a list of columns in `table_options` says so itself.
        /// Needs PostgreSQL 18. Default: `none` on create; if you remove it later, the current value is kept. A change is made in place.
        publish_generated_columns: String => optional_computed(),
        /// Role that owns the publication, exactly as in the catalogue. The provider's role must be able to SET ROLE to it, and it must
        /// have CREATE on the database; of all tables or schemas only a superuser, on Aurora a member of `rds_superuser`, should be the
        /// owner. Default: the provider's role on create; if you remove it later, the current owner is kept. A change is made in place.
        owner: String => optional_computed(),
        /// Publish tables without a usable replica identity, although UPDATE and DELETE on them then fail. Default: `false`. A
        /// change runs no statement.
        allow_tables_without_replica_identity: bool => optional().defaults_to(false),
        /// Let a change between `all_tables` and lists drop the publication and create it again. The pipe must then be resynced.
        /// Default: `false`. A change of this attribute runs no statement.
        allow_scope_replacement: bool => optional().defaults_to(false),
        /// Let a destroy drop the publication even if a replication slot of its database is in use. Default: `false`. A change
        /// runs no statement.
        force_destroy: bool => optional().defaults_to(false),
        /// How long each operation may take. Default: `5m` each. A change runs no statement.
        timeouts: Timeouts => optional(),
        /// The import id: `database/name`, or `cluster:database/name` if `cluster_identifier` is set.
        id: String => computed(),
        /// What `operations` mean to the users of the database; null if there are no operations.
        impact: ImpactModel => computed(),
        /// What a destroy would do, as of the last refresh.
        on_destroy: OnDestroy => computed(),
        /// Identifier of the publication in the catalogue. It changes when the publication is dropped and created again; a pipe
        /// must then be resynced.
        oid: i64 => computed().keep_prior(),
        /// Published tables on which UPDATE or DELETE fails because they have no usable replica identity, as `schema.table`; for
        /// a partitioned table, its leaf partitions. Empty if neither updates nor deletes are published.
        tables_without_replica_identity: Vec<String> => computed(),
        /// The statements that the last planned change runs, in order.
        operations: Vec<String> => computed(),
    }
}

/// The resource.
#[derive(Clone, Debug)]
pub(crate) struct Publication;

managed_model!(PublicationModel);

impl PublicationModel {
    /// A publication of which only the name is known.
    pub(crate) fn named(cluster: Option<String>, database: &str, name: &str) -> Self {
        Self { cluster_identifier: cluster.into(), database: database.into(), name: name.into(), ..Self::default() }.with_id()
    }

    /// The same with its import id, as far as that is known.
    pub(super) fn with_id(self) -> Self {
        let id = object_id(&self.cluster_identifier, &self.database, &self.name).map_or(Attr::Unknown, Attr::Known);
        Self { id, ..self }
    }

    /// The oid as the catalogue has it; `None` before a Read has found it.
    pub(super) fn catalogue_oid(&self) -> Option<u32> {
        self.oid.known().and_then(|oid| u32::try_from(*oid).ok())
    }
}
