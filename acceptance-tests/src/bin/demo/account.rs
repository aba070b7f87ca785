//! The contents of the demo's cluster, and how terraform logs in.

use std::path::Path;

use acceptance_tests::simulator::{ClusterHandle, Simulator};
use anyhow::{Context as _, Result};
use base64::Engine as _;

/// The database.
pub(crate) const DATABASE: &str = "shop";
/// The master user.
pub(crate) const ADMIN: &str = "clusteradmin";
/// The replication user that the example creates.
pub(crate) const REPLICATION_USER: &str = "clickpipes";

/// The application's own role owns its tables, as in most databases; the admin has its privileges.
pub(crate) const TABLES: &str = "
    CREATE ROLE shop_owner NOLOGIN;
    GRANT shop_owner TO CURRENT_USER;
    CREATE SCHEMA shop AUTHORIZATION shop_owner;
    SET ROLE shop_owner;
    CREATE TABLE shop.customers (id bigint PRIMARY KEY, name text NOT NULL);
    CREATE TABLE shop.orders (id bigint PRIMARY KEY, customer bigint REFERENCES shop.customers, item text NOT NULL);
    INSERT INTO shop.customers SELECT n, 'customer ' || n FROM generate_series(1, 100) AS n;
    INSERT INTO shop.orders SELECT n, 1 + n % 100, 'item ' || n FROM generate_series(1, 1000) AS n;
    RESET ROLE;
";

/// Passwords of this run.
pub(crate) struct Account {
    pub(crate) admin_password: String,
    pub(crate) replication_password: String,
}

impl Account {
    /// New passwords.
    pub(crate) fn new() -> Self {
        Self { admin_password: password(), replication_password: password() }
    }

    /// The example's input variables, except the passwords.
    pub(crate) fn variables(&self) -> String {
        format!(
            "region             = \"us-east-1\"\ncluster_identifier = \"orders\"\ndatabase           = \"{DATABASE}\"\n\
             schema             = \"shop\"\ntables             = [\"shop.customers\", \"shop.orders\"]\nadmin_username     = \"{ADMIN}\"\n"
        )
    }

    /// The environment that points the example to this machine: the configuration itself is the one for real clusters.
    pub(crate) fn environment(&self, simulator: &Simulator, cluster: &ClusterHandle) -> Result<Vec<(&'static str, String)>> {
        let authority = cluster.ca_certificate().context("the cluster speaks no TLS")?.to_string_lossy().into_owned();
        Ok(vec![
            ("AWS_ENDPOINT_URL_RDS", simulator.url()),
            ("AWS_ACCESS_KEY_ID", "demo".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "demo".to_owned()),
            ("PGSSLROOTCERT", authority),
            ("TF_VAR_admin_password", self.admin_password.clone()),
            ("TF_VAR_replication_password", self.replication_password.clone()),
        ])
    }

    /// The same as a shell script, with the variables that psql needs.
    pub(crate) fn script(&self, simulator: &Simulator, cluster: &ClusterHandle, cli_config: &Path) -> Result<String> {
        let mut variables = self.environment(simulator, cluster)?;
        variables.push(("TF_CLI_CONFIG_FILE", cli_config.to_string_lossy().into_owned()));
        variables.push(("PGUSER", ADMIN.to_owned()));
        variables.push(("PGPASSWORD", self.admin_password.clone()));
        Ok(variables.into_iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect())
    }
}

/// 16 bytes of the TLS library's randomness, in letters, digits, `-` and `_`.
fn password() -> String {
    let mut bytes = [0; 16];
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    // The generator fails only if the operating system has no randomness; the demo's passwords guard a loopback port.
    if provider.secure_random.fill(&mut bytes).is_err() {
        bytes = [7; 16];
    }
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
