//! Creates clusters, and gives tests access to them and to the Postgres behind them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use tokio_postgres::{Client, NoTls};

use super::cluster_postgres::ClusterPostgres;
use super::endpoint;
use super::error::ApiError;
use super::iam::Keeper;
use super::iam_logins::{IamLogin, IamRefusal};
use super::lifecycle;
use super::master_secret;
use super::new_cluster;
use super::secret_text::SecretText;
use super::shared::Shared;
use super::spec::ClusterSpec;
use super::state::State;
use crate::postgres_server::{LoggedStatement, PostgresServer};

/// How long a wait for a status may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster of a simulator. Clones refer to the same cluster.
#[derive(Debug, Clone)]
pub struct ClusterHandle {
    /// The spec that it was created from.
    pub spec: ClusterSpec,
    /// Its ARN.
    pub arn: String,
    /// Its `DbClusterResourceId`.
    pub resource_id: String,
    /// The writer endpoint's host, as the API reports it.
    pub host: String,
    /// The writer endpoint's port; it stays the same across reboots.
    pub port: u16,
    pub(super) postgres: Option<Arc<ClusterPostgres>>,
    pub(super) shared: Arc<Shared>,
}

/// A member as DescribeDBClusters and DescribeDBInstances show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberStatus {
    /// `DBInstanceIdentifier`.
    pub identifier: String,
    /// `IsClusterWriter`.
    pub writer: bool,
    /// `DBInstanceStatus`.
    pub status: String,
    /// `DBClusterParameterGroupStatus`.
    pub parameter_group_status: String,
}

/// Creates a cluster; everything is available when this returns.
pub(super) async fn create(shared: Arc<Shared>, mut spec: ClusterSpec) -> Result<ClusterHandle> {
    let refusal = |error: ApiError| anyhow!("{}: {}", error.code, error.message);
    if spec.managed_master_secret {
        SecretText::random_password()?.reveal().clone_into(&mut spec.admin_password);
    }
    let values = {
        let state = shared.state();
        let (_, group) = new_cluster::check(&state, &spec).map_err(refusal)?;
        state.group_values(&group)
    };
    let postgres = new_cluster::start_postgres(&shared, &spec, &values).await?;
    let mut state = shared.state();
    new_cluster::add(&mut state, &shared.options, &spec).map_err(refusal)?;
    if spec.managed_master_secret {
        master_secret::manage(&mut state, &spec.identifier, None)?;
        master_secret::store(&shared, &mut state, &spec.identifier)?;
    }
    let cluster = state.clusters.get_mut(&spec.identifier).context("the cluster is gone already")?;
    if let Some(postgres) = postgres {
        cluster.connect(postgres);
    }
    ClusterHandle::of(&shared, &state, &spec.identifier).context("the cluster is gone already")
}

impl ClusterHandle {
    pub(super) fn find(shared: &Arc<Shared>, identifier: &str) -> Option<Self> {
        Self::of(shared, &shared.state(), identifier)
    }

    fn of(shared: &Arc<Shared>, state: &State, identifier: &str) -> Option<Self> {
        let cluster = state.clusters.get(identifier)?;
        Some(Self {
            spec: cluster.spec.clone(),
            arn: cluster.arn.clone(),
            resource_id: cluster.resource_id.clone(),
            host: cluster.host.clone(),
            port: cluster.port,
            postgres: cluster.postgres.clone(),
            shared: Arc::clone(shared),
        })
    }

    /// The Postgres that was behind the cluster when this handle was made, with the parameters that its writer started with. A
    /// major upgrade stops it: take another handle then.
    ///
    /// # Errors
    /// When the cluster was created without one.
    pub fn server(&self) -> Result<&PostgresServer> {
        let postgres = self.postgres.as_ref();
        Ok(postgres.with_context(|| format!("cluster {} has no Postgres", self.spec.identifier))?.server())
    }

    /// The Postgres that is behind the cluster now.
    fn postgres(&self) -> Result<Arc<ClusterPostgres>> {
        let now = self.shared.state().clusters.get(&self.spec.identifier).and_then(|cluster| cluster.postgres.clone());
        now.or_else(|| self.postgres.clone()).with_context(|| format!("cluster {} has no Postgres", self.spec.identifier))
    }

