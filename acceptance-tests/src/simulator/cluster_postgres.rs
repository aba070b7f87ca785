//! The Postgres behind a simulated cluster: Aurora's roles and rules on top of the community's server.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use super::catalogue::{self, Values};
use super::iam_logins::IamLogins;
use super::lock::lock;
use super::module;
use super::proxy::Proxy;
use crate::postgres_server::{CERTIFICATE_FILE, KEY_FILE, PostgresServer, ServerOptions, Settings, quoted};

const CLUSTER_SQL: &str = include_str!("cluster_roles.sql");
const DATABASE_SQL: &str = include_str!("database.sql");

/// How often memberships are synchronized if no new connection requires it.
const SYNC_INTERVAL: Duration = Duration::from_millis(250);

/// The admin of a cluster and its first database.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) database: String,
}

/// The servers of one cluster and their endpoints.
#[derive(Debug)]
pub(crate) struct ClusterPostgres {
    server: PostgresServer,
    preload: String,
    /// The engine's version.
    version: Mutex<String>,
    admin: String,
    /// The servers before a major upgrade, stopped: their folder still has the authority's certificate and the log.
    predecessor: Option<Arc<Self>>,
    iam_logins: IamLogins,
    /// One restart at a time: a failover may come in the middle of a reboot.
    restarting: tokio::sync::Mutex<()>,
    sync: tokio::sync::Mutex<Option<Client>>,
    reader: Mutex<Option<Arc<Reader>>>,
    endpoint: Mutex<Option<Proxy>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// A streaming replica and its endpoint.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) server: PostgresServer,
    endpoint: Proxy,
}

impl Reader {
    /// The address that clients connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.endpoint.address()
    }
}

impl ClusterPostgres {
    /// Starts a server of this engine version with `values` in effect and its roles. It has no endpoint yet.
    pub(crate) async fn start(version: &str, tls: bool, admin: &Admin, values: &Values) -> Result<Arc<Self>> {
        let server = Self::start_server(version, tls, values).await?;
        prepare(&server.0).await?;
        create_admin(&server.0, admin).await?;
        Ok(Self::of(server, version, &admin.username, None))
    }

    /// Starts the server that takes the place of `old`, with the same certificate and without any role but those of RDS.
    pub(crate) async fn start_successor(old: &Arc<Self>, version: &str, values: &Values) -> Result<Arc<Self>> {
        let server = Self::start_server(version, old.server.ca_certificate().is_some(), values).await?;
        if old.server.ca_certificate().is_some() {
            server.0.show_certificate(&old.server.certificate()?).await?;
        }
        prepare(&server.0).await?;
        Ok(Self::of(server, version, &old.admin, Some(Arc::clone(old))))
    }

    async fn start_server(version: &str, tls: bool, values: &Values) -> Result<(PostgresServer, String)> {
        let major = major_of(version)?;
        let preload =
            tokio::task::spawn_blocking(move || module::compiled(major)).await.context("compiling the server module")??;
        let preload = preload.to_string_lossy().into_owned();
        let mut options = ServerOptions { major, settings: settings(&preload, version, major, values), tls_names: Vec::new() };
        if tls {
            options = options.tls();
        }
        Ok((PostgresServer::start(options).await?, preload))
    }

    fn of((server, preload): (PostgresServer, String), version: &str, admin: &str, predecessor: Option<Arc<Self>>) -> Arc<Self> {
        let cluster = Arc::new(Self {
            server,
            preload,
            version: Mutex::new(version.to_owned()),
            admin: admin.to_owned(),
            predecessor,
            iam_logins: IamLogins::default(),
            restarting: tokio::sync::Mutex::new(()),
            sync: tokio::sync::Mutex::new(None),
            reader: Mutex::new(None),
            endpoint: Mutex::new(None),
            tasks: Mutex::new(Vec::new()),
        });
        lock(&cluster.tasks).push(tokio::spawn(Self::follow_memberships(Arc::downgrade(&cluster))));
        cluster
    }

    /// Ends the sessions and lets no client in any more; the rig's superuser still connects. Returns the writer's address.
    pub(crate) async fn close(&self, values: &Values) -> Result<SocketAddr> {
        let address = lock(&self.endpoint).take().map(|endpoint| endpoint.address()).context("the endpoint is closed already")?;
        let _alone = self.restarting.lock().await;
        let mut settings = self.settings(values);
        settings.insert("listen_addresses".to_owned(), String::new());
        // One more than there may be now, for a look into them.
        settings.insert("max_replication_slots".to_owned(), "200".to_owned());
        self.server.restart(settings).await?;
        Ok(address)
    }

