//! What a test requests: options of the simulator, clusters. Clusters are also sent as JSON.

use serde::{Deserialize, Serialize};

/// How the simulator behaves.
#[derive(Clone)]
pub struct Options {
    /// Factor for real durations (a modification 15 s, a reboot 30 s). The default makes them 30 and 60 ms.
    pub time_scale: f64,
    /// The region of clusters that name none, and of parameter groups.
    pub region: String,
    /// The maximum number of items per Describe without `MaxRecords`. AWS: 100; a small number makes every client follow markers.
    pub page_size: usize,
    /// The port of the API on 127.0.0.1; 0: any free one.
    pub port: u16,
    /// A known access key, so that login tokens signed with it are valid. Calls do not need a known one.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { time_scale, region, page_size, port, access_key, secret_key: _ } = self;
        let mut shown = f.debug_struct("Options");
        shown.field("time_scale", time_scale).field("region", region).field("page_size", page_size).field("port", port);
        shown.field("access_key", access_key).finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            time_scale: 0.002,
            region: "us-east-1".to_owned(),
            page_size: 10,
            port: 0,
            access_key: "testing".to_owned(),
            secret_key: "testing".to_owned(),
        }
    }
}

/// A cluster to create. Everything but the identifier has a default.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSpec {
    /// `DBClusterIdentifier`, lower case.
    pub identifier: String,
    /// Default `aurora-postgresql`.
    #[serde(default = "default_engine")]
    pub engine: String,
    /// Default `15.10`. The Postgres behind it is the newest minor of this major that the machine has.
    #[serde(default = "default_engine_version")]
    pub engine_version: String,
    /// Default `provisioned`; `serverless` is Serverless v1.
    #[serde(default = "default_engine_mode")]
    pub engine_mode: String,
    /// How many instances; the first is the writer. Default 2. They are named `<identifier>-1` and so on.
    #[serde(default = "default_members")]
    pub members: u32,
    /// The master user. Default `clusteradmin`.
    #[serde(default = "default_admin_username")]
    pub admin_username: String,
    /// Its password. Default: the word `admin-password`.
    #[serde(default = "default_admin_password")]
    pub admin_password: String,
    /// The first database, owned by the master user. Default `postgres`.
    #[serde(default = "default_database")]
    pub database: String,
    /// The cluster parameter group; default: the family's default group.
    #[serde(default)]
    pub parameter_group: Option<String>,
    /// Whether Postgres speaks TLS too.
    #[serde(default)]
    pub tls: bool,
    /// Whether there is a Postgres behind it. False: the cluster is only described, without an endpoint that answers, as refusals
    /// need.
    #[serde(default = "default_true")]
    pub postgres: bool,
    /// Its place in a global database.
    #[serde(default)]
    pub global: Option<GlobalMembership>,
    /// The region, which only calls signed for that region see; default: that of the simulator's options.
    #[serde(default)]
    pub region: Option<String>,
    /// `ReplicationSourceIdentifier` of a replica cluster.
    #[serde(default)]
    pub replication_source: Option<String>,
    /// Whether RDS creates the master user's password and keeps it in a secret; `admin_password` is then ignored.
    #[serde(default)]
    pub managed_master_secret: bool,
    /// Whether members of `rds_iam` log in with tokens.
    #[serde(default)]
    pub iam_authentication: bool,
    /// Whether it is an Aurora Limitless database.
    #[serde(default)]
    pub limitless: bool,
}

/// The place of a cluster in a global database.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalMembership {
    /// `GlobalClusterIdentifier`.
    pub identifier: String,
    /// The primary's ARN when this cluster is a secondary; none: this cluster is the primary.
    #[serde(default)]
    pub primary_arn: Option<String>,
}

fn default_engine() -> String {
    "aurora-postgresql".to_owned()
}
fn default_engine_version() -> String {
    "15.10".to_owned()
}
fn default_engine_mode() -> String {
    "provisioned".to_owned()
}
fn default_members() -> u32 {
    2
}
fn default_admin_username() -> String {
    "clusteradmin".to_owned()
}
fn default_admin_password() -> String {
    "admin-password".to_owned()
}
fn default_database() -> String {
    "postgres".to_owned()
}
fn default_true() -> bool {
    true
}

impl ClusterSpec {
    /// A cluster of this identifier with all defaults: Aurora PostgreSQL 15.10, a writer and a reader.
    #[must_use]
    pub fn new(identifier: &str) -> Self {
        Self {
            identifier: identifier.to_owned(),
            engine: default_engine(),
            engine_version: default_engine_version(),
            engine_mode: default_engine_mode(),
            members: default_members(),
            admin_username: default_admin_username(),
            admin_password: default_admin_password(),
            database: default_database(),
            parameter_group: None,
            tls: false,
            postgres: true,
            global: None,
            region: None,
            replication_source: None,
            managed_master_secret: false,
            iam_authentication: false,
            limitless: false,
        }
    }

    /// Sets the engine's version, such as `16.6`.
    #[must_use]
    pub fn engine_version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.engine_version);
        self
    }

    /// Sets the number of instances.
    #[must_use]
    pub fn members(mut self, members: u32) -> Self {
        self.members = members;
        self
    }

    /// Sets the master user and its password.
    #[must_use]
    pub fn admin(mut self, username: &str, password: &str) -> Self {
        username.clone_into(&mut self.admin_username);
        password.clone_into(&mut self.admin_password);
        self
    }

    /// Sets the first database.
    #[must_use]
    pub fn database(mut self, database: &str) -> Self {
        database.clone_into(&mut self.database);
        self
    }

    /// Sets the cluster parameter group, which must exist.
    #[must_use]
    pub fn parameter_group(mut self, name: &str) -> Self {
        self.parameter_group = Some(name.to_owned());
        self
    }

    /// Makes Postgres accept TLS too.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Makes RDS create the master user's password and keep it in a secret. [`ClusterHandle::admin`](super::ClusterHandle::admin)
    /// and [`ClusterHandle::master_password`](super::ClusterHandle::master_password) follow its rotations.
    #[must_use]
    pub fn managed_master_secret(mut self) -> Self {
        self.managed_master_secret = true;
        self
    }

    /// Makes members of `rds_iam` log in with tokens. They need TLS.
    #[must_use]
    pub fn iam_authentication(mut self) -> Self {
        self.iam_authentication = true;
        self
    }

    /// Sets the region.
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// Leaves Postgres out: the API describes the cluster, its endpoint does not answer.
    #[must_use]
    pub fn without_postgres(mut self) -> Self {
        self.postgres = false;
        self
    }
}

/// A call that an API received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// `rds`, `secretsmanager` or `sts`.
    pub service: String,
    /// The action's name.
    pub action: String,
    /// Its parameters by their name in the query, such as `Parameters.Parameter.1.ParameterName`. Passwords are left out.
    pub parameters: std::collections::BTreeMap<String, String>,
    /// The access key that it was signed with; none if it was not signed.
    pub access_key: Option<String>,
    /// The error code of the answer, or the fault of the connection; none if it succeeded.
    pub error: Option<String>,
}

impl Call {
    /// Whether the call requests a change in the account: it is not a Describe, List, Get or AssumeRole.
    #[must_use]
    pub fn is_mutating(&self) -> bool {
        is_change(&self.action)
    }
}

/// Whether an action changes something in the account. Credentials of a role do not count.
pub(crate) fn is_change(action: &str) -> bool {
    !["Describe", "List", "Get", "AssumeRole"].iter().any(|prefix| action.starts_with(prefix))
}
