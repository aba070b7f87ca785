//! A server whose processes are stopped: it accepts connections, because the kernel does, and answers nothing.

use std::fs;

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::PostgresServer;
use crate::processes::children;

/// The stopped processes; they go on when this value is dropped.
#[derive(Debug)]
pub struct Frozen {
    processes: Vec<i32>,
}

impl PostgresServer {
    /// Stops every process of the server, sessions included, as SIGSTOP or a machine that hangs does.
    ///
    /// # Errors
    /// If the server does not run.
    pub fn freeze(&self) -> Result<Frozen> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).context("reading the server's process id")?;
        let postmaster: i32 =
            file.lines().next().unwrap_or_default().trim().parse().context("reading the server's process id")?;
        let mut frozen = Frozen { processes: Vec::new() };
        // The postmaster first: it starts no further session then.
        frozen.stop(postmaster)?;
        for child in children(postmaster)? {
            frozen.stop(child)?;
        }
        Ok(frozen)
    }
}

impl Frozen {
    fn stop(&mut self, process: i32) -> Result<()> {
        match kill(Pid::from_raw(process), Signal::SIGSTOP) {
            Ok(()) => self.processes.push(process),
            // It has just ended.
            Err(nix::errno::Errno::ESRCH) => {}
            Err(error) => return Err(error).with_context(|| format!("stopping process {process}")),
        }
        Ok(())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for process in &self.processes {
            let _ = kill(Pid::from_raw(*process), Signal::SIGCONT);
        }
    }
}
