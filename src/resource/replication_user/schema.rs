//! The attributes of `clickpipes_replication_user`.

use crate::names::object_id;
use crate::resource::change::{ImpactModel, OnDestroy, managed_model};
use crate::resource::timeouts::Timeouts;
use crate::secret::Secret;
use crate::terraform::{Attr, computed, model, optional, optional_computed, required};

model! {
    /// A login role for ClickPipes: it may connect, read the tables to replicate (including tables created later) and stream the
    /// write-ahead log.
    ///
    /// On Aurora and RDS the role becomes a member of `rds_replication`; on any other PostgreSQL it gets the attribute
    /// `REPLICATION`. Privileges, memberships and settings that others gave it are kept.
    pub struct ReplicationUserModel {
        /// Name of the role, exactly as in the catalogue (it is not converted to lower case). A change renames the role in place.
        name: String => required(),
        /// Database whose tables are read. A role belongs to the whole server, but one resource manages it in one database. A change
        /// replaces the role.
        database: String => required().requires_replace(),
        /// Cluster of the database, in lower case. Default: the server that the provider block connects to. For another cluster than
        /// the provider's own, the provider logs in with the secret that RDS manages for its master user, or with an IAM token. A
        /// change to another cluster than the object is on replaces the role; a change that names
        /// the present one runs no statement. Give it literally: a value that is unknown at plan replaces an existing object.
        cluster_identifier: String => optional(),
        /// How the role logs in: `password`, or `iam`: with IAM tokens and nothing else, as a member of `rds_iam`. Default: `password`. A
        /// change is made in place: to `iam` the password is deleted, back to `password` it needs `password_wo`.
        authentication: String => optional().defaults_to("password"),
        /// Password, needed to create a role that logs in with one, and refused with `authentication = "iam"`. It reaches the server only as a SCRAM-SHA-256 verifier and is stored nowhere.
        /// Default: none, which is allowed for an adopted or imported role. A change alone is not detected: change
        /// `password_wo_version` too.
        password_wo: Secret => optional().sensitive().write_only(),
        /// Version of the password: any number. Default: none. A change sets `password_wo` as the new password.
        password_wo_version: i64 => optional(),
        /// Schemas whose tables the role may all read: `USAGE`, `SELECT` on all tables, and default privileges for tables that
        /// their owners create later. The order has no meaning. Default: none. A change grants on what was added and revokes on
        /// what was removed.
        schemas: Vec<String> => optional().unordered(),
        /// Tables that the role may read, as `schema.table`. The order has no meaning. Default: none. A change grants on what was
        /// added and revokes on what was removed.
        tables: Vec<String> => optional().unordered(),
        /// Roles whose later tables in `schemas` become readable too (default privileges). The order has no meaning. Default: the
        /// owners of the tables found in each schema. A change alters the default privileges in place.
        table_owners: Vec<String> => optional().unordered(),
        /// Whether a missing `SELECT` on a view or materialized view of `schemas` counts as drift. Default: `false`. A change
        /// runs no statement by itself; the next refresh uses it.
        include_views: bool => optional().defaults_to(false),
        /// Maximum number of connections of the role at once, `-1` for no limit. Default: the current value is kept; a new role
        /// has no limit. A change is made in place.
        connection_limit: i64 => optional_computed(),
        /// Until when the password is accepted: a time as RFC 3339 writes it, such as `2027-01-31T00:00:00Z`, or `infinity`. From then on
        /// nobody can log in with it. Default: the current value is kept; the password of a new role does not expire. A change is made in
        /// place; the same time in another time zone is none.
        valid_until: String => optional_computed().timestamp(),
        /// Takes over a role that already exists instead of failing. Only considered on create. Default: `false`. A change runs no
        /// statement.
        adopt_existing: bool => optional().defaults_to(false),
        /// How long each operation may take. Default: `10m` each. A change runs no statement.
        timeouts: Timeouts => optional(),
        /// The import id: `database/name`, or `cluster:database/name` if `cluster_identifier` is set.
        id: String => computed().keep_prior(),
        /// Identifier of the role in the catalogue. It survives a rename.
        oid: i64 => computed().keep_prior(),
        /// Name of the role, for `credentials.username` of a ClickPipe.
        username: String => computed().keep_prior(),
        /// Roles whose later tables become readable: `table_owners`, or the owners found, sorted.
        effective_table_owners: Vec<String> => computed(),
        /// ARN of the role in IAM policies that allow `rds-db:connect`; null if the cluster is not known, because neither
        /// `cluster_identifier` here nor `postgres.cluster_identifier` in the provider block names it.
        iam_dbuser_arn: String => computed().keep_prior(),
        /// Statements that restore what was lost outside Terraform and no other attribute shows. Empty if there is no drift.
        drift: Vec<String> => computed(),
        /// What `operations` mean to the users of the database; null if there are no operations.
        impact: ImpactModel => computed(),
        /// What a destroy would do, as of the last refresh. It summarises what is revoked: one line for each schema and for each
        /// other database. The warning of a destroy plan lists the statements.
        on_destroy: OnDestroy => computed(),
        /// The statements that change something, in the order of the last plan.
        operations: Vec<String> => computed(),
    }
}

/// The resource.
#[derive(Clone, Debug)]
pub(crate) struct ReplicationUser;

impl ReplicationUserModel {
    /// A role of which only the name is known.
    pub(super) fn named(cluster: Option<String>, database: &str, name: &str) -> Self {
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

managed_model!(ReplicationUserModel, drift);
