//! The user that servers run as: Postgres refuses root, so root switches to an unprivileged user.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Who runs servers: another user when this process is root, else this process's own user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    other: Option<(u32, u32)>,
}

impl Identity {
    /// Root uses `postgres`, or `nobody` if there is no such user.
    pub(crate) fn current() -> Result<Self> {
        if !nix::unistd::geteuid().is_root() {
            return Ok(Self { other: None });
        }
        for name in ["postgres", "nobody"] {
            if let Some(user) = nix::unistd::User::from_name(name).context("looking up an unprivileged user")? {
                return Ok(Self { other: Some((user.uid.as_raw(), user.gid.as_raw())) });
            }
        }
        bail!("Postgres refuses to run as root, and this machine has neither a user `postgres` nor a user `nobody` to run it as")
    }

    /// A word for this identity in file names: files that one user created may be unreadable for another.
    pub(crate) fn name(self) -> u32 {
        self.other.map_or_else(|| nix::unistd::geteuid().as_raw(), |(uid, _)| uid)
    }

    /// A command that runs as this identity, in the root folder, without this process's environment: PG* variables would affect
    /// initdb and the server, and the other user may have no access to the current folder.
    pub(crate) fn command(self, program: &Path) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(program);
        command
            .current_dir("/")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C")
            .env("TZ", "UTC");
        command.stdin(Stdio::null());
        if let Some((uid, gid)) = self.other {
            command.uid(uid).gid(gid);
        }
        // A Ctrl-C at the terminal must reach this program only: it decides when the servers stop.
        command.process_group(0);
        command
    }

    /// Gives `path` to this identity.
    pub(crate) fn own(self, path: &Path) -> Result<()> {
        if let Some((uid, gid)) = self.other {
            chown(path, Some(uid), Some(gid)).with_context(|| format!("giving {} to the server's user", path.display()))?;
        }
        Ok(())
    }

    /// Writes `text` to a file that this identity owns, with these permission bits.
    pub(crate) fn write(self, path: &Path, text: &str, mode: u32) -> Result<()> {
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .with_context(|| format!("setting the mode of {}", path.display()))?;
        self.own(path)
    }

    /// Creates a folder that this identity owns.
    pub(crate) fn create_folder(self, path: &Path, mode: u32) -> Result<()> {
        std::fs::create_dir(path).with_context(|| format!("creating {}", path.display()))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .with_context(|| format!("setting the mode of {}", path.display()))?;
        self.own(path)
    }

    /// A new folder of this identity among the system's temporary files. Its name is short: unix socket paths end at 100 bytes.
    pub(crate) fn temporary_folder(self) -> Result<PathBuf> {
        let own_folder = std::env::temp_dir();
        // TMPDIR may be below a folder that the other user cannot enter.
        let parent = if self.other.is_some() { PathBuf::from("/tmp") } else { own_folder };
        let folder = tempfile::Builder::new()
            .prefix("pg-")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir_in(&parent)
            .with_context(|| format!("creating a folder in {}", parent.display()))?
            .keep();
        self.own(&folder)?;
        Ok(folder)
    }
}

/// Runs a command to its end. If it fails, the error contains its output.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("starting {program}"))?;
    if !output.status.success() {
        bail!(
            "{program} ended with {}: {}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
