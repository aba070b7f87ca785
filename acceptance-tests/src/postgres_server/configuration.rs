//! The configuration files of a server.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use super::identity::Identity;
use super::{SUPERUSER, log, tls};

/// Server settings by name; values are quoted when they are written.
pub type Settings = BTreeMap<String, String>;

/// The file that `postgresql.conf` includes last; a restart or reload with new settings rewrites it.
const SETTINGS_FILE: &str = "rig.conf";

/// Writes the settings of the rig and then `settings`, which take precedence.
pub(crate) fn write_settings(
    identity: Identity,
    data: &Path,
    port: u16,
    socket_dir: &Path,
    tls: bool,
    settings: &Settings,
) -> Result<()> {
    let mut all = Settings::new();
    let mut set = |name: &str, value: &str| all.insert(name.to_owned(), value.to_owned());
    set("listen_addresses", "127.0.0.1");
    set("port", &port.to_string());
    set("unix_socket_directories", &socket_dir.to_string_lossy());
    set("log_statement", "all");
    set("log_line_prefix", log::LINE_PREFIX);
    set("logging_collector", "off");
    set("log_timezone", "UTC");
    set("timezone", "UTC");
    set("fsync", "off");
    set("full_page_writes", "off");
    set("shared_buffers", "16MB");
    set("password_encryption", "scram-sha-256");
    if tls {
        set("ssl", "on");
        set("ssl_cert_file", tls::CERTIFICATE_FILE);
        set("ssl_key_file", tls::KEY_FILE);
    }
    all.extend(settings.clone());
    let mut text = String::new();
    for (name, value) in &all {
        writeln!(text, "{name} = '{}'", value.replace('\'', "''")).context("writing a setting")?;
    }
    identity.write(&data.join(SETTINGS_FILE), &text, 0o600)
}

/// Includes the settings file and defines who may log in how.
pub(crate) fn write_once(identity: Identity, data: &Path) -> Result<()> {
    let path = data.join("postgresql.conf");
    let mut text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    writeln!(text, "include = '{SETTINGS_FILE}'").context("writing an include")?;
    identity.write(&path, &text, 0o600)?;
    write_rules(identity, data, "scram-sha-256")
}

/// Defines who may log in how: over TCP by `method`. Members of `rds_iam` are refused there, because on RDS they need an IAM
/// token; a simulated endpoint that has checked one connects them through the socket.
pub(crate) fn write_rules(identity: Identity, data: &Path, method: &str) -> Result<()> {
    let rules = format!(
        "local all {SUPERUSER} trust\nlocal replication {SUPERUSER} trust\n\
         local all +rds_iam trust\nlocal replication +rds_iam trust\nlocal all all scram-sha-256\n\
         host all {SUPERUSER} all reject\nhost replication {SUPERUSER} all reject\n\
         host all +rds_iam all reject\nhost replication +rds_iam all reject\n\
         host all all 127.0.0.1/32 {method}\nhost replication all 127.0.0.1/32 {method}\n"
    );
    identity.write(&data.join("pg_hba.conf"), &rules, 0o600)
}
