//! Plans without changes, near the database and far from it, beside as many resources of Terraform's own.

use std::path::Path;
use std::time::{Duration, Instant};

use acceptance_tests::cost::{CountingRig, PlanCost, floor, many, one_source};
use acceptance_tests::terraform_cli::Terraform;
use anyhow::{Context as _, Result};

use super::process::{median, watched};

/// Time for a request and its answer, when the database is far.
pub(crate) const FAR: Duration = Duration::from_millis(20);
/// How often each plan is run; the median counts.
const TIMES: usize = 3;

/// What plans cost.
pub(crate) struct DatabaseCost {
    /// The day, from the server.
    pub(crate) date: String,
    /// Version of the server.
    pub(crate) server: String,
    /// Version of terraform, as it reports it.
    pub(crate) terraform: String,
    pub(crate) rows: Vec<Row>,
    /// The largest private memory of the provider during a plan of the large configuration, in KiB.
    pub(crate) memory: u64,
}

/// One configuration.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) near: PlanCost,
    pub(crate) far: PlanCost,
    /// As many `terraform_data`.
    pub(crate) floor: Duration,
    /// The apply that created everything, near the database.
    pub(crate) create: Duration,
}

pub(crate) async fn measure(binary: &Path, resources: usize) -> Result<DatabaseCost> {
    let counting = CountingRig::start().await?;
    counting.rig.tf.use_provider(binary)?;
    counting.make_tables(10, 1).await?;
    let pairs = (resources / 2).max(1);
    let small = row(&counting, "1 user of 10 schemas, 1 publication of 10 tables", &one_source(10, 1), 2).await?;
    counting.rig.tf.destroy().await?;
    let what = format!("{pairs} users, {pairs} publications");
    let large = row(&counting, &what, &many(pairs), pairs * 2).await?;
    let (_, memory) = watched(binary, counting.plan()).await?;
    let version = counting.rig.tf.run(["version"]).await?.succeeded()?.stdout;
    Ok(DatabaseCost {
        date: counting.rig.ask("SELECT current_date::text").await?,
        server: counting.rig.ask("SHOW server_version").await?,
        terraform: version.lines().next().unwrap_or_default().to_owned(),
        rows: vec![small, large],
        memory,
    })
}

async fn row(counting: &CountingRig, what: &str, configuration: &str, resources: usize) -> Result<Row> {
    eprintln!("{what}: creating");
    counting.network.set_round_trip(Duration::ZERO);
    counting.rig.main(configuration)?;
    let started = Instant::now();
    counting.rig.tf.apply().await?;
    let create = started.elapsed();
    eprintln!("{what}: planning");
    let near = plan(counting).await?;
    counting.network.set_round_trip(FAR);
    let far = plan(counting).await?;
    counting.network.set_round_trip(Duration::ZERO);
    Ok(Row { what: what.to_owned(), near, far, floor: without_us(resources).await?, create })
}

pub(crate) async fn plan(counting: &CountingRig) -> Result<PlanCost> {
    let mut costs = Vec::new();
    for _ in 0..TIMES {
        costs.push(counting.plan().await?);
    }
    costs.sort_by_key(|cost| cost.wall);
    costs.get(costs.len() / 2).copied().context("no plan was run")
}

async fn without_us(resources: usize) -> Result<Duration> {
    let workspace = Terraform::new()?.with_env("TF_LOG", "");
    workspace.remove("required_providers.tf")?;
    workspace.write("main.tf", &floor(resources))?;
    workspace.apply().await?;
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        workspace.run(["plan", "-no-color", "-input=false", "-detailed-exitcode"]).await?.succeeded()?;
        times.push(started.elapsed());
    }
    Ok(median(times))
}
