//! One server: start, restart, reload, stop, and the connections of its superuser.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::TcpListener;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_postgres::{Client, NoTls};

use super::configuration::{self, Settings};
use super::guard::Guard;
use super::identity::Identity;
use super::log::{self, LoggedStatement};
use super::{Binaries, SUPERUSER, ServerCertificate, template, tls};

/// How long a start, a stop or a promotion may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ports that servers use: below the range that Linux, macOS and Windows use for outgoing connections.
const PORTS: Range<u16> = 15_000..32_000;
/// How often another port is tried if one has been taken meanwhile.
const PORTS_TRIED: u32 = 10;

/// Which server to start.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The major version, such as 15.
    pub major: u32,
    /// Settings beyond the rig's own.
    pub settings: Settings,
    /// Names in the TLS certificate; if empty, the server has no TLS.
    pub tls_names: Vec<String>,
}

impl ServerOptions {
    /// A plain server of this major version without TLS.
    #[must_use]
    pub fn major(major: u32) -> Self {
        Self { major, settings: Settings::new(), tls_names: Vec::new() }
    }

    /// Adds a setting.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Accepts TLS too (clear text stays possible), with a certificate for 127.0.0.1, 127.0.0.2 and localhost.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls_names = ["127.0.0.1", "127.0.0.2", "localhost"].map(str::to_owned).to_vec();
        self
    }
}

/// A running server that ends, with its folder, when this value is dropped or this process dies.
#[derive(Debug)]
pub struct PostgresServer {
    pub(super) identity: Identity,
    pub(super) binaries: Binaries,
    major: u32,
    folder: PathBuf,
    port: u16,
    ca_certificate: Option<PathBuf>,
    tls: bool,
    running: Mutex<Running>,
}

#[derive(Debug)]
struct Running {
    child: Option<Child>,
    guard: Guard,
    settings: Settings,
}

impl PostgresServer {
    /// Starts a server with an empty data folder.
    ///
    /// # Errors
    /// If no such server is available, or it does not start: the message contains the end of its log.
    pub async fn start(options: ServerOptions) -> Result<Self> {
        Self::start_prepared(options, |identity, binaries, data| {
            template::copy_to(identity, binaries, data)?;
            configuration::write_once(identity, data)
        })
        .await
    }

    /// Starts a server on the data folder that `prepare` creates.
    pub(super) async fn start_prepared(
        options: ServerOptions,
        prepare: impl FnOnce(Identity, &Binaries, &Path) -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        let binaries = Binaries::locate(options.major).await?;
        let mut server = tokio::task::spawn_blocking(move || Self::create(options, binaries, prepare))
            .await
            .context("creating a server")??;
        for _ in 0..PORTS_TRIED {
            match server.launch_until_ready().await {
                Err(error) if format!("{error:#}").contains("Address already in use") => server.port = free_port()?,
                started => return started.map(|()| server),
            }
        }
        bail!("every port that was free a moment ago was taken")
    }

    fn create(
        options: ServerOptions,
        binaries: Binaries,
        prepare: impl FnOnce(Identity, &Binaries, &Path) -> Result<()>,
    ) -> Result<Self> {
        let identity = Identity::current()?;
        let folder = identity.temporary_folder()?;
        let guard = Guard::start(identity, &folder)?;
        let running = Mutex::new(Running { child: None, guard, settings: options.settings });
        let tls = !options.tls_names.is_empty();
        let mut server =
            Self { identity, binaries, major: options.major, folder, port: free_port()?, ca_certificate: None, tls, running };
        identity.create_folder(&server.socket_dir(), 0o755)?;
        prepare(identity, &server.binaries, &server.data())?;
        if tls {
            let authority = tls::write_certificate(identity, &server.data(), &options.tls_names)?;
            let path = server.folder.join("ca.pem");
            identity.write(&path, &authority, 0o644)?;
            server.ca_certificate = Some(path);
        }
        Ok(server)
    }

