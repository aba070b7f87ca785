//! The process that outlives this one for a moment: it ends the server and removes its folder.
//!
//! Tests are killed, and Rust never drops statics. A `sh` that reads from a pipe notices both, because the pipe closes with the
//! process that holds its other end. It receives every new process id of the server.

use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};

use anyhow::{Context, Result};

use super::identity::Identity;

/// After SIGQUIT Postgres ends by itself within 5 s; a process that is left then is killed.
const SCRIPT: &str = r#"
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
  kill -QUIT "$pid" 2>/dev/null
  rounds=0
  while kill -0 "$pid" 2>/dev/null && [ "$rounds" -lt 140 ]; do sleep 0.05; rounds=$((rounds + 1)); done
  kill -KILL "$pid" 2>/dev/null
fi
rm -rf -- "$1"
"#;

/// A running guard of one folder.
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
    pipe: Option<ChildStdin>,
}

impl Guard {
    /// Starts to watch `folder`; no server is known yet.
    pub(crate) fn start(identity: Identity, folder: &Path) -> Result<Self> {
        let mut command = identity.command(Path::new("sh"));
        command.arg("-c").arg(SCRIPT).arg("postgres-guard").arg(folder);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting the guard of a Postgres server")?;
        let pipe = child.stdin.take();
        Ok(Self { child, pipe })
    }

    /// Names the process to end; `None` when the server was stopped.
    pub(crate) fn watch(&mut self, pid: Option<u32>) -> Result<()> {
        let line = pid.map(|pid| pid.to_string()).unwrap_or_default();
        let pipe = self.pipe.as_mut().context("the guard of this Postgres server was released")?;
        writeln!(pipe, "{line}").context("telling the guard of a Postgres server which process it watches")
    }

    /// Lets the guard do its work. The caller reaps the server before it waits, otherwise the guard would wait for a zombie.
    pub(crate) fn release(&mut self) {
        drop(self.pipe.take());
    }

    /// Waits until the folder is gone.
    pub(crate) fn wait(&mut self) {
        self.release();
        drop(self.child.wait());
    }
}
