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

/// Links the binary of the tests once per process as a static one, and returns its path: what a release is, without its optimisation.
/// What needs no other features than with the tests is not compiled again.
///
/// # Errors
/// As [`path`].
pub fn linked_statically() -> anyhow::Result<&'static Path> {
    static PATH: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let build = || {
        let target = target_folder()?;
        let mut command = cargo("rustc");
        // In the same build folder, to find what is compiled already; the result is not put in the place of the other.
        command.env("CARGO_BUILD_BUILD_DIR", &target).env("CARGO_TARGET_DIR", target.join("static"));
        command.args(["--package", NAME]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        finish(command, if cfg!(target_os = "linux") { &["--", "-C", "target-feature=+crt-static"] } else { &[] })
    };
    match PATH.get_or_init(|| path().and_then(|_| build()).map_err(|error| format!("{error:#}"))) {
        Ok(path) => Ok(path),
        Err(message) => bail!("{message}"),
    }
}

/// Cargo's target folder: the binary of the tests is in a folder of it.
fn target_folder() -> anyhow::Result<PathBuf> {
    Ok(path()?.ancestors().nth(2).context("the provider's binary is in no target folder")?.to_owned())
}

fn build(arguments: &[&str]) -> anyhow::Result<PathBuf> {
    let mut command = cargo("build");
    command.args(arguments);
    finish(command, &[])
}

/// A command of cargo that builds the binary.
fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args([subcommand, "--quiet", "--bin", NAME, "--message-format=json-render-diagnostics", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
    command
}

/// Runs it, and returns the binary's path.
fn finish(mut command: Command, last: &[&str]) -> anyhow::Result<PathBuf> {
    let output = command.args(last).stderr(Stdio::inherit()).output().context("cannot run cargo to build the provider")?;
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
