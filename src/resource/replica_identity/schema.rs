//! The attributes of `clickpipes_replica_identity`.

use crate::names::object_id;
use crate::resource::change::{ImpactModel, OnDestroy, managed_model};
use crate::resource::timeouts::Timeouts;
use crate::terraform::{Attr, computed, model, optional, required};

model! {
    /// The replica identity of a table: what PostgreSQL writes to the WAL of an old row, so that UPDATE and DELETE can be replicated.
    ///
    /// It is changed by one ALTER TABLE, which waits for its lock only in short attempts, so that the application never waits behind it
    /// for long. The provider refuses a change that would make the application's own UPDATE or DELETE fail because of a publication.
    pub struct ReplicaIdentityModel {
        /// Database of the table. A change replaces the resource: the old table gets back what it had.
        database: String => required().requires_replace(),
        /// Cluster of the database, in lower case. Default: the server that the provider block connects to. For another cluster than
        /// the provider's own, the provider logs in with the secret that RDS manages for its master user, or with an IAM token. A
        /// change to another cluster than the table is on replaces the resource: the old table gets back what it had; a change that
        /// names the present one runs no statement. Give it literally: a value that is unknown at plan replaces the resource.
        cluster_identifier: String => optional(),
        /// The table, as `schema.table`, with names exactly as in the catalogue. A change replaces the resource: the old table gets
        /// back what it had.
        table: String => required().requires_replace(),
        /// What identifies a row: `default` (the primary key), `full` (the whole row), `nothing`, or `index` (the columns of `index`).
        /// A change is made in place, under an ACCESS EXCLUSIVE lock.
        identity: String => required(),
        /// Name of a unique index of the table whose columns are all NOT NULL, neither partial nor deferrable; needed with `identity =
        /// "index"`, and only then. Default: none. A change is made in place, under an ACCESS EXCLUSIVE lock.
        index: String => optional(),
        /// How long each operation may take. Default: `5m` each. A change runs no statement.
        timeouts: Timeouts => optional(),
        /// The import id: `database/schema.table`, or `cluster:database/schema.table` if `cluster_identifier` is set.
        id: String => computed(),
        /// What `operations` mean to the users of the database; null if there are no operations.
        impact: ImpactModel => computed(),
        /// What a destroy would do, as of the last refresh.
        on_destroy: OnDestroy => computed(),
        /// The replica identity that the table had before this resource, which a destroy restores; null after an import, because it
        /// is not known then.
        previous_identity: String => computed(),
        /// The index that was the replica identity before, if `previous_identity` is `index`.
        previous_index: String => computed(),
        /// The statements that the last planned change runs, in order.
        operations: Vec<String> => computed(),
    }
}

/// The resource.
#[derive(Clone, Debug)]
pub(crate) struct ReplicaIdentityOfTable;

managed_model!(ReplicaIdentityModel);

impl ReplicaIdentityModel {
    /// One of which only the table is known.
    pub(super) fn named(cluster: Option<String>, database: &str, table: &str) -> Self {
        Self { cluster_identifier: cluster.into(), database: database.into(), table: table.into(), ..Self::default() }.with_id()
    }

    /// The same with its import id, as far as that is known.
    pub(super) fn with_id(self) -> Self {
        let id = object_id(&self.cluster_identifier, &self.database, &self.table).map_or(Attr::Unknown, Attr::Known);
        Self { id, ..self }
    }
}
