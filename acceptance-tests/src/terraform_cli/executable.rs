//! Which terraform to run.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};

/// The one in `TF_BIN`, else `terraform`, else `tofu` on the PATH.
///
/// # Errors
/// If there is none; the message says how to get one.
pub fn find() -> anyhow::Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("TF_BIN") {
        let chosen = PathBuf::from(chosen);
        ensure!(chosen.is_file(), "TF_BIN names {}, which is no file", chosen.display());
        return Ok(chosen);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    ["terraform", "tofu"]
        .into_iter()
        .find_map(|name| std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file()))
        .context(
            "neither terraform nor tofu is on the PATH: install Terraform 1.11 or later \
             (https://developer.hashicorp.com/terraform/install) or OpenTofu 1.11 or later \
             (https://opentofu.org/docs/intro/install), or name one in TF_BIN",
        )
}
