//! Processor time of processes that have ended, as their parent was told when it waited for them, from `/proc`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::core_client::DEADLINE;

/// `USER_HZ`, the unit of the times in `/proc`: Linux shows this one everywhere.
const TICKS: u64 = 100;

/// The fields of `/proc/<pid>/stat` that count here.
struct Stat {
    has_ended: bool,
    parent: u32,
    /// Of its own children that it waited for, and of theirs.
    waited_for: Duration,
}

impl Stat {
    fn of(process: &str) -> Result<Self> {
        let path = format!("/proc/{process}/stat");
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        Self::decode(&text).with_context(|| format!("{path} cannot be read: {text}"))
    }

    fn decode(text: &str) -> Option<Self> {
        // The second field is a name that may contain anything.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self {
            has_ended: *fields.first()? == "Z",
            parent: fields.get(1)?.parse().ok()?,
            waited_for: Duration::from_millis((ticks(13)? + ticks(14)?) * 1000 / TICKS),
        })
    }
}

/// Processor time of all processes that this one has started and waited for, with what those waited for.
///
/// # Errors
/// If there is no `/proc`.
pub fn of_commands() -> Result<Duration> {
    Ok(Stat::of("self")?.waited_for)
}

/// Processor time of the sessions of a server that have ended so far. First waits for those of `role` that are about to end.
///
/// # Errors
/// If the server is down, or a session of the role does not end.
pub async fn of_ended_sessions(data: &Path, role: &str) -> Result<Duration> {
    let path = data.join("postmaster.pid");
    let file = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let server = file.lines().next().unwrap_or_default();
    let started = Instant::now();
    while has_session(server.parse()?, role) {
        ensure!(started.elapsed() < DEADLINE, "a session of {role} does not end");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(Stat::of(server)?.waited_for)
}

fn has_session(server: u32, role: &str) -> bool {
    let title = format!("postgres: {role} ");
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.parse::<u32>().is_ok()).any(|name| {
        let Ok(stat) = Stat::of(&name) else { return false };
        let is_of_role = || fs::read_to_string(format!("/proc/{name}/cmdline")).is_ok_and(|line| line.starts_with(&title));
        stat.parent == server && (stat.has_ended || is_of_role())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let text = "7 (a) b (c) S 3 7 7 0 -1 0 1 2 3 4 10 20 150 50 20 0 1 0 5 6 7";
        let stat = Stat::decode(text).unwrap();
        assert_eq!((stat.parent, stat.has_ended, stat.waited_for), (3, false, Duration::from_secs(2)));
    }
}
