//! `cargo cost`: measures what the provider costs, and prints it as the tables of docs/development/cost.md.

mod database;
mod large;
mod page;
mod process;
mod writes;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use acceptance_tests::docs::repository;
use acceptance_tests::provider_binary;
use anyhow::{Context as _, Result};
use clap::Parser;

/// Measures the release build of the provider on this machine: plans, applies, destroys, start, memory and size.
#[derive(Debug, Parser)]
#[command(name = "cargo cost")]
struct Arguments {
    /// How many resources the large configurations have
    #[arg(long, default_value_t = 1000)]
    resources: usize,
    /// How many tables the large publication has
    #[arg(long, default_value_t = 10_000)]
    tables: usize,
    /// Measure this binary, whose name must be terraform-provider-clickpipes, instead of building one
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Write the tables into docs/development/cost.md as well
    #[arg(long)]
    write: bool,
}

/// Above this load of the last minute the machine is not idle.
const QUIET: f64 = 0.5;

/// Everything that was measured.
struct Measured {
    /// The load of the machine in the minute before.
    load: f64,
    process: process::ProcessCost,
    database: database::DatabaseCost,
    writes: Vec<writes::Writes>,
    large: large::LargeCost,
    /// Of the binary, in bytes.
    size: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let binary = match &arguments.binary {
        Some(binary) => fs::canonicalize(binary).with_context(|| format!("cannot find {}", binary.display()))?,
        None => {
            eprintln!("building the provider for release");
            provider_binary::release()?
        }
    };
    let load = load()?;
    if load > QUIET {
        eprintln!("the load of the last minute is {load}: something else runs on this machine, and the times will say little");
    }
    let process = process::measure(&binary).await?;
    let database = database::measure(&binary, arguments.resources).await?;
    let writes = writes::measure(&binary, arguments.resources).await?;
    let large = large::measure(&binary, arguments.tables).await?;
    let measured = Measured { load, process, database, writes, large, size: size(&binary)? };
    let tables = page::tables(&measured);
    println!("{tables}");
    if arguments.write {
        let path = repository().join("docs/development/cost.md");
        let page = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        fs::write(&path, page::replace(&page, &tables)?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The load of the last minute, after the build.
fn load() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg").context("cannot read the load of the machine")?;
    text.split(' ').next().and_then(|load| load.parse().ok()).with_context(|| format!("no load: {text}"))
}

fn size(binary: &Path) -> Result<u64> {
    Ok(fs::metadata(binary).with_context(|| format!("cannot read {}", binary.display()))?.len())
}
