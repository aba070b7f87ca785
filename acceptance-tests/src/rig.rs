//! One simulated cluster with its Postgres, and a terraform workspace that points to it: the start of most acceptance tests.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio_postgres::Client;

use crate::core_client::DEADLINE;
use crate::postgres_server::LoggedStatement;
use crate::simulator::{ClusterHandle, ClusterSpec, Options, Simulator};
use crate::stream::{ReplicationStream, Source};
use crate::terraform_cli::Terraform;

/// The master user.
pub const ADMIN: &str = "clusteradmin";
/// The master user's password, different from anything else in a log.
pub const ADMIN_PASSWORD: &str = "adm1n-Pa55-w0rd-zq81";
/// Identifier of the cluster.
pub const CLUSTER: &str = "orders";
/// The database, owned by the master user.
pub const DATABASE: &str = "app";

/// `application_name` of the provider's sessions.
pub const APPLICATION: &str = "terraform-provider-clickpipes";
/// Beginnings of statements that change nothing and therefore are not in any list of operations.
const UNLISTED: [&str; 8] = ["BEGIN", "COMMIT", "ROLLBACK", "SET ", "SELECT", "WITH", "SHOW", "START"];

/// The provider's statements that changed something, among those of all clients.
#[must_use]
pub fn changes(statements: Vec<LoggedStatement>) -> Vec<String> {
    let of_provider = statements.into_iter().filter(|statement| statement.application == APPLICATION);
    of_provider.map(|statement| statement.text).filter(|text| is_change(text)).collect()
}

/// Whether a statement of the provider changes something.
#[must_use]
pub fn is_change(statement: &str) -> bool {
    !statement.is_empty() && !UNLISTED.iter().any(|word| statement.starts_with(word))
}

/// A logged statement in the form of `operations`, which do not show the verifier of a password.
///
/// # Panics
/// If the text after PASSWORD is not a verifier.
#[must_use]
pub fn without_verifier(text: &str) -> String {
    match text.split_once("PASSWORD '") {
        Some((before, after)) => {
            assert!(after.starts_with("SCRAM-SHA-256$"), "{before}PASSWORD is no verifier");
            let rest = after.split_once('\'').map_or("", |(_, rest)| rest);
            format!("{before}PASSWORD '<redacted>'{rest}")
        }
        None => text.to_owned(),
    }
}

/// A provider block for the simulated AWS, with these `postgres` settings.
#[must_use]
pub fn provider_block(simulator: &Simulator, postgres: &str) -> String {
    let url = simulator.url();
    format!(
        r#"provider "clickpipes" {{
  aws = {{
    region     = "us-east-1"
    access_key = "testing"
    secret_key = "testing"
    endpoints  = {{ rds = "{url}", secretsmanager = "{url}", sts = "{url}" }}
  }}
  postgres = {{ {postgres} }}
}}
"#
    )
}

/// A cluster and a workspace.
pub struct Rig {
    /// The workspace.
    pub tf: Terraform,
    /// The cluster [`CLUSTER`].
    pub cluster: ClusterHandle,
    /// The control plane.
    pub simulator: Simulator,
}

impl Rig {
    /// A writer and a reader of Aurora PostgreSQL 15, and a workspace whose provider block contains the connection settings.
    ///
    /// # Errors
    /// If the machine lacks something; the message names it.
    pub async fn start() -> Result<Self> {
        Self::start_with(ClusterSpec::new(CLUSTER)).await
    }

    /// The same with logical replication on from the start.
    ///
    /// # Errors
    /// If the machine lacks something; the message names it.
    pub async fn start_logical() -> Result<Self> {
        Self::start_with_parameters(&[("rds.logical_replication", "1")]).await
    }

    /// The same with these cluster parameters in effect.
    ///
    /// # Errors
    /// If the machine lacks something; the message names it.
    pub async fn start_with_parameters(parameters: &[(&str, &str)]) -> Result<Self> {
        let simulator = Simulator::start(Options::default())?;
        simulator.create_parameter_group("custom", "aurora-postgresql15", parameters)?;
        Self::start_in(simulator, ClusterSpec::new(CLUSTER).parameter_group("custom")).await
    }

    /// The same for a custom cluster; admin and database are set here.
    ///
    /// # Errors
    /// If the machine lacks something; the message names it.
    pub async fn start_with(spec: ClusterSpec) -> Result<Self> {
        Self::start_in(Simulator::start(Options::default())?, spec).await
    }

