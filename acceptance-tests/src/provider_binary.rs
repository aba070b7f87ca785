//! The provider's binary, built from this source.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context as _, bail};
use serde_json::Value;

const NAME: &str = "terraform-provider-clickpipes";

/// Builds the binary once per process and returns its path.
///
/// # Errors
/// If cargo cannot be run or the build fails; cargo's own messages are on standard error.
pub fn path() -> anyhow::Result<&'static Path> {
    static PATH: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let build = || {
        // Both packages, so that features unify as in a build of the workspace and no dependency is built twice.
        let mut arguments = vec!["--package", "acceptance-tests", "--package", NAME];
        if !cfg!(debug_assertions) {
            arguments.push("--release");
        }
        build(&arguments).map_err(|error| format!("{error:#}"))
    };
    match PATH.get_or_init(build) {
        Ok(path) => Ok(path),
        Err(message) => bail!("{message}"),
    }
}

/// Builds the binary with `cargo build --release` and returns its path.
///
/// # Errors
/// As [`path`].
pub fn release() -> anyhow::Result<PathBuf> {
    build(&["--package", NAME, "--release"])
}

fn build(arguments: &[&str]) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--bin", NAME])
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
        .arg("--manifest-path")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"))
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo to build the provider")?;
    if !output.status.success() {
        bail!("the provider does not build ({})", output.status);
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == NAME)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built the provider but does not say where")
}
