//! What the demo needs on the machine, and how to get what is missing.

use std::process::Command;

use acceptance_tests::postgres_server::Binaries;
use acceptance_tests::terraform_cli;
use anyhow::{Context as _, Result, bail};

/// Needed for write-only attributes and ephemeral variables.
const TERRAFORM: (u32, u32) = (1, 11);

/// Names everything that is missing at once. Returns the major version of Postgres to use.
pub(crate) fn check() -> Result<u32> {
    let mut missing = Vec::new();
    if let Err(error) = terraform() {
        missing.push(format!("{error:#}"));
    }
    if Command::new("cc").arg("--version").output().is_err() {
        missing.push(
            "a C compiler, to compile a small Postgres module: apt-get install gcc libc6-dev, or xcode-select --install"
                .to_owned(),
        );
    }
    if !missing.is_empty() {
        bail!("this machine lacks:\n- {}", missing.join("\n- "));
    }
    Ok([15, 16].into_iter().find(|major| Binaries::is_present(*major)).unwrap_or(16))
}

/// Where the server comes from.
pub(crate) fn postgres(major: u32) -> String {
    if Binaries::is_present(major) {
        format!("{major} is here too")
    } else {
        format!("{major} will be fetched (about 14 MB, kept for the next time)")
    }
}

fn terraform() -> Result<()> {
    let executable = terraform_cli::executable()?;
    let output = Command::new(&executable).args(["version", "-json"]).env("CHECKPOINT_DISABLE", "1").output();
    let output = output.with_context(|| format!("{} does not run", executable.display()))?;
    let answer: serde_json::Value =
        serde_json::from_slice(&output.stdout).with_context(|| format!("{} does not tell its version", executable.display()))?;
    let version = answer["terraform_version"].as_str().unwrap_or_default();
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    if (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < TERRAFORM {
        bail!(
            "Terraform 1.11 or later, {} is {version}: https://developer.hashicorp.com/terraform/install, or OpenTofu: \
             https://opentofu.org/docs/intro/install",
            executable.display()
        );
    }
    Ok(())
}
