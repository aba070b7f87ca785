//! The provider's process: its environment, its handshake line, its logs and its end.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use super::{DEADLINE, Identity};
use crate::provider_binary;

/// The command that a host runs: the binary, without arguments, with go-plugin's variables. No other Terraform variable is
/// inherited.
///
/// # Errors
/// If the binary does not build.
pub fn host_command(identity: &Identity) -> anyhow::Result<Command> {
    Ok(host_command_of(provider_binary::path()?, identity))
}

/// The same for another build of the provider.
pub fn host_command_of(binary: &Path, identity: &Identity) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("TF_") || name.starts_with("PLUGIN_")) {
            command.env_remove(name);
        }
    }
    command
        .env("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
        .env("PLUGIN_PROTOCOL_VERSIONS", "6,5")
        .env("PLUGIN_MIN_PORT", "10000")
        .env("PLUGIN_MAX_PORT", "25000")
        .env("PLUGIN_CLIENT_CERT", identity.pem())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// The one line on standard output, decoded.
#[derive(Debug, Clone)]
pub struct HandshakeLine {
    /// As it came, without the line break.
    pub text: String,
    /// The socket.
    pub socket: PathBuf,
    /// The server's certificate in DER; empty without TLS.
    pub certificate: Vec<u8>,
}

impl HandshakeLine {
    fn decode(text: &str) -> anyhow::Result<Self> {
        let fields: Vec<_> = text.split('|').collect();
        let ["1", "6", "unix", socket, "grpc", certificate] = fields.as_slice() else {
            bail!("not a handshake line for protocol 6 on a unix socket: {text:?}");
        };
        let certificate = STANDARD_NO_PAD.decode(certificate).context("the sixth field is not base64 without padding")?;
        Ok(Self { text: text.to_owned(), socket: PathBuf::from(socket), certificate })
    }

    /// The folder that was created for the socket.
    pub fn folder(&self) -> &Path {
        self.socket.parent().unwrap_or(&self.socket)
    }
}

/// A provider that has printed its line: [`HandshakeLine`] for a host, plain text in the debug mode.
pub struct ProviderProcess<L = HandshakeLine> {
    /// What it printed.
    pub line: L,
    child: Child,
    pid: Pid,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

/// How a process ended.
#[derive(Debug)]
pub struct Exit {
    /// Its status.
    pub status: ExitStatus,
    /// What it printed after the handshake line.
    pub stdout: String,
    /// Its whole standard error.
    pub stderr: String,
}

impl ProviderProcess {
    /// Starts `command` and waits for the handshake line.
    ///
    /// # Errors
    /// If it does not start, ends early or prints something else.
    pub async fn start(command: Command) -> anyhow::Result<Self> {
        Self::start_and_decode(command, HandshakeLine::decode).await
    }
}

impl ProviderProcess<String> {
    /// Starts `command`, which asks for the debug mode, and waits for its line.
    ///
    /// # Errors
    /// If it does not start or ends early.
    pub async fn start_debug(mut command: Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Self::start_and_decode(command, |line| Ok(line.to_owned())).await
    }
}

impl<L> ProviderProcess<L> {
    async fn start_and_decode(mut command: Command, decode: fn(&str) -> anyhow::Result<L>) -> anyhow::Result<Self> {
        let mut child = command.spawn().context("cannot start the provider")?;
        let pid = Pid::from_raw(child.id().context("the provider ended at once")?.try_into()?);
        let mut stdout = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut stderr = child.stderr.take().context("no standard error")?;
        let stderr = tokio::spawn(async move {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text).await;
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut text = String::new();
        tokio::time::timeout(DEADLINE, stdout.read_line(&mut text)).await.context("no line in time")??;
        let Some(line) = text.strip_suffix('\n') else {
            let said = stderr.await.unwrap_or_default();
            bail!("the provider ended without a line (only {text:?}): {said}");
        };
        let line = decode(line)?;
        let stdout = tokio::spawn(async move {
            let mut text = String::new();
            let _ = stdout.read_to_string(&mut text).await;
            text
        });
        Ok(Self { line, child, pid, stdout, stderr })
    }

    /// Its id in the system.
    pub fn id(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Sends a signal to this process alone.
    ///
    /// # Errors
    /// If the process no longer exists.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        kill(self.pid, signal).with_context(|| format!("cannot send {signal}"))
    }

    /// Waits until the process ends by itself.
    ///
    /// # Errors
    /// If it has not within `deadline`; it is killed then.
    pub async fn exit(mut self, deadline: Duration) -> anyhow::Result<Exit> {
        let ended = tokio::time::timeout(deadline, self.child.wait()).await;
        ensure!(ended.is_ok(), "the provider still runs after {deadline:?}");
        let status = ended??;
        Ok(Exit { status, stdout: self.stdout.await?, stderr: self.stderr.await? })
    }
}