    /// Connects to the cluster's endpoint without TLS.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn connect(&self, user: &str, password: &str, database: &str) -> Result<Client> {
        // Connects to the real endpoint, regardless of what the API reports.
        let (host, port) = match self.postgres() {
            Ok(postgres) => ("127.0.0.1", postgres.port()),
            Err(_) => (self.host.as_str(), self.port),
        };
        let mut config = tokio_postgres::Config::new();
        config
            .host(host)
            .port(port)
            .user(user)
            .password(password)
            .dbname(database)
            .ssl_mode(tokio_postgres::config::SslMode::Disable);
        let (client, connection) = config.connect(NoTls).await.with_context(|| format!("connecting to {database} as {user}"))?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Connects as the master user, who is not a superuser.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn admin(&self, database: &str) -> Result<Client> {
        self.connect(&self.spec.admin_username, &self.master_password(), database).await
    }

    /// Connects as the rig's superuser, bypassing the endpoint. Its statements are not logged.
    ///
    /// # Errors
    /// When the server is down.
    pub async fn superuser(&self, database: &str) -> Result<Client> {
        self.postgres()?.server().superuser(database).await
    }

    /// The output of `SHOW name` on the writer.
    ///
    /// # Errors
    /// When the server is down or has no such parameter.
    pub async fn show(&self, name: &str) -> Result<String> {
        let row = self
            .superuser("postgres")
            .await?
            .query_one(&format!("SHOW {name}"), &[])
            .await
            .with_context(|| format!("asking for {name}"))?;
        Ok(row.get(0))
    }

