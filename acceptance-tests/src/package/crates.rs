//! Which crates are linked into the provider: cargo's own answer, without build tools, macros and what only tests need.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::{NAME, Platform};
use crate::docs::repository;
use crate::provider_binary::cargo;

/// A crate that is linked.
#[derive(Debug, Clone)]
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) version: String,
    /// An SPDX expression.
    pub(super) licence: String,
    pub(super) authors: Vec<String>,
    pub(super) repository: Option<String>,
    /// The SHA-256 of the package in the registry. The provider itself has none.
    pub(super) checksum: Option<String>,
    /// The folder with its source.
    pub(super) folder: PathBuf,
}

impl Crate {
    pub(super) fn is_provider(&self) -> bool {
        self.name == NAME
    }
}

/// The linked crates, by name and version.
pub(super) fn linked(platform: &Platform) -> Result<Vec<Crate>> {
    let edges = "normal,no-proc-macro";
    let tree = ["tree", "--package", NAME, "--edges", edges, "--prefix", "none", "--format", "{p}", "--target", &platform.target];
    let tree = ask(&tree)?;
    let metadata = ask(&["metadata", "--format-version=1", "--filter-platform", &platform.target])?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let checksums = checksums(&fs::read_to_string(repository().join("Cargo.lock"))?);
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    names(&tree).iter().map(|(name, version)| describe(packages, &checksums, name, version)).collect()
}

fn ask(arguments: &[&str]) -> Result<String> {
    let mut command = cargo();
    command.args(arguments).arg("--locked").current_dir(repository());
    let output = command.output().context("cannot run cargo")?;
    ensure!(output.status.success(), "cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Name and version of each line: `serde v1.0.0 (/path) (*)`.
fn names(tree: &str) -> BTreeSet<(&str, &str)> {
    tree.lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?, words.next()?.strip_prefix('v')?))
        })
        .collect()
}

fn describe(packages: &[Value], checksums: &BTreeMap<(String, String), String>, name: &str, version: &str) -> Result<Crate> {
    let found = packages.iter().find(|package| package["name"] == name && package["version"] == version);
    let Some(package) = found else { bail!("cargo metadata does not know {name} {version}") };
    let text = |field: &str| package[field].as_str().map(str::to_owned);
    let manifest = PathBuf::from(text("manifest_path").context("no manifest")?);
    Ok(Crate {
        name: name.to_owned(),
        version: version.to_owned(),
        // The old form of a choice.
        licence: text("license").with_context(|| format!("{name} {version} states no licence"))?.replace('/', " OR "),
        authors: package["authors"].as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        repository: text("repository"),
        checksum: checksums.get(&(name.to_owned(), version.to_owned())).cloned(),
        folder: manifest.parent().context("a manifest is in no folder")?.to_owned(),
    })
}

/// What Cargo.lock says of each package.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let field = |block: &str, name: &str| {
        let value = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""))?;
        Some(value.strip_suffix('"')?.to_owned())
    };
    let decode = |block: &str| Some(((field(block, "name")?, field(block, "version")?), field(block, "checksum")?));
    lock.split("[[package]]").filter_map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_of_the_tree_counts_once() {
        let tree = "terraform-provider-clickpipes v0.1.0 (/home/me/x)\nserde v1.0.0\nserde v1.0.0 (*)\nserde v0.9.0\n\n";
        let expected = [("serde", "0.9.0"), ("serde", "1.0.0"), (NAME, "0.1.0")];
        assert_eq!(names(tree).into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn checksums_are_found_where_there_are_some() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"ff\"\n\n[[package]]\nname = \"b\"\nversion = \"2\"\n";
        assert_eq!(checksums(lock), BTreeMap::from([(("a".to_owned(), "1.0.0".to_owned()), "ff".to_owned())]));
    }
}