    async fn start_in(simulator: Simulator, spec: ClusterSpec) -> Result<Self> {
        let cluster = simulator.create_cluster(spec.admin(ADMIN, ADMIN_PASSWORD).database(DATABASE)).await?;
        let tf = Terraform::new()?.with_env("PGPASSWORD", ADMIN_PASSWORD);
        let rig = Self { tf, cluster, simulator };
        let (host, port) = (rig.cluster.host.clone(), rig.cluster.port);
        rig.provider(&format!(r#"host = "{host}", port = {port}, username = "{ADMIN}", sslmode = "disable""#))?;
        Ok(rig)
    }

    /// Writes a provider block that connects to this address as the master user, without TLS.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn dial(&self, address: std::net::SocketAddr) -> Result<()> {
        let (host, port) = (address.ip(), address.port());
        self.provider(&format!(r#"host = "{host}", port = {port}, username = "{ADMIN}", sslmode = "disable""#))
    }

    /// Writes the provider block with these `postgres` settings.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn provider(&self, postgres: &str) -> Result<()> {
        self.tf.write("provider.tf", &provider_block(&self.simulator, postgres))
    }

    /// A logical slot, and the stream that holds it, as the master user.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn stream(&self, slot: &str, publication: &str) -> Result<ReplicationStream> {
        self.sql(&format!("SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")).await?;
        let password = self.cluster.master_password();
        let source = Source {
            host: &self.cluster.host,
            port: self.cluster.port,
            user: ADMIN,
            password: &password,
            database: DATABASE,
            slot,
            publication,
        };
        ReplicationStream::open(source).await
    }

    /// Writes `main.tf`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn main(&self, configuration: &str) -> Result<()> {
        self.tf.write("main.tf", configuration)
    }

    /// The master user in [`DATABASE`].
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn admin(&self) -> Result<Client> {
        self.cluster.admin(DATABASE).await
    }

    /// Runs SQL as the master user in [`DATABASE`].
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn sql(&self, sql: &str) -> Result<()> {
        self.admin().await?.batch_execute(sql).await.with_context(|| format!("running {sql}"))
    }

    /// One text from the catalogue, as the rig's superuser sees it; null is empty.
    ///
    /// # Errors
    /// If the query fails or gives no row.
    pub async fn ask(&self, sql: &str) -> Result<String> {
        let row = self.cluster.superuser(DATABASE).await?.query_one(sql, &[]).await.with_context(|| format!("asking {sql}"))?;
        Ok(row.get::<_, Option<String>>(0).unwrap_or_default())
    }

    /// Makes every COMMIT wait, after it is done on this server, for a standby that does not exist; or ends that.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn hold_commits(&self, hold: bool) -> Result<()> {
        let superuser = self.cluster.superuser("postgres").await?;
        let standby = if hold { "nobody" } else { "" };
        superuser.batch_execute(&format!("ALTER SYSTEM SET synchronous_standby_names = '{standby}'")).await?;
        Ok(superuser.batch_execute("SELECT pg_reload_conf()").await?)
    }

    /// Waits until the provider's COMMIT is done on this server and waits for the standby.
    ///
    /// # Errors
    /// If the server cannot be queried, or no COMMIT waits.
    pub async fn commit_waits(&self) -> Result<()> {
        let started = Instant::now();
        while self.ask("SELECT count(*)::text FROM pg_stat_activity WHERE wait_event = 'SyncRep'").await? != "1" {
            anyhow::ensure!(started.elapsed() < DEADLINE, "no COMMIT came to wait for the standby");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Cuts the connection with the waiting COMMIT before it is answered.
    ///
    /// # Errors
    /// If the server cannot be queried.
    pub async fn cut_waiting_commit(&self) -> Result<()> {
        self.ask("SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE wait_event = 'SyncRep'").await?;
        Ok(())
    }

    /// The provider's statements that changed something, in order, since the server started.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn changes(&self) -> Result<Vec<String>> {
        Ok(changes(self.cluster.statements()?))
    }

    /// Applies after a plan, and checks that exactly the planned operations of `address` ran and that the next plan is empty.
    /// Returns the attributes.
    ///
    /// # Errors
    /// If one of these is not so.
    pub async fn apply_as_reviewed(&self, address: &str) -> Result<Value> {
        let before = self.changes()?.len();
        let plan = self.tf.plan().await?;
        let reviewed: Vec<String> = plan.operations(address).into_iter().map(str::to_owned).collect();
        self.tf.apply_plan(&plan).await?;
        let ran = self.changes()?.split_off(before);
        anyhow::ensure!(ran == reviewed, "reviewed: {reviewed:#?}\nran: {ran:#?}");
        self.tf.assert_empty_plan().await?;
        self.tf.resource(address).await
    }
}