    /// The server's whole log.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn server_log(&self) -> Result<String> {
        self.postgres()?.server().log_text()
    }

    /// The statements that clients sent to the writer, in order.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn statements(&self) -> Result<Vec<LoggedStatement>> {
        self.postgres()?.server().statements()
    }

    /// PEM file of the authority that signed the server's certificate; `None` without TLS.
    #[must_use]
    pub fn ca_certificate(&self) -> Option<&Path> {
        self.postgres.as_ref()?.ca_certificate()
    }

    /// Makes a role a member of `rds_iam`, as the rig's superuser. This also works for the master user itself, and on majors
    /// where the master user may not grant it.
    ///
    /// # Errors
    /// When the server is down or has no such role.
    pub async fn grant_rds_iam(&self, role: &str) -> Result<()> {
        self.postgres()?.set_iam_member(role, true).await
    }

    /// Takes that back.
    ///
    /// # Errors
    /// When the server is down or has no such role.
    pub async fn revoke_rds_iam(&self, role: &str) -> Result<()> {
        self.postgres()?.set_iam_member(role, false).await
    }

    /// Why members of `rds_iam` were refused so far, in order; the clients do not see the reasons.
    #[must_use]
    pub fn iam_refusals(&self) -> Vec<IamRefusal> {
        self.postgres().map(|postgres| postgres.iam_logins().refused()).unwrap_or_default()
    }

    /// The logins with tokens that were accepted so far, in order.
    #[must_use]
    pub fn iam_logins(&self) -> Vec<IamLogin> {
        self.postgres().map(|postgres| postgres.iam_logins().accepted()).unwrap_or_default()
    }

    /// From now on the API reports another writer endpoint, as if a tunnel or another name pointed to this one. Tokens are valid
    /// for the endpoint that the API reports.
    pub fn show_endpoint(&self, host: &str, port: u16) {
        if let Some(cluster) = self.shared.state().clusters.get_mut(&self.spec.identifier) {
            host.clone_into(&mut cluster.host);
            cluster.port = port;
        }
    }

    /// Starts a real streaming replica (once) and returns the reader endpoint's host and port.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_reader(&self) -> Result<(String, u16)> {
        let postgres = self.postgres()?;
        let values = self
            .shared
            .state()
            .clusters
            .get(&self.spec.identifier)
            .and_then(|cluster| Some(cluster.writer()?.values.clone()))
            .unwrap_or_default();
        let keeper = Keeper::new(Arc::downgrade(&self.shared), &self.spec.identifier);
        let task = self.shared.runtime.spawn(async move { endpoint::start_reader(&postgres, keeper, &values).await });
        let address = task.await.context("starting a reader")??.address();
        if let Some(cluster) = self.shared.state().clusters.get_mut(&self.spec.identifier) {
            cluster.reader_host = address.ip().to_string();
        }
        Ok((address.ip().to_string(), address.port()))
    }

    /// The current password of the master user on the server.
    #[must_use]
    pub fn master_password(&self) -> String {
        let state = self.shared.state();
        let known = state.clusters.get(&self.spec.identifier).map(|cluster| cluster.master_password.reveal().to_owned());
        known.unwrap_or_else(|| self.spec.admin_password.clone())
    }

    /// The ARN of the secret with the master user's password; `None` if RDS does not manage it.
    #[must_use]
    pub fn master_secret_arn(&self) -> Option<String> {
        let state = self.shared.state();
        Some(state.clusters.get(&self.spec.identifier)?.master_secret.as_ref()?.arn.clone())
    }

    /// The cluster's status.
    #[must_use]
    pub fn status(&self) -> String {
        self.shared
            .state()
            .clusters
            .get(&self.spec.identifier)
            .map_or_else(|| "deleted".to_owned(), |cluster| cluster.status.clone())
    }

    /// The name of the attached parameter group.
    #[must_use]
    pub fn parameter_group(&self) -> String {
        self.shared.state().clusters.get(&self.spec.identifier).map(|cluster| cluster.parameter_group.clone()).unwrap_or_default()
    }

    /// The members in the order of their creation.
    #[must_use]
    pub fn members(&self) -> Vec<MemberStatus> {
        let state = self.shared.state();
        let members = state.clusters.get(&self.spec.identifier).map(|cluster| cluster.members.as_slice()).unwrap_or_default();
        members
            .iter()
            .map(|member| MemberStatus {
                identifier: member.identifier.clone(),
                writer: member.writer,
                status: member.status.clone(),
                parameter_group_status: member.parameter_group_status.clone(),
            })
            .collect()
    }

    /// Why the last major upgrade failed, as RDS tells in an event; `None` if it succeeded.
    #[must_use]
    pub fn upgrade_failure(&self) -> Option<String> {
        self.shared.state().clusters.get(&self.spec.identifier)?.upgrade_failure.clone()
    }

    /// Leaves a change pending, as after a modification of the cluster without applying it: `name` is a field of
    /// `PendingModifiedValues`, such as `EngineVersion`.
    pub fn leave_pending(&self, name: &str, value: &str) {
        if let Some(cluster) = self.shared.state().clusters.get_mut(&self.spec.identifier) {
            cluster.pending.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Gives it this resource id, as if it had been deleted and created again.
    pub fn become_another(&self, resource_id: &str) {
        if let Some(cluster) = self.shared.state().clusters.get_mut(&self.spec.identifier) {
            resource_id.clone_into(&mut cluster.resource_id);
        }
    }

    /// Makes it a replica of another cluster, as somebody else might.
    pub fn replicate(&self, source_arn: &str) {
        if let Some(cluster) = self.shared.state().clusters.get_mut(&self.spec.identifier) {
            cluster.replication_source = Some(source_arn.to_owned());
            cluster.members.iter_mut().for_each(|member| member.writer = false);
        }
    }

    /// Makes another member the writer at once, even during other changes, as when the writer fails. No call and no status
    /// announces it.
    pub fn move_writer(&self, target: &str) {
        if let Some(cluster) = self.shared.state().clusters.get_mut(&self.spec.identifier) {
            lifecycle::move_writer(&self.shared, cluster, target);
        }
    }

    /// Reports this status for the cluster until it is set again or the next call that takes time ends.
    pub fn set_status(&self, status: &str) {
        if let Some(cluster) = self.shared.state().clusters.get_mut(&self.spec.identifier) {
            status.clone_into(&mut cluster.status);
        }
    }

    /// The same for one of its members.
    pub fn set_member_status(&self, member: &str, status: &str) {
        let mut state = self.shared.state();
        if let Some(member) = state.clusters.get_mut(&self.spec.identifier).and_then(|cluster| cluster.member_mut(member)) {
            status.clone_into(&mut member.status);
        }
    }

    /// Waits until the cluster and all its members are `available` and no parameter is being applied.
    ///
    /// # Errors
    /// If that takes more than a minute: the message has the statuses.
    pub async fn wait_until_available(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let members = self.members();
            let settled =
                members.iter().all(|member| member.status == "available" && member.parameter_group_status != "applying");
            if settled && self.status() == "available" {
                // A server may still be restarting after the writer moved, which no status shows.
                self.shared.clock.settle().await;
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("cluster {} is {} with {members:?}", self.spec.identifier, self.status());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
