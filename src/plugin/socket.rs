//! The unix socket, in a folder that only its owner can enter.

use std::{
    fmt,
    fs::Permissions,
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use tokio::net::UnixListener;

use super::{error::PluginError, handshake::SOCKET_PARENT};
use crate::printable::printable_line;

/// The maximum length of a socket address on macOS, with the zero at its end; Linux allows four bytes more.
const PATH_LIMIT: usize = 104;

const PREFIX: &str = "clickpipes-";
const NAME: &str = "p.sock";

/// The longest path of a folder in which the socket's own folder can be created, in bytes: six letters are random, and two
/// separators and the zero are needed as well.
const PARENT_LIMIT: usize = PATH_LIMIT - 1 - 2 - PREFIX.len() - 6 - NAME.len();

/// A listening socket. Its folder is removed on drop.
pub(super) struct Socket {
    path: String,
    listener: UnixListener,
    folder: TempDir,
}

impl Socket {
    /// Listens in a new folder inside the first of `places` that can hold it.
    pub(super) fn listen(places: &[Place]) -> Result<Self, PluginError> {
        let mut obstacles = Vec::new();
        for place in places {
            match Self::listen_in(&place.folder) {
                Ok(socket) => {
                    for obstacle in &obstacles {
                        tracing::warn!(%obstacle, instead = %place, "this folder cannot hold the socket");
                    }
                    return Ok(socket);
                }
                Err(obstacle) => obstacles.push(format!("{place}: {obstacle}")),
            }
        }
        let setting = places.first().and_then(|place| place.setting).unwrap_or(TMPDIR);
        Err(PluginError::NoPlaceForSocket { setting, obstacles, limit: PARENT_LIMIT })
    }

    fn listen_in(parent: &Path) -> Result<Self, Obstacle> {
        // Terraform may look from another working directory.
        let parent = announceable(std::path::absolute(parent)?)?;
        std::fs::metadata(&parent)?;
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)
            // Without the random name, so that the same obstacle has the same words.
            .map_err(|error| io::Error::from(error.kind()))?;
        let path = folder.path().join(NAME).to_str().ok_or(Obstacle::NotAnnounceable)?.to_owned();
        let listener = UnixListener::bind(&path)?;
        Ok(Self { path, listener, folder })
    }

    /// The socket's path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The listener, and the folder to keep while it is in use.
    pub(super) fn into_parts(self) -> (UnixListener, TempDir) {
        (self.listener, self.folder)
    }
}

const TMPDIR: &str = "TMPDIR";

/// A folder in which the socket's own folder may be created.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The environment variable that names it, if one does.
    setting: Option<&'static str>,
    folder: PathBuf,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(setting) = self.setting {
            write!(f, "{setting}=")?;
        }
        f.write_str(&printable_line(&self.folder.to_string_lossy()))
    }
}

/// Where to try. If the host says where, only there. Else in TMPDIR, and if that is too long, missing or read-only, in folders that
/// are short.
pub(super) fn places(host: Option<PathBuf>, variable: impl Fn(&str) -> Option<PathBuf>) -> Vec<Place> {
    if let Some(folder) = host {
        return vec![Place { setting: Some(SOCKET_PARENT), folder }];
    }
    let named = |name: &'static str| {
        let folder = variable(name).filter(|folder| !folder.as_os_str().is_empty())?;
        Some(Place { setting: Some(name), folder })
    };
    let fixed = |folder: &str| Some(Place { setting: None, folder: PathBuf::from(folder) });
    // The working directory is for images that contain nothing else.
    let mut places: Vec<Place> =
        [named(TMPDIR), fixed("/tmp"), named("XDG_RUNTIME_DIR"), fixed(".")].into_iter().flatten().collect();
    places.dedup_by(|later, earlier| later.folder == earlier.folder);
    places
}

/// Why a folder cannot hold the socket.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    #[error("its path has {0} bytes, more than the {PARENT_LIMIT} that a socket's address has room for")]
    TooLong(usize),
    #[error("its path is not UTF-8, or contains `|` or a line break")]
    NotAnnounceable,
    #[error("{0}")]
    System(#[from] io::Error),
}

/// The path, if a socket address and the handshake line can hold what is inside.
fn announceable(parent: PathBuf) -> Result<PathBuf, Obstacle> {
    match parent.to_str() {
        Some(text) if text.contains(['|', '\n', '\r']) => Err(Obstacle::NotAnnounceable),
        Some(text) if text.len() > PARENT_LIMIT => Err(Obstacle::TooLong(text.len())),
        Some(_) => Ok(parent),
        None => Err(Obstacle::NotAnnounceable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places_of(host: Option<&str>, variables: &[(&str, &str)]) -> Vec<String> {
        let variable = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value));
        places(host.map(PathBuf::from), variable).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_path_that_the_line_or_the_system_cannot_hold_is_refused() {
        assert!(announceable(PathBuf::from(format!("/{}", "x".repeat(PARENT_LIMIT - 1)))).is_ok());
        let long = announceable(PathBuf::from(format!("/{}", "x".repeat(PARENT_LIMIT))));
        assert!(matches!(long, Err(Obstacle::TooLong(length)) if length == PARENT_LIMIT + 1));
        for path in ["/tmp/a|b", "/tmp/a\nb"] {
            assert!(matches!(announceable(PathBuf::from(path)), Err(Obstacle::NotAnnounceable)), "{path}");
        }
    }

    #[test]
    fn what_the_environment_names_comes_first_and_something_short_follows() {
        assert_eq!(places_of(None, &[]), ["/tmp", "."]);
        assert_eq!(places_of(None, &[("TMPDIR", "")]), ["/tmp", "."]);
        assert_eq!(places_of(None, &[("TMPDIR", "/tmp")]), ["TMPDIR=/tmp", "."]);
        let both = [("TMPDIR", "/long"), ("XDG_RUNTIME_DIR", "/run/user/7")];
        assert_eq!(places_of(None, &both), ["TMPDIR=/long", "/tmp", "XDG_RUNTIME_DIR=/run/user/7", "."]);
    }

    #[test]
    fn a_folder_of_the_host_is_the_only_one() {
        assert_eq!(places_of(Some("/host"), &[("TMPDIR", "/mine")]), ["PLUGIN_UNIX_SOCKET_DIR=/host"]);
    }
}
