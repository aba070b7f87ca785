//! An initialised data folder per Postgres version, created once and copied for each server.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::SUPERUSER;
use super::binaries::{Binaries, cache_folder};
use super::identity::{Identity, run};

/// Counts the changes of initdb's arguments, so that a template of an older layout is not used.
const REVISION: u32 = 1;

/// Copies an initialised data folder to `data`.
pub(crate) fn copy_to(identity: Identity, binaries: &Binaries, data: &Path) -> Result<()> {
    let template = template(identity, binaries)?;
    run(identity.command(Path::new("cp")).arg("-Rp").arg(&template).arg(data)).context("copying the initialised data folder")?;
    Ok(())
}

fn template(identity: Identity, binaries: &Binaries) -> Result<PathBuf> {
    let user = identity.name();
    let parent = cache_folder().join(format!("data-{}-{user}-{REVISION}", binaries.version));
    let finished = parent.join("data");
    if finished.join("PG_VERSION").exists() {
        return Ok(finished);
    }
    std::fs::create_dir_all(&parent).with_context(|| format!("creating {}", parent.display()))?;
    identity.own(&parent)?;
    // Several test processes may get here at once: each creates its own, and the first to rename wins.
    let own = parent.join(format!("making-{}-{:?}", std::process::id(), std::thread::current().id()).replace(['(', ')'], ""));
    let mut initdb = identity.command(&binaries.bin.join("initdb"));
    initdb.arg("--pgdata").arg(&own).args([
        "--username",
        SUPERUSER,
        "--auth",
        "trust",
        "--encoding",
        "UTF8",
        "--locale",
        "C",
        "--no-sync",
    ]);
    // Small segments keep the copies small and quick.
    initdb.args(["--wal-segsize", "4"]);
    run(&mut initdb).context("initialising a Postgres data folder")?;
    if std::fs::rename(&own, &finished).is_err() {
        std::fs::remove_dir_all(&own).with_context(|| format!("removing {}", own.display()))?;
    }
    Ok(finished)
}
