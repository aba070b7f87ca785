//! `cargo package-provider`: builds what a registry or a mirror serves, and installs it for this user.

use std::path::PathBuf;
use std::process::ExitCode;

use acceptance_tests::docs::repository;
use acceptance_tests::package::{Build, VERSION, build, install, write};
use anyhow::{Context as _, Result};
use clap::Parser;

/// Builds the provider for release and packages it: archive, licences, manifest, list of components and checksums.
#[derive(Debug, Parser)]
#[command(name = "cargo package-provider")]
struct Arguments {
    /// Also put it where Terraform and OpenTofu of this user look for providers, without any configuration
    #[arg(long)]
    install: bool,
    /// Package this binary instead of building one
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Target to build for, as rustc names it. Default: this machine
    #[arg(long)]
    target: Option<String>,
    /// Where to put the package. Default: target/provider
    #[arg(long)]
    output: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let plan = Build::new(arguments.target.as_deref())?;
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => build(&plan)?,
    };
    let output = arguments.output.clone().unwrap_or_else(|| repository().join("target/provider"));
    let package = write(&binary, &plan.platform, &output)?;
    for file in [&package.archive, &package.sbom, &package.manifest, &package.sums] {
        println!("{}", file.display());
    }
    if arguments.install {
        let home = std::env::home_dir().context("there is no home directory to install into")?;
        for copy in install(&package, &home)? {
            println!("installed {}", copy.display());
        }
        println!(
            "In a configuration: source = \"clickpipes/clickpipes\", version = \"{VERSION}\". Then run terraform init. If Terraform's CLI \
             configuration has a provider_installation block, add a filesystem_mirror with {} to it.",
            home.join(".terraform.d/plugins").display()
        );
    }
    Ok(())
}
