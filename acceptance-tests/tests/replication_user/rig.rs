//! A cluster with an application's tables, and a workspace whose provider works as the cluster's admin.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::PermissionsExt as _;

pub use acceptance_tests::rig::ADMIN_PASSWORD;
use acceptance_tests::rig::{CLUSTER, without_verifier};
use acceptance_tests::simulator::ClusterSpec;
use tokio_postgres::Client;

pub const PASSWORD: &str = "first-password-of-the-user";
pub const USER: &str = "clickpipes_replication_user.pipe";

/// Tables of `app_owner` in the schema `shop`; the admin is a member of it.
const APPLICATION: &str = "\
CREATE ROLE app_owner LOGIN PASSWORD 'its-own';
GRANT app_owner TO clusteradmin;
CREATE SCHEMA shop AUTHORIZATION app_owner;
SET ROLE app_owner;
CREATE TABLE shop.orders (id int PRIMARY KEY);
CREATE TABLE shop.customers (id int PRIMARY KEY);
RESET ROLE;";

/// The common rig with the application's tables, and the user's password in an ephemeral variable.
pub struct Rig(acceptance_tests::rig::Rig);

impl Deref for Rig {
    type Target = acceptance_tests::rig::Rig;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Rig {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Rig {
    /// An Aurora cluster with the application's tables.
    pub async fn start() -> Self {
        Self::with(acceptance_tests::rig::Rig::start().await.unwrap()).await
    }

    /// The same with logical replication on.
    pub async fn start_logical() -> Self {
        Self::with(acceptance_tests::rig::Rig::start_logical().await.unwrap()).await
    }

    /// The same on another version of the engine.
    pub async fn start_version(version: &str) -> Self {
        Self::start_with(ClusterSpec::new(CLUSTER).engine_version(version)).await
    }

    /// The same on a custom cluster.
    pub async fn start_with(spec: ClusterSpec) -> Self {
        Self::with(acceptance_tests::rig::Rig::start_with(spec).await.unwrap()).await
    }

    async fn with(mut rig: acceptance_tests::rig::Rig) -> Self {
        rig.tf.set_env("TF_VAR_password", PASSWORD);
        rig.tf.write("variables.tf", "variable \"password\" {\n  type = string\n  ephemeral = true\n}\n").unwrap();
        let rig = Self(rig);
        rig.admin(APPLICATION).await;
        rig
    }

    /// Writes the user's configuration; the name, database and password are always the same.
    pub fn configure(&self, arguments: &str) {
        self.configure_as("pipe", 1, arguments);
    }

    pub fn configure_as(&self, name: &str, version: u32, arguments: &str) {
        let text = format!(
            "resource \"clickpipes_replication_user\" \"pipe\" {{\n  name = {}\n  database = \"app\"\n  \
             password_wo = var.password\n  password_wo_version = {version}\n{arguments}\n}}\n",
            hcl(name)
        );
        self.main(&text).unwrap();
    }

    /// Runs SQL as the admin.
    pub async fn admin(&self, sql: &str) {
        self.cluster.admin("app").await.unwrap().batch_execute(sql).await.unwrap();
    }

    /// Runs SQL as the superuser.
    pub async fn superuser(&self, sql: &str) {
        self.cluster.superuser("app").await.unwrap().batch_execute(sql).await.unwrap();
    }

    /// Runs a query that returns true or false.
    pub async fn holds(&self, condition: &str) -> bool {
        let client = self.cluster.superuser("app").await.unwrap();
        client.query_one(&format!("SELECT COALESCE(({condition})::bool, false)"), &[]).await.unwrap().get(0)
    }

    pub async fn role_exists(&self, name: &str) -> bool {
        let client = self.cluster.superuser("app").await.unwrap();
        !client.query("SELECT FROM pg_roles WHERE rolname = $1", &[&name]).await.unwrap().is_empty()
    }

    pub async fn login(&self, name: &str, password: &str) -> anyhow::Result<Client> {
        self.cluster.connect(name, password, "app").await
    }

    /// How many changes the provider has made so far.
    pub fn mark(&self) -> usize {
        self.changes().unwrap().len()
    }

    /// What the provider changed since the mark, as the server logged it, in the form of `operations`.
    pub fn changes_since(&self, mark: usize) -> Vec<String> {
        self.changes().unwrap()[mark..].iter().map(|text| without_verifier(text)).collect()
    }

    /// The `drift` of the state.
    pub async fn drift(&self) -> BTreeSet<String> {
        let drift = self.tf.resource(USER).await.unwrap()["drift"].clone();
        serde_json::from_value(drift).unwrap()
    }
}

/// A file for the setting `hba_file`: who may log in how.
pub fn rules(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    // The server has a user of its own.
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    file
}

/// A text as an HCL string.
pub fn hcl(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "$${").replace("%{", "%%{");
    format!("\"{escaped}\"")
}

impl Rig {
    /// All privileges in the database on the application's objects, except the owners' implicit ones.
    pub async fn acls(&self) -> Vec<String> {
        const ACLS: &str = "\
            SELECT format('%s %s', o.what, a) FROM (
              SELECT 'schema ' || nspname AS what, nspacl AS acl, nspowner AS owner FROM pg_namespace
              UNION ALL SELECT 'table ' || oid::regclass, relacl, relowner FROM pg_class
              UNION ALL SELECT 'database ' || datname, datacl, datdba FROM pg_database
              UNION ALL SELECT 'default ' || defaclrole::regrole, defaclacl, defaclrole FROM pg_default_acl) o,
            unnest(o.acl) a WHERE o.owner <> 10 AND a::text NOT LIKE '%/rdsadmin' AND split_part(a::text, '=', 1) NOT IN (o.owner::regrole::text, '')
            ORDER BY 1";
        let client = self.cluster.superuser("app").await.unwrap();
        client.query(ACLS, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }
}
