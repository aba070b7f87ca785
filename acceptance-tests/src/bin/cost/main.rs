//! `cargo cost`: measures what the provider costs, and prints it as the tables of docs/development/cost.md.

mod database;
mod large;
mod page;
mod process;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use acceptance_tests::docs::repository;
use acceptance_tests::provider_binary;
use anyhow::{Context as _, Result};
use clap::Parser;

/// Measures the release build of the provider on this machine: plans without changes, start, memory and size.
#[derive(Debug, Parser)]
#[command(name = "cargo cost")]
struct Arguments {
    /// How many resources the large configuration has: half of them users, half of them publications
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
    let process = process::measure(&binary).await?;
    let database = database::measure(&binary, arguments.resources).await?;
    let large = large::measure(&binary, arguments.tables).await?;
    let tables = page::tables(&process, &database, &large, size(&binary)?);
    println!("{tables}");
    if arguments.write {
        let path = repository().join("docs/development/cost.md");
        let page = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        fs::write(&path, page::replace(&page, &tables)?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn size(binary: &Path) -> Result<u64> {
    Ok(fs::metadata(binary).with_context(|| format!("cannot read {}", binary.display()))?.len())
}
