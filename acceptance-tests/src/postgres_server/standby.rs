//! A streaming replica, for tests that reach a reader instead of the writer.

use std::path::Path;

use anyhow::{Context, Result};

use super::identity::run;
use super::{PostgresServer, SUPERUSER, ServerOptions};

impl PostgresServer {
    /// Starts a hot standby of `primary` from a copy of its data folder. The downloaded servers have no pg_basebackup, so the
    /// copy is made between the two SQL calls for a base backup.
    ///
    /// # Errors
    /// When the primary runs with `wal_level = minimal`, or the standby does not start.
    pub async fn start_standby(primary: &PostgresServer, options: ServerOptions) -> Result<Self> {
        let client = primary.superuser("postgres").await?;
        let new_names = primary.major() >= 15;
        let (begin, end) = if new_names {
            ("SELECT pg_backup_start('standby', true)", "SELECT labelfile FROM pg_backup_stop(false)")
        } else {
            ("SELECT pg_start_backup('standby', true, false)", "SELECT labelfile FROM pg_stop_backup(false, false)")
        };
        client.execute(begin, &[]).await.context("beginning a backup of the primary")?;
        let identity = primary.identity;
        let copy = identity.temporary_folder()?.join("data");
        let (source, target) = (primary.data(), copy.clone());
        // Files disappear from a running server's folder; the backup's WAL makes up for that, so a complaint of cp is not a
        // failure.
        tokio::task::spawn_blocking(move || {
            identity.command(Path::new("cp")).arg("-Rp").arg(&source).arg(&target).stderr(std::process::Stdio::null()).status()
        })
        .await
        .context("copying the primary's data folder")?
        .context("copying the primary's data folder")?;
        let label: String = client.query_one(end, &[]).await.context("ending a backup of the primary")?.get(0);
        let dial =
            format!("host={} port={} user={SUPERUSER} application_name=reader", primary.socket_dir().display(), primary.port());
        // Not among the settings, because a restart replaces them.
        let conninfo = format!("primary_conninfo = '{dial}'\n");
        Self::start_prepared(options, move |identity, _, data| {
            run(identity.command(Path::new("mv")).arg(&copy).arg(data))
                .context("moving the copy of the primary's data folder")?;
            if let Some(emptied) = copy.parent() {
                std::fs::remove_dir(emptied).with_context(|| format!("removing {}", emptied.display()))?;
            }
            let stale = data.join("postmaster.pid");
            if stale.exists() {
                std::fs::remove_file(&stale).with_context(|| format!("removing {}", stale.display()))?;
            }
            identity.write(&data.join("backup_label"), &label, 0o600)?;
            identity.write(&data.join("postgresql.auto.conf"), &conninfo, 0o600)?;
            identity.write(&data.join("standby.signal"), "", 0o600)
        })
        .await
    }
}
