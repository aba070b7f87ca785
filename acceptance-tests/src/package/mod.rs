//! What is published of the provider: an archive for a registry or a mirror, its checksums, the licences of what is linked, and a
//! list of it. The same source and the same tools give the same bytes, wherever the clone is.

mod archive;
mod build;
mod crates;
mod install;
mod licences;
mod notices;
mod platform;
mod sbom;
mod traces;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use aws_lc_rs::digest::{SHA256, digest};

use crate::docs::repository;

pub use build::{Build, build};
pub use install::{HOSTS, install};
pub use platform::Platform;

/// The name of the binary, and the beginning of every file's name.
const NAME: &str = "terraform-provider-clickpipes";

/// The version of the provider, from its Cargo.toml, which this member of the workspace shares.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The files that belong to one platform, and the two that they share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The archive with the binary and the licences.
    pub archive: PathBuf,
    /// What is linked into the binary, in the form of CycloneDX.
    pub sbom: PathBuf,
    /// Which protocol the provider speaks.
    pub manifest: PathBuf,
    /// The checksums of all others in the folder.
    pub sums: PathBuf,
}

/// Writes the package of a binary into a folder.
///
/// # Errors
/// If cargo does not know what is linked, or a file cannot be read or written.
pub fn write(binary: &Path, platform: &Platform, folder: &Path) -> Result<Package> {
    let program = fs::read(binary).with_context(|| format!("cannot read {}", binary.display()))?;
    let is_static = platform.is_static(&program);
    let linked = crates::linked(platform)?;
    let named = |rest: &str| folder.join(format!("{NAME}_{VERSION}_{rest}"));
    let package = Package {
        archive: named(&format!("{}.zip", platform.label)),
        sbom: named(&format!("{}.cdx.json", platform.label)),
        manifest: named("manifest.json"),
        sums: named("SHA256SUMS"),
    };
    let repository = repository();
    let members = [
        archive::Member::program(format!("{NAME}_v{VERSION}"), program),
        archive::Member::text("LICENSE.txt", fs::read(repository.join("LICENSE"))?),
        archive::Member::text("THIRD-PARTY-NOTICES.txt", notices::compose(&linked, is_static)?.into_bytes()),
    ];
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    fs::write(&package.archive, archive::zip(&members)?)?;
    fs::write(&package.sbom, sbom::compose(&linked, platform, is_static)?)?;
    fs::copy(repository.join("terraform-registry-manifest.json"), &package.manifest)?;
    fs::write(&package.sums, sums(folder)?)?;
    Ok(package)
}

/// The checksums of what is in a folder of this version, in the form of `sha256sum`. Packages of other platforms count too.
fn sums(folder: &Path) -> Result<String> {
    let prefix = format!("{NAME}_{VERSION}_");
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(&prefix) && (name.ends_with(".zip") || name.ends_with(".json")) {
            lines.push((name, hash(&fs::read(&path)?)));
        }
    }
    lines.sort();
    Ok(lines.into_iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect())
}

/// The SHA-256 of bytes, in hexadecimal digits.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
