//! The unix socket, in a folder that only its owner can enter.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use tokio::net::UnixListener;

use super::error::PluginError;

/// The maximum length of a socket address on macOS; Linux allows four bytes more.
const PATH_LIMIT: usize = 104;

/// A listening socket. Its folder is removed on drop.
pub(super) struct Socket {
    path: String,
    listener: UnixListener,
    folder: TempDir,
}

impl Socket {
    /// Listens in a new folder inside `parent`, by default the system's temporary folder.
    pub(super) fn listen(parent: Option<&Path>) -> Result<Self, PluginError> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let folder = tempfile::Builder::new()
            .prefix("clickpipes-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&parent)
            .map_err(|source| PluginError::SocketFolder { parent, source })?;
        let path = announceable(folder.path().join("p.sock"))?;
        let listener = UnixListener::bind(&path).map_err(|source| PluginError::Listen { path: PathBuf::from(&path), source })?;
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

fn announceable(path: PathBuf) -> Result<String, PluginError> {
    match path.to_str() {
        Some(text) if text.len() < PATH_LIMIT && !text.contains(['|', '\n', '\r']) => Ok(text.to_owned()),
        _ => Err(PluginError::SocketPath { path, limit: PATH_LIMIT }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_the_line_or_the_system_cannot_hold_is_refused() {
        assert!(announceable(PathBuf::from("/tmp/a/p.sock")).is_ok());
        for path in ["/tmp/a|b/p.sock".to_owned(), "/tmp/a\nb/p.sock".to_owned(), format!("/{}", "x".repeat(104))] {
            assert!(matches!(announceable(PathBuf::from(&path)), Err(PluginError::SocketPath { .. })), "{path}");
        }
    }
}
