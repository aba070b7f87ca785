//! The process by itself: how soon it starts, how soon it answers, and how much memory it uses.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use acceptance_tests::core_client::{CoreClient, Identity, ProviderProcess, host_command_of};
use acceptance_tests::terraform_cli::Terraform;
use anyhow::{Context as _, Result};
use terraform_provider_clickpipes::proto::tfplugin6::get_provider_schema;

/// How often each measurement is made; the median counts.
const TIMES: usize = 21;

/// What the process costs.
pub(crate) struct ProcessCost {
    /// From the start to the handshake line.
    pub(crate) handshake: Duration,
    /// From the start to the answer with the schema, over TLS.
    pub(crate) schema: Duration,
    /// Private memory after the answer with the schema, in KiB.
    pub(crate) memory: u64,
    /// `terraform validate` of one resource, and of one `terraform_data`.
    pub(crate) validate: [Duration; 2],
    /// `terraform providers schema` with the provider, and without any.
    pub(crate) providers_schema: [Duration; 2],
}

pub(crate) async fn measure(binary: &Path) -> Result<ProcessCost> {
    let (mut handshakes, mut schemas, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let identity = Identity::new()?;
        let started = Instant::now();
        let process = ProviderProcess::start(host_command_of(binary, &identity)).await?;
        handshakes.push(started.elapsed());
        drop(process);

        let started = Instant::now();
        let mut core = CoreClient::over(host_command_of(binary, &identity), &identity).await?;
        core.provider.get_provider_schema(get_provider_schema::Request {}).await?;
        schemas.push(started.elapsed());
        memory.push(own_memory(core.process.id()).context("the provider is gone")?);
        core.close().await?;
    }
    let ours = workspace(
        binary,
        "resource \"clickpipes_publication\" \"p\" {\n  name = \"p\"\n  database = \"d\"\n  all_tables = true\n}\n",
    )?;
    let floor = workspace(binary, "resource \"terraform_data\" \"d\" {}\n")?;
    floor.remove("required_providers.tf")?;
    let (validate, providers_schema) = (["validate"].as_slice(), ["providers", "schema", "-json"].as_slice());
    Ok(ProcessCost {
        handshake: median(handshakes),
        schema: median(schemas),
        memory: median(memory),
        validate: [timed(&ours, validate).await?, timed(&floor, validate).await?],
        providers_schema: [timed(&ours, providers_schema).await?, timed(&floor, providers_schema).await?],
    })
}

fn workspace(binary: &Path, configuration: &str) -> Result<Terraform> {
    let workspace = Terraform::new()?.with_env("TF_LOG", "");
    workspace.use_provider(binary)?;
    workspace.write("main.tf", configuration)?;
    Ok(workspace)
}

async fn timed(workspace: &Terraform, arguments: &[&str]) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        workspace.run(arguments).await?.succeeded()?;
        times.push(started.elapsed());
    }
    Ok(median(times))
}

/// `RssAnon` of a process in KiB: the memory that it does not share with its file or with other processes.
pub(crate) fn own_memory(pid: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB")?.parse().ok())
}

/// How often memory is measured while something runs.
const LOOK: Duration = Duration::from_millis(10);

/// Does something, and meanwhile watches every process that runs `binary`: the largest private memory of one of them, in KiB.
pub(crate) async fn watched<T>(binary: &Path, work: impl Future<Output = Result<T>>) -> Result<(T, u64)> {
    let binary = fs::canonicalize(binary)?;
    let mut most = 0;
    let look = async {
        loop {
            most = most.max(running(&binary).filter_map(own_memory).max().unwrap_or(0));
            tokio::time::sleep(LOOK).await;
        }
    };
    let done = tokio::select! {
        done = work => done?,
        () = look => anyhow::bail!("nobody looks any more"),
    };
    Ok((done, most))
}

fn running(binary: &Path) -> impl Iterator<Item = i32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(move |id| fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|executable| executable == binary))
}

/// The median.
pub(crate) fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort();
    values[values.len() / 2]
}
