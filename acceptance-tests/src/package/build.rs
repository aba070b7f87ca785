//! The release build: static where that is possible, and without a trace of the folders in which it was built.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{NAME, Platform, traces};
use crate::docs::repository;
use crate::provider_binary::cargo;

/// How to run the compiler.
#[derive(Debug)]
pub struct Build {
    /// What to build for.
    pub platform: Platform,
    /// Folders of this machine, and the names that the binary knows them by.
    folders: Vec<(String, &'static str)>,
    target_folder: PathBuf,
}

impl Build {
    /// For this target of rustc, by default that of this machine.
    ///
    /// # Errors
    /// If the compiler cannot be asked, or the provider is not published for the platform.
    pub fn new(target: Option<&str>) -> Result<Self> {
        let platform = match target {
            Some(target) => Platform::of(target)?,
            None => Platform::of_host(&ask("rustc", &["-vV"])?)?,
        };
        let repository = fs::canonicalize(repository())?;
        let target_folder = repository.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| OsString::from("target")));
        let home = std::env::home_dir().context("there is no home directory")?;
        let cargo = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
        let compiler = PathBuf::from(ask("rustc", &["--print", "sysroot"])?.trim());
        // The most specific ones last: the compiler takes the last that fits.
        let folders = [
            (home, "/home"),
            (cargo, "/cargo"),
            (compiler, "/rust"),
            (target_folder.clone(), "/target"),
            (repository, "/provider"),
        ];
        let text = |(folder, name): (PathBuf, _)| Ok((folder.to_str().context("a folder's path is not UTF-8")?.to_owned(), name));
        Ok(Self { platform, folders: folders.into_iter().map(text).collect::<Result<_>>()?, target_folder })
    }

    /// For rustc, in addition to the profile.
    fn rust_flags(&self) -> Vec<String> {
        let feature = self.platform.links_c_library().then(|| "-Ctarget-feature=+crt-static".to_owned());
        let renamed = self.folders.iter().map(|(folder, name)| format!("--remap-path-prefix={folder}={name}"));
        feature.into_iter().chain(renamed).collect()
    }

    /// For the C compiler.
    fn c_flags(&self) -> String {
        let renamed: Vec<String> =
            self.folders.iter().map(|(folder, name)| format!("-ffile-prefix-map={folder}={name}")).collect();
        renamed.join(" ")
    }
}

/// Builds the provider for release and returns the binary's path.
///
/// # Errors
/// If the build fails, or the binary contains a path of this machine.
pub fn build(build: &Build) -> Result<PathBuf> {
    let target = &build.platform.target;
    let status = cargo()
        .args(["build", "--release", "--locked", "--package", NAME, "--bin", NAME, "--target", target])
        .env("CARGO_ENCODED_RUSTFLAGS", build.rust_flags().join("\x1f"))
        .env("CFLAGS", build.c_flags())
        // For the archiver of macOS.
        .env("ZERO_AR_DATE", "1")
        .current_dir(repository())
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "the provider does not build ({status})");
    let binary = build.target_folder.join(target).join("release").join(NAME);
    let program = fs::read(&binary).with_context(|| format!("cannot read {}", binary.display()))?;
    let folders: Vec<String> = build.folders.iter().map(|(folder, _)| format!("{folder}/")).collect();
    traces::absent(&program, &folders)?;
    let is_static = build.platform.is_static(&program);
    ensure!(is_static || !build.platform.links_c_library(), "{} is not static", binary.display());
    Ok(binary)
}

fn ask(program: &str, arguments: &[&str]) -> Result<String> {
    // Beside the cargo that runs this, rather than another one on the PATH.
    let cargo = std::env::var_os("CARGO").map(PathBuf::from);
    let beside = cargo.as_deref().and_then(Path::parent).map(|folder| folder.join(program)).filter(|path| path.is_file());
    let output = Command::new(beside.unwrap_or_else(|| PathBuf::from(program))).args(arguments).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build_for(target: &str) -> Result<Build> {
        let folders = vec![("/home/me".to_owned(), "/home"), ("/home/me/clone".to_owned(), "/provider")];
        Ok(Build { platform: Platform::of(target)?, folders, target_folder: PathBuf::new() })
    }

    #[test]
    fn every_folder_has_another_name_and_linux_is_static() -> Result<()> {
        let linux = build_for("x86_64-unknown-linux-gnu")?;
        let renamed = ["--remap-path-prefix=/home/me=/home", "--remap-path-prefix=/home/me/clone=/provider"];
        assert_eq!(linux.rust_flags()[0], "-Ctarget-feature=+crt-static");
        assert_eq!(linux.rust_flags()[1..], renamed);
        assert_eq!(linux.c_flags(), "-ffile-prefix-map=/home/me=/home -ffile-prefix-map=/home/me/clone=/provider");
        assert_eq!(build_for("aarch64-apple-darwin")?.rust_flags(), renamed);
        Ok(())
    }
}
