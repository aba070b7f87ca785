//! The folder in which Terraform and OpenTofu look for providers before they ask a registry.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{NAME, Package};

/// The registries that a source without a host name means: Terraform's and OpenTofu's.
pub const HOSTS: [&str; 2] = ["registry.terraform.io", "registry.opentofu.org"];

const SOURCE: &str = "clickpipes/clickpipes";

/// Copies the archive into the implied local mirror below this home directory, for both registries, and returns the copies. Other
/// versions there are kept.
///
/// # Errors
/// If a file cannot be written.
pub fn install(package: &Package, home: &Path) -> Result<Vec<PathBuf>> {
    HOSTS.iter().map(|host| copy(&package.archive, &home.join(".terraform.d/plugins").join(host).join(SOURCE))).collect()
}

fn copy(archive: &Path, folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let name = archive.file_name().with_context(|| format!("{NAME}: the archive has no name"))?;
    let copy = folder.join(name);
    // Not in place: another run of Terraform may be reading the old one.
    let new = tempfile::NamedTempFile::new_in(folder)?;
    fs::copy(archive, new.path())?;
    new.persist(&copy).with_context(|| format!("cannot write {}", copy.display()))?;
    Ok(copy)
}
