//! The provider's binary, built from this source.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
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
    match PATH.get_or_init(|| finish(cargo_build(), &arguments()).map_err(|error| format!("{error:#}"))) {
        Ok(path) => Ok(path),
        Err(message) => bail!("{message}"),
    }
}

/// Builds the binary with `cargo build --release` and returns its path.
///
/// # Errors
/// As [`path`].
pub fn release() -> anyhow::Result<PathBuf> {
    finish(cargo_build(), &["--package", NAME, "--release"])
}

/// Both packages, so that features unify as in a build of the workspace and no dependency is built twice.
fn arguments() -> Vec<&'static str> {
    let mut arguments = vec!["--package", "acceptance-tests", "--package", NAME];
    if !cfg!(debug_assertions) {
        arguments.push("--release");
    }
    arguments
}

/// Builds the binary once per process as a static one, and returns its path: what a release is, without its optimisation. No dependency
/// is compiled again.
///
/// # Errors
/// As [`path`], and if the folder of builds cannot be written.
pub fn linked_statically() -> anyhow::Result<&'static Path> {
    static PATH: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let build = || {
        let built = path()?;
        if !cfg!(target_os = "linux") {
            return Ok(built.to_owned());
        }
        let target = target_folder()?;
        let folder = target.join("static");
        let wrapper = static_compiler(&folder)?;
        let mut command = cargo_build();
        // In the same build folder, to find what is compiled already; the result is not put in the place of the other.
        command.env("CARGO_BUILD_BUILD_DIR", &target).env("CARGO_TARGET_DIR", &folder).env("RUSTC_WORKSPACE_WRAPPER", wrapper);
        finish(command, &arguments())
    };
    match PATH.get_or_init(|| build().map_err(|error| format!("{error:#}"))) {
        Ok(path) => Ok(path),
        Err(message) => bail!("{message}"),
    }
}

/// A compiler that links the provider statically. Cargo calls it for the packages of the workspace only: a flag for rustc would count for
/// every dependency too.
const STATIC_COMPILER: &str = r#"#!/bin/sh
case " $* " in
*" --crate-name terraform_provider_clickpipes "*" --crate-type bin "*) exec "$@" -C target-feature=+crt-static ;;
*) exec "$@" ;;
esac
"#;

fn static_compiler(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("rustc");
    // Cargo compiles again what a changed compiler has compiled.
    if fs::read_to_string(&path).is_ok_and(|written| written == STATIC_COMPILER) {
        return Ok(path);
    }
    let write = || {
        fs::create_dir_all(folder)?;
        fs::write(&path, STATIC_COMPILER)?;
        fs::set_permissions(&path, Permissions::from_mode(0o755))
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Cargo's target folder: the binary of the tests is in a folder of it.
fn target_folder() -> anyhow::Result<PathBuf> {
    Ok(path()?.ancestors().nth(2).context("the provider's binary is in no target folder")?.to_owned())
}

/// The cargo that runs this, else the one on the `PATH`.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Builds the binary.
fn cargo_build() -> Command {
    let mut command = cargo();
    command
        .args(["build", "--quiet", "--bin", NAME, "--message-format=json-render-diagnostics", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
    command
}

/// Runs it with these arguments, and returns the binary's path.
fn finish(mut command: Command, arguments: &[&str]) -> anyhow::Result<PathBuf> {
    let output = command.args(arguments).stderr(Stdio::inherit()).output().context("cannot run cargo to build the provider")?;
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