    /// From the next restart on, the engine has this version.
    pub(crate) fn set_version(&self, version: &str) {
        version.clone_into(&mut lock(&self.version));
    }

    fn settings(&self, values: &Values) -> Settings {
        settings(&self.preload, &lock(&self.version), self.server.major(), values)
    }

    /// The port of the writer's endpoint, 0 before it listens.
    pub(crate) fn port(&self) -> u16 {
        lock(&self.endpoint).as_ref().map_or(0, |endpoint| endpoint.address().port())
    }

    /// Keeps the writer's endpoint open for the cluster's life.
    pub(crate) fn keep_endpoint(&self, endpoint: Proxy) {
        *lock(&self.endpoint) = Some(endpoint);
    }

    /// The writer's server.
    pub(crate) fn server(&self) -> &PostgresServer {
        &self.server
    }

    /// The reader, if it was started.
    pub(crate) fn reader(&self) -> Option<Arc<Reader>> {
        lock(&self.reader).clone()
    }

    /// Restarts the writer with these values in effect.
    pub(crate) async fn restart(&self, values: &Values) -> Result<()> {
        let _alone = self.restarting.lock().await;
        self.server.restart(self.settings(values)).await
    }

    /// Gives the master user another password.
    pub(crate) async fn set_admin_password(&self, password: &str) -> Result<()> {
        let statement = format!("ALTER ROLE {} PASSWORD {}", quoted(&self.admin, '"'), quoted(password, '\''));
        self.server.superuser("postgres").await?.batch_execute(&statement).await.context("setting the master user's password")
    }

    /// Restarts the reader, if there is one, with these values in effect.
    pub(crate) async fn restart_reader(&self, values: &Values) -> Result<()> {
        match self.reader() {
            Some(reader) => reader.server.restart(self.reader_settings(values)).await,
            None => Ok(()),
        }
    }

    /// Makes the writer read these values without a restart.
    pub(crate) async fn reload(&self, values: &Values) -> Result<()> {
        self.server.reload(self.settings(values)).await
    }

    /// Starts a streaming replica. It has no endpoint yet.
    pub(crate) async fn start_standby(&self, values: &Values) -> Result<PostgresServer> {
        let options = ServerOptions { major: self.server.major(), settings: self.reader_settings(values), tls_names: Vec::new() };
        PostgresServer::start_standby(&self.server, options).await
    }

    /// Keeps a replica and its endpoint for the cluster's life.
    pub(crate) fn keep_reader(&self, server: PostgresServer, endpoint: Proxy) -> Arc<Reader> {
        let reader = Arc::new(Reader { server, endpoint });
        *lock(&self.reader) = Some(Arc::clone(&reader));
        reader
    }

    /// The same as the writer's, including the certificate: it comes with the copy of the data folder, and clients know one
    /// authority.
    fn reader_settings(&self, values: &Values) -> Settings {
        let mut settings = self.settings(values);
        if self.server.ca_certificate().is_some() {
            for (name, value) in [("ssl", "on"), ("ssl_cert_file", CERTIFICATE_FILE), ("ssl_key_file", KEY_FILE)] {
                settings.insert(name.to_owned(), value.to_owned());
            }
        }
        settings
    }

    /// PEM file of the authority that signed the servers' certificates.
    pub(crate) fn ca_certificate(&self) -> Option<&Path> {
        match &self.predecessor {
            Some(predecessor) => predecessor.ca_certificate(),
            None => self.server.ca_certificate(),
        }
    }

    /// Synchronizes the REPLICATION attribute with membership in rds_replication. If that fails (the server restarts, a session
    /// holds the role), the next round does it.
    pub(crate) async fn sync_replication(&self) {
        let mut slot = self.sync.lock().await;
        if slot.as_ref().is_none_or(Client::is_closed) {
            *slot = self.server.superuser("postgres").await.ok();
            if let Some(client) = slot.as_ref() {
                // Another session may hold the role in an open transaction, and may itself be waiting for this connection.
                let _ = client.batch_execute("SET lock_timeout = '500ms'").await;
            }
        }
        if let Some(client) = slot.as_ref() {
            let _ = client.batch_execute("SELECT pg_catalog.sim_sync_replication()").await;
        }
    }

    /// The logins with tokens at the cluster's endpoints.
    pub(crate) fn iam_logins(&self) -> &IamLogins {
        &self.iam_logins
    }

    /// Whether a role may log in with a token only. An unknown role may not log in at all; the server itself refuses it.
    pub(crate) async fn is_iam_member(&self, is_reader: bool, role: &str) -> Result<bool> {
        let reader = self.reader();
        let server = reader.as_ref().filter(|_| is_reader).map_or(&self.server, |reader| &reader.server);
        let client = server.superuser("postgres").await?;
        let statement =
            "SELECT EXISTS (SELECT FROM pg_authid WHERE rolname = $1 AND NOT rolsuper AND pg_has_role(oid, 'rds_iam', 'MEMBER'))";
        Ok(client.query_one(statement, &[&role]).await.context("looking a role up")?.get(0))
    }

