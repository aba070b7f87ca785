//! One version in one flavour: a server with an application's tables, and a workspace whose provider works as the server's admin.

use acceptance_tests::postgres_server::{LoggedStatement, PostgresServer, ServerOptions};
use acceptance_tests::rig::{self, ADMIN_PASSWORD, CLUSTER, DATABASE, Rig, without_verifier};
use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, Simulator};
use acceptance_tests::terraform_cli::{Plan, Terraform};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio_postgres::Client;

pub const PASSWORD: &str = "first-password-of-the-user";
pub const PUBLICATION: &str = "clickpipes_publication.p";
pub const USER: &str = "clickpipes_replication_user.u";
/// The name of the admin in every cell.
pub const ADMIN: &str = "clusteradmin";

/// Tables of a role that the admin may act for. The partitions carry the keys, so that they can be published one by one too.
const APPLICATION: &str = "\
CREATE ROLE app_owner;
GRANT app_owner TO clusteradmin;
CREATE SCHEMA shop AUTHORIZATION app_owner;
CREATE SCHEMA billing AUTHORIZATION app_owner;
SET ROLE app_owner;
CREATE TABLE shop.orders (id int PRIMARY KEY, note text);
CREATE TABLE shop.customers (id int PRIMARY KEY);
CREATE TABLE shop.events (day int PRIMARY KEY) PARTITION BY LIST (day);
CREATE TABLE shop.events_1 PARTITION OF shop.events FOR VALUES IN (1);
CREATE TABLE billing.accounts (id int PRIMARY KEY);
RESET ROLE";

/// The kind of admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// The master user of a simulated cluster: a member of `rds_superuser`, not a superuser.
    Rds,
    /// A superuser of plain Postgres.
    Plain,
}

/// The server behind the workspace.
enum Server {
    Cluster { cluster: Box<ClusterHandle>, _simulator: Simulator },
    Plain(PostgresServer),
}

/// A cell of the table.
pub struct Cell {
    pub tf: Terraform,
    pub flavour: Flavour,
    pub major: u32,
    server: Server,
}

impl Cell {
    pub async fn start(major: u32, flavour: Flavour) -> Result<Self> {
        let (mut tf, server) = match flavour {
            Flavour::Rds => {
                // The minor version is not the server's own: only the API reports it.
                let spec = ClusterSpec::new(CLUSTER).engine_version(&format!("{major}.22"));
                let Rig { tf, cluster, simulator } = Rig::start_with(spec).await?;
                (tf, Server::Cluster { cluster: Box::new(cluster), _simulator: simulator })
            }
            Flavour::Plain => {
                let server = PostgresServer::start(ServerOptions::major(major).setting("wal_level", "logical")).await?;
                server.create_superuser(ADMIN, ADMIN_PASSWORD).await?;
                let superuser = server.superuser("postgres").await?;
                superuser.batch_execute(&format!("CREATE DATABASE {DATABASE} OWNER {ADMIN}")).await?;
                let tf = Terraform::new()?.with_env("PGPASSWORD", ADMIN_PASSWORD);
                let provider = format!(
                    "provider \"clickpipes\" {{\n  postgres = {{ host = \"127.0.0.1\", port = {}, username = \"{ADMIN}\", sslmode = \"disable\" }}\n}}\n",
                    server.port()
                );
                tf.write("provider.tf", &provider)?;
                (tf, Server::Plain(server))
            }
        };
        tf.set_env("TF_VAR_password", PASSWORD);
        tf.write("variables.tf", "variable \"password\" {\n  type      = string\n  ephemeral = true\n}\n")?;
        let cell = Self { tf, flavour, major, server };
        cell.sql(APPLICATION).await?;
        Ok(cell)
    }

    /// Whether the server has the features of this major version.
    pub fn since(&self, major: u32) -> bool {
        self.major >= major
    }

    pub fn server(&self) -> Result<&PostgresServer> {
        match &self.server {
            Server::Cluster { cluster, .. } => cluster.server(),
            Server::Plain(server) => Ok(server),
        }
    }

    /// The port on 127.0.0.1 that clients connect to.
    pub fn port(&self) -> u16 {
        match &self.server {
            Server::Cluster { cluster, .. } => cluster.port,
            Server::Plain(server) => server.port(),
        }
    }

    pub fn main(&self, configuration: &str) -> Result<()> {
        self.tf.write("main.tf", configuration)
    }

    /// Logs in to [`DATABASE`].
    pub async fn login(&self, user: &str, password: &str) -> Result<Client> {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.port()).user(user).password(password).dbname(DATABASE);
        config.ssl_mode(tokio_postgres::config::SslMode::Disable);
        let (client, connection) =
            config.connect(tokio_postgres::NoTls).await.with_context(|| format!("logging in as {user}"))?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Runs SQL as the admin.
    pub async fn sql(&self, sql: &str) -> Result<()> {
        self.login(ADMIN, ADMIN_PASSWORD).await?.batch_execute(sql).await.with_context(|| format!("running {sql}"))
    }

    /// One text from the catalogue, as the rig's superuser sees it; null is empty.
    pub async fn ask(&self, sql: &str) -> Result<String> {
        let superuser = self.server()?.superuser(DATABASE).await?;
        let row = superuser.query_one(sql, &[]).await.with_context(|| format!("asking {sql}"))?;
        Ok(row.get::<_, Option<String>>(0).unwrap_or_default())
    }

    /// Whether a condition holds in the catalogue.
    pub async fn holds(&self, condition: &str) -> Result<bool> {
        Ok(self.ask(&format!("SELECT (({condition})::bool)::text")).await? == "true")
    }

    /// The provider's changes so far, in the words of `operations`.
    pub fn changes(&self) -> Result<Vec<String>> {
        let logged: Vec<LoggedStatement> = self.server()?.statements()?;
        Ok(rig::changes(logged).iter().map(|text| without_verifier(text)).collect())
    }

    /// Plans and applies; exactly the planned operations ran, in order, and the next plan is empty. Returns the plan and the
    /// attributes.
    pub async fn apply_as_reviewed(&self, address: &str) -> Result<(Plan, Value)> {
        let before = self.changes()?.len();
        let plan = self.tf.plan().await?;
        let lines = match plan.is_unknown(address, "operations") {
            true => self.tf.would_run().await?,
            false => plan.operations(address).into_iter().map(str::to_owned).collect(),
        };
        let reviewed: Vec<String> =
            lines.iter().map(|line| line.replace("<each table owner of \"shop\">", "\"app_owner\"")).collect();
        ensure!(!reviewed.is_empty(), "nothing is planned:\n{}", plan.outcome.stdout);
        self.tf.apply_plan(&plan).await?;
        let ran = self.changes()?.split_off(before);
        ensure!(ran == reviewed, "reviewed: {reviewed:#?}\nran: {ran:#?}");
        self.tf.assert_empty_plan().await?;
        let attributes = self.tf.resource(address).await?;
        Ok((plan, attributes))
    }

    /// The message of a refused plan.
    pub async fn refusal(&self) -> Result<String> {
        Ok(self.tf.run(["plan", "-no-color", "-input=false"]).await?.failed()?.message())
    }
}
