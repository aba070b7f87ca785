//! A simulated cluster with a real Postgres, and a configured provider that is called as core does.

use std::net::SocketAddr;

use acceptance_tests::core_client::{CoreClient, Schemas, TerraformCore};
use acceptance_tests::simulator::{ClusterHandle, ClusterSpec, Options, Simulator};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::entry::Entry;
use crate::places::all_unknown;
use crate::remote_steps::RemoteSteps;

const ADMIN: &str = "clusteradmin";
const PASSWORD: &str = "admin-password-of-the-cluster";

/// All of it.
pub struct World {
    /// The provider, configured.
    pub core: TerraformCore,
    /// The path from the provider to Postgres and AWS.
    pub steps: RemoteSteps,
    configuration: Json,
    client: CoreClient,
    simulator: Simulator,
    /// Ends with this value.
    cluster: ClusterHandle,
}

/// What is behind the cluster `orders`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// A real Postgres.
    Postgres,
    /// A real Postgres for a resource that runs statements, and nothing for others.
    WhatIsNeeded,
}

impl World {
    /// What the entry needs.
    pub async fn of(entry: &Entry, behind: Behind) -> Result<Self> {
        Self::with(&entry.clusters, &entry.before, behind == Behind::Postgres || entry.statements, &[]).await
    }

    /// The cluster `orders`, real or only described, with these parameters in effect, and these additional ones; `before` runs in the
    /// databases of the real one.
    pub async fn with(
        clusters: &[String],
        before: &[(String, String)],
        is_real: bool,
        parameters: &[(&str, &str)],
    ) -> Result<Self> {
        let simulator = Simulator::start(Options { time_scale: 0.0005, ..Options::default() })?;
        let mut spec = ClusterSpec::new("orders").admin(ADMIN, PASSWORD).database("app");
        if !parameters.is_empty() {
            simulator.create_parameter_group("custom", "aurora-postgresql15", parameters)?;
            spec = spec.parameter_group("custom");
        }
        let cluster = simulator.create_cluster(if is_real { spec } else { spec.without_postgres() }).await?;
        for identifier in clusters {
            simulator.create_cluster(ClusterSpec::new(identifier).without_postgres()).await?;
        }
        if is_real {
            run(&cluster, before).await?;
        }
        let mut steps = RemoteSteps::new();
        let postgres = match is_real {
            true => {
                let way = steps.lead_to_postgres(SocketAddr::new(cluster.host.parse()?, cluster.port)).await?;
                json!({ "host": way.ip(), "port": way.port(), "username": ADMIN, "password": PASSWORD, "sslmode": "disable" })
            }
            false => Json::Null,
        };
        let api = steps.lead_to_api(api(&simulator).parse()?).await?;
        let configuration = json!({
            "aws": {
                "region": "us-east-1", "access_key": "an id", "secret_key": "a secret key",
                "endpoints": { "rds": format!("http://{api}"), "sts": format!("http://{api}") },
            },
            "postgres": postgres,
        });
        let client = CoreClient::start().await?;
        let core = TerraformCore::load(client.provider.clone()).await?;
        let mut world = Self { core, steps, configuration, client, simulator, cluster };
        world.configure().await?;
        Ok(world)
    }

    /// Configures the provider, as each run of Terraform does once.
    pub async fn configure(&mut self) -> Result<()> {
        Ok(self.core.configure(&self.configuration).await?)
    }

    /// Runs SQL of the admin, each in a database.
    pub async fn run(&self, statements: &[(String, String)]) -> Result<()> {
        run(&self.cluster, statements).await
    }

    /// Removes what an object was a part of.
    pub async fn delete_clusters(&self, identifiers: &[String]) -> Result<()> {
        for identifier in identifiers {
            let mut control = TcpStream::connect(api(&self.simulator)).await?;
            let request = format!("DELETE /_sim/clusters/{identifier} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n");
            control.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            control.read_to_string(&mut answer).await?;
            ensure!(answer.starts_with("HTTP/1.1 2"), "{identifier}: {answer}");
        }
        Ok(())
    }

    /// Ends the provider, which must not have panicked.
    pub async fn end(self) -> Result<()> {
        end(self.client).await
    }
}

async fn run(cluster: &ClusterHandle, statements: &[(String, String)]) -> Result<()> {
    for (database, sql) in statements {
        cluster.admin(database).await?.batch_execute(sql).await.with_context(|| sql.clone())?;
    }
    Ok(())
}

fn api(simulator: &Simulator) -> String {
    simulator.url().trim_start_matches("http://").to_owned()
}

/// The schemas of the built provider.
pub async fn schemas() -> Result<Schemas> {
    let client = CoreClient::start().await?;
    let schemas = TerraformCore::load(client.provider.clone()).await?.schemas().clone();
    client.close().await?;
    Ok(schemas)
}

/// A provider that is not configured.
pub async fn loaded() -> Result<(CoreClient, TerraformCore)> {
    let client = CoreClient::start().await?;
    let core = TerraformCore::load(client.provider.clone()).await?;
    Ok((client, core))
}

/// One that may not connect, because the address is not known.
pub async fn unconfigured() -> Result<(CoreClient, TerraformCore)> {
    let (client, mut core) = loaded().await?;
    let unknown = all_unknown(&core.schemas().provider.attributes);
    core.configure_with(&unknown).await?;
    Ok((client, core))
}

/// Ends a provider, which must not have panicked.
pub async fn end(client: CoreClient) -> Result<()> {
    let exit = client.close().await?;
    ensure!(exit.status.success() && !exit.stderr.contains("panicked"), "{exit:?}");
    Ok(())
}