    /// Makes a role a member of rds_iam, or revokes that, as the rig's superuser.
    pub(crate) async fn set_iam_member(&self, role: &str, member: bool) -> Result<()> {
        let (verb, word) = if member { ("GRANT", "TO") } else { ("REVOKE", "FROM") };
        let statement = format!("{verb} rds_iam {word} {}", quoted(role, '"'));
        self.server.superuser("postgres").await?.batch_execute(&statement).await.with_context(|| statement)
    }

    async fn follow_memberships(cluster: Weak<Self>) {
        loop {
            tokio::time::sleep(SYNC_INTERVAL).await;
            match cluster.upgrade() {
                Some(cluster) => cluster.sync_replication().await,
                None => return,
            }
        }
    }
}

impl ClusterPostgres {
    /// Ends the servers and endpoints, even if this value is still in use.
    pub(crate) fn terminate(&self) {
        for task in lock(&self.tasks).drain(..) {
            task.abort();
        }
        drop(lock(&self.endpoint).take());
        if let Some(reader) = lock(&self.reader).take() {
            reader.server.terminate();
        }
        self.server.terminate();
    }
}

impl Drop for ClusterPostgres {
    fn drop(&mut self) {
        self.terminate();
    }
}

/// The group's values that Postgres itself knows, and substitutes for the others.
fn settings(preload: &str, version: &str, major: u32, values: &Values) -> Settings {
    let mut settings = Settings::from([("shared_preload_libraries".to_owned(), preload.to_owned())]);
    if major == 12 {
        // Later servers allow the superuser to set it for a session.
        settings.insert("allow_system_table_mods".to_owned(), "on".to_owned());
    }
    for (name, value) in values {
        // A formula is computed for an instance class, which does not exist here.
        if !name.contains('.') && !value.contains('{') && catalogue::reaches_postgres(name) {
            settings.insert(name.clone(), value.clone());
        }
    }
    let logical = values.get("rds.logical_replication").is_some_and(|value| value == "1");
    settings.insert("rds.logical_replication".to_owned(), if logical { "on" } else { "off" }.to_owned());
    settings.insert("wal_level".to_owned(), if logical { "logical" } else { "replica" }.to_owned());
    let extensions = catalogue::find(&format!("aurora-postgresql{major}"), "rds.extensions").ok();
    let extensions = extensions.and_then(|parameter| parameter.default).unwrap_or_default();
    settings.insert("rds.extensions".to_owned(), extensions.to_owned());
    // Aurora's own versions have a third number, for patches.
    let version = version.split('-').next().unwrap_or_default();
    settings.insert("aurora_sim.version".to_owned(), format!("{version}.0"));
    settings
}

/// The major version that an engine version begins with.
pub(crate) fn major_of(version: &str) -> Result<u32> {
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    major.context("the engine version does not begin with a number")
}

async fn prepare(server: &PostgresServer) -> Result<()> {
    let mods = if server.major() == 12 { "" } else { "SET allow_system_table_mods = on;" };
    let postgres = server.superuser("postgres").await?;
    postgres.batch_execute(CLUSTER_SQL).await.context("making the roles of RDS")?;
    for database in ["template1", "postgres"] {
        // A separate connection, closed at once: a session in template1 would prevent CREATE DATABASE from copying it.
        let client = server.superuser(database).await?;
        client.batch_execute(mods).await.context("allowing changes of system views")?;
        client.batch_execute(DATABASE_SQL).await.with_context(|| format!("preparing database {database}"))?;
    }
    Ok(())
}

async fn create_admin(server: &PostgresServer, admin: &Admin) -> Result<()> {
    let postgres = server.superuser("postgres").await?;
    let (role, password) = (quoted(&admin.username, '"'), quoted(&admin.password, '\''));
    postgres
        .batch_execute(&format!(
            "CREATE ROLE {role} LOGIN NOSUPERUSER CREATEDB CREATEROLE PASSWORD {password}; GRANT rds_superuser TO {role}; ALTER DATABASE postgres OWNER TO {role};"
        ))
        .await
        .with_context(|| format!("making the admin {}", admin.username))?;
    if admin.database != "postgres" {
        postgres
            .batch_execute(&format!("CREATE DATABASE {} OWNER {role}", quoted(&admin.database, '"')))
            .await
            .with_context(|| format!("making the database {}", admin.database))?;
    }
    Ok(())
}
