//! A terraform that is still running.

use anyhow::Context as _;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::process::{Child, Command};

use super::Outcome;

/// A running terraform. Dropping it kills terraform, and the provider ends with its connection.
pub struct Session {
    command: String,
    child: Child,
}

impl Session {
    pub(super) fn start(mut command: Command) -> anyhow::Result<Self> {
        let std_command = command.as_std();
        let words = std::iter::once(std_command.get_program()).chain(std_command.get_args());
        let text = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let child = command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {text}"))?;
        Ok(Self { command: text, child })
    }

    /// Ctrl-C for terraform alone: it asks the provider to stop and waits for running operations.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn interrupt(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGINT)
    }

    /// Sends terraform a signal.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill(Pid::from_raw(self.pid()?), signal)?)
    }

    /// The process id of terraform.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn pid(&self) -> anyhow::Result<i32> {
        Ok(self.child.id().context("terraform has ended already")?.try_into()?)
    }

    /// Waits for the end, successful or not.
    ///
    /// # Errors
    /// If what it printed cannot be read.
    pub async fn outcome(self) -> anyhow::Result<Outcome> {
        let output = self.child.wait_with_output().await?;
        Ok(Outcome {
            command: self.command,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}