    /// The TCP port on 127.0.0.1; it stays the same across restarts.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The major version.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The full version, such as `15.18`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.binaries.version
    }

    /// The folder of the unix socket.
    #[must_use]
    pub fn socket_dir(&self) -> PathBuf {
        self.folder.join("s")
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The server's log.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// PEM file of the authority that signed the server's certificate; `None` without TLS.
    #[must_use]
    pub fn ca_certificate(&self) -> Option<&Path> {
        self.ca_certificate.as_deref()
    }

    /// The whole log.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn log_text(&self) -> Result<String> {
        let bytes = std::fs::read(self.log_path()).with_context(|| format!("reading {}", self.log_path().display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The statements that clients sent, in order, without those of the rig's superuser.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn statements(&self) -> Result<Vec<LoggedStatement>> {
        Ok(log::statements(&self.log_text()?))
    }

    /// Connects as the superuser through the unix socket. The connection ends with the client.
    ///
    /// # Errors
    /// If the server is down or there is no such database.
    pub async fn superuser(&self, database: &str) -> Result<Client> {
        let mut config = tokio_postgres::Config::new();
        config.host_path(self.socket_dir()).port(self.port).user(SUPERUSER).dbname(database).application_name("rig");
        // The rig's statements are not a client's, and it creates roles with passwords that must not be in the log. It also does
        // not wait where a test makes the COMMITs of clients wait.
        config.options("-c log_statement=none -c synchronous_commit=local");
        let (client, connection) =
            config.connect(NoTls).await.with_context(|| format!("connecting to database {database} as {SUPERUSER}"))?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Creates a superuser role that logs in with this password, as the admin of a plain Postgres often is.
    ///
    /// # Errors
    /// When the role exists.
    pub async fn create_superuser(&self, name: &str, password: &str) -> Result<()> {
        let statement = format!("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}", quoted(name, '"'), quoted(password, '\''));
        self.superuser("postgres")
            .await?
            .batch_execute(&statement)
            .await
            .with_context(|| format!("creating the superuser {name}"))
    }

    /// Stops the server (fast: sessions are cut) and starts it with `settings` in place of the earlier ones.
    ///
    /// # Errors
    /// If it does not start again: the message contains the end of its log.
    pub async fn restart(&self, settings: Settings) -> Result<()> {
        self.stop().await?;
        self.lock().settings = settings;
        self.launch_until_ready().await
    }

    /// Writes `settings` in place of the earlier ones and makes the server read them. Those that need a restart become pending.
    ///
    /// # Errors
    /// When the file cannot be written or the server is down.
    pub async fn reload(&self, settings: Settings) -> Result<()> {
        self.lock().settings = settings;
        self.write_settings()?;
        self.read_configuration().await
    }

    /// Makes the server read its files again. Returns only when the server has read them.
    async fn read_configuration(&self) -> Result<()> {
        let client = self.superuser("postgres").await?;
        let loaded = "SELECT pg_conf_load_time()::text";
        let before: String = client.query_one(loaded, &[]).await?.get(0);
        client.batch_execute("SELECT pg_reload_conf()").await.context("reloading the configuration")?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now: String = client.query_one(loaded, &[]).await?.get(0);
            if now != before {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("Postgres did not read its configuration again: {}", self.log_end());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The server's certificate.
    ///
    /// # Errors
    /// If the server has none.
    pub fn certificate(&self) -> Result<ServerCertificate> {
        ServerCertificate::read(&self.data())
    }

    /// Changes the server's certificate. The server must have been started with TLS.
    ///
    /// # Errors
    /// If the server does not accept it.
    pub async fn show_certificate(&self, certificate: &ServerCertificate) -> Result<()> {
        certificate.write(self.identity, &self.data())?;
        self.read_configuration().await
    }

    /// From now on, clients log in over TCP by this method of `pg_hba.conf`, such as `md5` or `password`.
    ///
    /// # Errors
    /// When the file cannot be written or the server is down.
    pub async fn authenticate_by(&self, method: &str) -> Result<()> {
        configuration::write_rules(self.identity, &self.data(), method)?;
        self.read_configuration().await
    }

    /// Stops the server; its folder stays.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop(&self) -> Result<()> {
        let Some(mut child) = self.lock().child.take() else {
            return Ok(());
        };
        signal(&child, Signal::SIGINT);
        tokio::task::spawn_blocking(move || child.wait())
            .await
            .context("waiting for Postgres to stop")?
            .context("waiting for Postgres to stop")?;
        self.lock().guard.watch(None)
    }

    fn write_settings(&self) -> Result<()> {
        let settings = self.lock().settings.clone();
        configuration::write_settings(self.identity, &self.data(), self.port, &self.socket_dir(), self.tls, &settings)
    }

    async fn launch_until_ready(&self) -> Result<()> {
        self.launch()?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.superuser("postgres").await.is_ok() {
                return Ok(());
            }
            let ended = self.lock().child.as_mut().map(Child::try_wait).transpose().context("watching Postgres start")?.flatten();
            if let Some(status) = ended {
                self.lock().child = None;
                bail!("Postgres {} did not start ({status}): {}", self.binaries.version, self.log_end());
            }
            if Instant::now() > deadline {
                bail!("Postgres {} was not ready after {} s: {}", self.binaries.version, PATIENCE.as_secs(), self.log_end());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn launch(&self) -> Result<()> {
        self.write_settings()?;
        let log = std::fs::File::options().create(true).append(true).open(self.log_path()).context("opening the server's log")?;
        let mut command = self.identity.command(&self.binaries.bin.join("postgres"));
        command.arg("-D").arg(self.data()).stdout(Stdio::null()).stderr(log);
        let mut running = self.lock();
        let child = command.spawn().context("starting Postgres")?;
        running.guard.watch(Some(child.id()))?;
        running.child = Some(child);
        Ok(())
    }

    fn log_end(&self) -> String {
        let text = self.log_text().unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(8).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.terminate();
    }
}

impl PostgresServer {
    /// Ends the server at once and removes its folder, log included. Dropping does the same.
    pub fn terminate(&self) {
        let mut running = self.lock();
        running.guard.release();
        if let Some(mut child) = running.child.take() {
            // Immediate, because the data is removed too.
            signal(&child, Signal::SIGQUIT);
            drop(child.wait());
        }
        running.guard.wait();
    }
}

fn signal(child: &Child, signal: Signal) {
    if let Ok(pid) = i32::try_from(child.id()) {
        // The signal may find a server that has just ended by itself; that is fine.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// A port that is free now. It is outside the range for outgoing connections, so it is still free after a restart; another rig
/// may take it before the server does, which then tries another.
pub(crate) fn free_port() -> Result<u16> {
    let random = RandomState::new().build_hasher().finish();
    let first = usize::try_from(random % 1_000_000)? % PORTS.len();
    let mut ports = PORTS.cycle().skip(first).take(PORTS.len());
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).context("no port is free")
}

/// An identifier (`"`) or a literal (`'`) in SQL.
pub(crate) fn quoted(text: &str, mark: char) -> String {
    format!("{mark}{}{mark}", text.replace(mark, &format!("{mark}{mark}")))
}
