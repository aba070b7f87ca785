//! `cargo docs`: writes the pages in `docs/`, or checks that they are up to date.

use std::process::ExitCode;

use acceptance_tests::docs::{Pages, Schemas, repository};
use anyhow::{Result, bail};
use clap::Parser;

/// Writes docs/index.md and docs/resources/*.md from the provider's schema, examples/ and docs/templates/.
#[derive(Debug, Parser)]
#[command(name = "cargo docs")]
struct Arguments {
    /// Change nothing, and fail if a page is not up to date
    #[arg(long)]
    check: bool,
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
    let repository = repository();
    let pages = Pages::compose(&repository, &Schemas::fetch().await?)?;
    if arguments.check {
        let stale = pages.stale(&repository)?;
        if !stale.is_empty() {
            bail!("{}\nRun cargo docs.", stale.join("\n"));
        }
        return Ok(());
    }
    for path in pages.write(&repository)? {
        println!("{}", path.display());
    }
    Ok(())
}
