//! The simulator as a standalone program.

use std::process::ExitCode;
use std::time::Duration;

use acceptance_tests::postgres_server::SUPERUSER;
use acceptance_tests::simulator::{ClusterSpec, Options, Simulator};
use anyhow::{Context, Result};
use clap::Parser;

/// Simulates Amazon Aurora PostgreSQL on 127.0.0.1: the RDS API over HTTP and a real Postgres behind each cluster; at the same
/// address, the parts of Secrets Manager and STS that concern its credentials.
///
/// Clusters are created here with --cluster, or later by POST to /_sim/clusters. Point AWS_ENDPOINT_URL_RDS, or the provider's
/// aws.endpoints.rds, to the printed address; any credentials work (login tokens are signed with `testing`, `testing`). Ctrl-C
/// ends it with all its servers.
#[derive(Debug, Parser)]
#[command(name = "aurora-sim")]
struct Arguments {
    /// Port of the API and the control endpoint on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// Create a cluster of this name; may be given more than once
    #[arg(long = "cluster", value_name = "IDENTIFIER")]
    clusters: Vec<String>,
    /// Engine version of these clusters
    #[arg(long, default_value = "15.10")]
    engine_version: String,
    /// Instances of each of these clusters; the first is the writer
    #[arg(long, default_value_t = 2)]
    members: u32,
    /// Master user of these clusters
    #[arg(long, default_value = "clusteradmin")]
    admin_username: String,
    /// Name of the environment variable that holds the master user's password
    #[arg(long, default_value = "AURORA_SIM_ADMIN_PASSWORD")]
    admin_password_variable: String,
    /// First database of these clusters
    #[arg(long, default_value = "postgres")]
    database: String,
    /// Let Postgres speak TLS too
    #[arg(long)]
    tls: bool,
    /// Multiply real durations (a modification 15 s, a reboot 30 s) by this
    #[arg(long, default_value_t = 0.1)]
    time_scale: f64,
    /// Region in ARNs
    #[arg(long, default_value = "us-east-1")]
    region: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("aurora-sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<()> {
    Duration::try_from_secs_f64(arguments.time_scale).context("--time-scale must not be negative")?;
    let options =
        Options { time_scale: arguments.time_scale, region: arguments.region, port: arguments.port, ..Options::default() };
    let simulator = Simulator::start(options)?;
    println!("RDS API and control endpoint at {}", simulator.url());
    for identifier in &arguments.clusters {
        let mut spec = ClusterSpec::new(identifier)
            .engine_version(&arguments.engine_version)
            .members(arguments.members)
            .database(&arguments.database);
        spec.admin_username.clone_from(&arguments.admin_username);
        spec.tls = arguments.tls;
        if let Ok(password) = std::env::var(&arguments.admin_password_variable) {
            spec.admin_password = password;
        }
        let cluster = simulator.create_cluster(spec).await?;
        println!("cluster {identifier}: {}:{}, master user {}", cluster.host, cluster.port, arguments.admin_username);
        if let Some(certificate) = cluster.ca_certificate() {
            println!("  CA certificate: {}", certificate.display());
        }
        if let Ok(server) = cluster.server() {
            println!("  superuser: psql -h {} -p {} -U {SUPERUSER} postgres", server.socket_dir().display(), server.port());
            println!("  Postgres {}, log {}", server.version(), server.log_path().display());
        }
    }
    tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")?;
    Ok(())
}
