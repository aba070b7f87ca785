//! Compiles the server module of `aurora.c`, once per major version and text.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::postgres_server::cache_folder;

const SOURCE: &str = include_str!("aurora.c");

/// The shared library for servers of this major version, for `shared_preload_libraries`.
pub(crate) fn compiled(major: u32) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    SOURCE.hash(&mut hasher);
    let cache = cache_folder();
    let library = cache.join(format!("aurora-{major}-{:016x}.so", hasher.finish()));
    if library.exists() {
        return Ok(library);
    }
    std::fs::create_dir_all(&cache).with_context(|| format!("creating {}", cache.display()))?;
    let folder = tempfile::tempdir_in(&cache).context("creating a folder to compile in")?;
    let (source, target) = (folder.path().join("aurora.c"), folder.path().join("aurora.so"));
    std::fs::write(&source, SOURCE).context("writing the server module's source")?;
    let mut compile = Command::new("cc");
    compile.args(["-O1", "-fPIC"]).arg(format!("-DSERVER_MAJOR={major}"));
    if cfg!(target_os = "macos") {
        compile.args(["-bundle", "-undefined", "dynamic_lookup"]);
    } else {
        compile.arg("-shared");
    }
    let output = compile
        .arg("-o")
        .arg(&target)
        .arg(&source)
        .output()
        .context("running cc: the simulator compiles a small Postgres module; install a C compiler (Debian: apt-get install gcc libc6-dev)")?;
    if !output.status.success() {
        bail!("cc could not compile the simulator's Postgres module: {}", String::from_utf8_lossy(&output.stderr));
    }
    // Renamed, so that another process never loads an incomplete file.
    std::fs::rename(&target, &library).with_context(|| format!("moving the compiled module to {}", library.display()))?;
    Ok(library)
}
