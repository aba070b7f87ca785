//! The processes of this machine, from `/proc`, and their sudden end.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

/// The processes that this one has started and that still run.
pub(crate) fn children(parent: i32) -> Result<Vec<i32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").context("listing processes")? {
        let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // "pid (name) state parent ...": the name may contain anything.
        let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else { continue };
        let of = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<i32>().ok());
        if of == Some(parent) {
            children.push(process);
        }
    }
    Ok(children)
}

/// Kills a process, as the kernel does when memory runs out.
///
/// # Errors
/// If there is none.
pub fn kill(process: i32) -> Result<()> {
    signal::kill(Pid::from_raw(process), Signal::SIGKILL).with_context(|| format!("killing process {process}"))
}

/// Kills the processes that this one has started.
///
/// # Errors
/// If there are none.
pub fn kill_children(parent: i32) -> Result<()> {
    let children = children(parent)?;
    ensure!(!children.is_empty(), "process {parent} has started nothing that runs");
    children.into_iter().try_for_each(kill)
}
