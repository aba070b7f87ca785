//! Plans without changes, near the database and far from it, beside the same without a refresh, and beside as many resources of
//! Terraform's own.

use std::path::Path;
use std::time::{Duration, Instant};

use acceptance_tests::cost::{CountingRig, RunCost, floor, many, one_source, users_of_databases};
use acceptance_tests::rig::DATABASE;
use acceptance_tests::terraform_cli::Terraform;
use anyhow::{Context as _, Result};

use super::process::{median, watched};

/// Time for a request and its answer, when the database is far.
pub(crate) const FAR: Duration = Duration::from_millis(20);
/// How often each plan is run; the median counts.
const TIMES: usize = 3;
/// Over how many databases users are distributed.
const DATABASES: usize = 10;

/// What plans cost.
pub(crate) struct DatabaseCost {
    /// The day, from the server.
    pub(crate) date: String,
    /// Version of the server.
    pub(crate) server: String,
    /// Version of terraform, as it reports it.
    pub(crate) terraform: String,
    pub(crate) rows: Vec<Row>,
    /// The largest private memory of the provider during a plan of as many users as publications, in KiB.
    pub(crate) memory: u64,
}

/// One configuration.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) resources: usize,
    pub(crate) near: RunCost,
    /// With `-refresh=false`, run in turn with the others.
    pub(crate) without_refresh: RunCost,
    pub(crate) far: RunCost,
    /// As many `terraform_data`.
    pub(crate) floor: Duration,
    /// The apply that created everything, near the database.
    pub(crate) create: Duration,
}

pub(crate) async fn measure(binary: &Path, resources: usize) -> Result<DatabaseCost> {
    let counting = cluster(binary).await?;
    let version = counting.rig.tf.run(["version"]).await?.succeeded()?.stdout;
    let date = counting.rig.ask("SELECT current_date::text").await?;
    let server = counting.rig.ask("SHOW server_version").await?;
    let mut rows = vec![row(&counting, "1 user of 10 schemas, 1 publication of 10 tables", &one_source(10, 1), 2).await?];

    // A cluster for each: it takes less time than to destroy what the last configuration created.
    let counting = cluster(binary).await?;
    let users = users_of_databases(resources, 1, &[DATABASE]);
    rows.push(row(&counting, &format!("{resources} users"), &users, resources).await?);

    let counting = cluster(binary).await?;
    let pairs = (resources / 2).max(1);
    let what = format!("{pairs} users, {pairs} publications");
    rows.push(row(&counting, &what, &many(pairs), pairs * 2).await?);
    let (_, memory) = watched(binary, counting.plan()).await?;

    let counting = cluster(binary).await?;
    let databases: Vec<String> = (0..DATABASES).map(|number| format!("d{number}")).collect();
    for database in &databases {
        counting.rig.sql(&format!("CREATE DATABASE {database}")).await?;
        counting.make_tables_in(database, 1, 1).await?;
    }
    let databases: Vec<&str> = databases.iter().map(String::as_str).collect();
    let what = format!("{resources} users in {DATABASES} databases");
    rows.push(row(&counting, &what, &users_of_databases(resources, 1, &databases), resources).await?);

    let terraform = version.lines().next().unwrap_or_default().to_owned();
    Ok(DatabaseCost { date, server, terraform, rows, memory })
}

/// A cluster with ten schemas of one table each.
pub(crate) async fn cluster(binary: &Path) -> Result<CountingRig> {
    let counting = CountingRig::start().await?;
    counting.rig.tf.use_provider(binary)?;
    counting.make_tables(10, 1).await?;
    Ok(counting)
}

async fn row(counting: &CountingRig, what: &str, configuration: &str, resources: usize) -> Result<Row> {
    eprintln!("{what}: creating");
    counting.rig.main(configuration)?;
    let create = counting.run(&["apply", "-auto-approve"]).await?.wall;
    let without_us = without_us(resources).await?;
    eprintln!("{what}: planning");
    counting.count(false).await?;
    let (mut near, mut without_refresh, mut floor) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TIMES {
        near.push(counting.plan().await?);
        without_refresh.push(counting.plan_with(&["-refresh=false"]).await?);
        floor.push(timed_plan(&without_us).await?);
    }
    counting.count(true).await?;
    counting.network.set_round_trip(FAR);
    let far = counting.plan().await?;
    counting.network.set_round_trip(Duration::ZERO);
    Ok(Row {
        what: what.to_owned(),
        resources,
        near: middle(near)?,
        without_refresh: middle(without_refresh)?,
        far,
        floor: median(floor),
        create,
    })
}

/// The run with the median time.
fn middle(mut costs: Vec<RunCost>) -> Result<RunCost> {
    costs.sort_by_key(|cost| cost.wall);
    costs.get(costs.len() / 2).copied().context("nothing was run")
}

async fn without_us(resources: usize) -> Result<Terraform> {
    let workspace = Terraform::new()?.with_env("TF_LOG", "");
    workspace.remove("required_providers.tf")?;
    workspace.write("main.tf", &floor(resources))?;
    workspace.apply().await?;
    Ok(workspace)
}

async fn timed_plan(workspace: &Terraform) -> Result<Duration> {
    let started = Instant::now();
    workspace.run(["plan", "-no-color", "-input=false", "-detailed-exitcode"]).await?.succeeded()?;
    Ok(started.elapsed())
}
