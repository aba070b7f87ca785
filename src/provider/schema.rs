//! The provider block.

use crate::secret::Secret;
use crate::terraform::{Model, Schema, model, optional};

model! {
    /// Prepares an Amazon Aurora PostgreSQL cluster as a CDC source for ClickHouse ClickPipes: cluster parameters and reboot, the
    /// replication user with its grants, and the publication.
    pub struct ProviderModel {
        /// How to call AWS. Default: values that are not set come from the standard AWS chain: environment variables, shared
        /// files, SSO, container and instance metadata.
        aws: AwsModel => optional(),
        /// How to reach the database server. Default: values that are not set come from the environment variables `PGHOST`,
        /// `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE`, `PGSSLMODE`, `PGSSLROOTCERT` and `PGCONNECT_TIMEOUT`.
        postgres: PostgresModel => optional(),
        /// What a plan does when AWS or the database server cannot be reached: `fail`, or `keep_state` to warn, keep the state
        /// and plan from the configuration, for example in a pull request check that cannot reach the database. An apply fails in
        /// both cases, and so does any run that AWS or the server answers with a refusal. Default: `fail`.
        on_unreachable: String => optional(),
    }
}

model! {
    /// How to call AWS.
    pub struct AwsModel {
        /// Region to call. Default: from the standard AWS chain.
        region: String => optional(),
        /// Profile in the shared configuration and credentials files. Default: `AWS_PROFILE`, else `default`.
        profile: String => optional(),
        /// Paths of shared configuration files to read. Default: `AWS_CONFIG_FILE`, else `~/.aws/config`.
        shared_config_files: Vec<String> => optional(),
        /// Role to assume with the credentials found. Default: none.
        assume_role: AssumeRoleModel => optional(),
        /// Addresses (URLs) to call instead of AWS's own. Default: AWS's own.
        endpoints: EndpointsModel => optional(),
        /// Maximum number of attempts per call, when AWS throttles or fails. Default: `8`.
        max_attempts: i64 => optional(),
        /// Access key id. Needs `secret_key`. Default: from the standard AWS chain.
        access_key: Secret => optional().sensitive(),
        /// Secret access key. Default: from the standard AWS chain.
        secret_key: Secret => optional().sensitive(),
        /// Session token of temporary credentials. Default: from the standard AWS chain.
        token: Secret => optional().sensitive(),
    }
}

model! {
    /// A role to assume.
    pub struct AssumeRoleModel {
        /// ARN of the role. Default: none; it must be set.
        role_arn: String => optional(),
        /// Session name. Default: `terraform-provider-clickpipes`.
        session_name: String => optional(),
        /// External id that the role's trust policy requires. Default: none.
        external_id: String => optional(),
    }
}

model! {
    /// Addresses to call instead of AWS's own.
    pub struct EndpointsModel {
        /// URL of the RDS API. Default: that of the region.
        rds: String => optional(),
        /// URL of the Secrets Manager API, which is called to read a password. Default: that of the region.
        secretsmanager: String => optional(),
        /// URL of the STS API, which is called to assume a role. Default: that of the region.
        sts: String => optional(),
    }
}

model! {
    /// How to reach the database server. It must be the writer.
    pub struct PostgresModel {
        /// Identifier of the Aurora cluster. Its writer endpoint and port are then looked up, and TLS expects that endpoint's
        /// name. Default: none; `host` is the address of the writer.
        cluster_identifier: String => optional(),
        /// Host name or address of the writer. With `cluster_identifier` it is only the address to connect to, for example the
        /// local end of a tunnel. Default: the cluster's writer endpoint, else `PGHOST`.
        host: String => optional(),
        /// Port. Default: the cluster's, else `PGPORT`, else `5432`.
        port: i64 => optional(),
        /// Database to connect to if a resource names none. Default: `PGDATABASE`, else `postgres`.
        database: String => optional(),
        /// Role to log in as: the master user, or a role that may create roles and publications. Default: the user in the secret,
        /// else `PGUSER`.
        username: String => optional(),
        /// Password of that role. Set it with an ephemeral variable or `PGPASSWORD`; it is not stored. Default: the secret that
        /// RDS manages for the master user of `cluster_identifier`, if there is one and `username` is not another user, otherwise
        /// `PGPASSWORD`.
        password: Secret => optional().sensitive(),
        /// ARN of a secret in Secrets Manager that holds the password: a JSON object with `password` and optionally `username`,
        /// as RDS writes it, or the password itself. It is read once per run, and once more if the server refuses the login,
        /// because it may have been rotated. Conflicts with `password` and `iam_auth`. Default: none.
        password_secret_arn: String => optional(),
        /// Whether to log in with IAM database authentication: a token is signed for each connection, for the cluster's writer
        /// endpoint and port, or else for `tls_server_name` or `host` and the port of the connection. A connection through a
        /// tunnel needs `cluster_identifier`. The role must be a member of `rds_iam`. Conflicts with `password` and
        /// `password_secret_arn`. Default: `false`.
        iam_auth: bool => optional(),
        /// TLS mode: `disable`, `require` (encrypted, but not verified; with `sslrootcert` the same as `verify-ca`), `verify-ca`
        /// or `verify-full`. A password in clear text or as an md5 hash, and an IAM token, is only sent to a server that is
        /// verified. Default: `verify-full` with `cluster_identifier` or a host (or `tls_server_name`) of Amazon RDS, whatever
        /// `PGSSLMODE` says, else `PGSSLMODE`, else `require`.
        sslmode: String => optional(),
        /// Trusted certificate authorities, as PEM text or the path of a PEM file. Default: `PGSSLROOTCERT`, else those of Amazon
        /// RDS in its commercial regions, which are built in; those of GovCloud and China must be set.
        sslrootcert: String => optional(),
        /// Name that the server's certificate must have. Default: the cluster's writer endpoint, or `host`.
        tls_server_name: String => optional(),
        /// Maximum time to open a connection, in seconds; also how long the provider waits for a failover during a run. Default:
        /// `PGCONNECT_TIMEOUT`, else `15`.
        connect_timeout: i64 => optional(),
        /// Maximum number of connections at once. 1 is enough, but with fewer than there are databases they are opened again and
        /// again. Default: `10`.
        max_connections: i64 => optional(),
    }
}

/// The declared schema of the provider block.
pub(crate) fn schema() -> Schema {
    ProviderModel::schema()
}
