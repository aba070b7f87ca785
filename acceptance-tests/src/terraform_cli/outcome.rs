//! The result of a terraform run.

use anyhow::{Context as _, anyhow};
use serde_json::Value;

/// A finished run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The command.
    pub command: String,
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Returns a run that succeeded.
    ///
    /// # Errors
    /// If it failed; the message contains all its output.
    pub fn succeeded(self) -> anyhow::Result<Self> {
        if self.code == Some(0) { Ok(self) } else { Err(self.unexpected()) }
    }

    /// Returns a run that failed, as it should have.
    ///
    /// # Errors
    /// If it succeeded.
    pub fn failed(self) -> anyhow::Result<Self> {
        if self.code == Some(1) { Ok(self) } else { Err(self.unexpected()) }
    }

    /// All output as running text: without the frames that Terraform draws around diagnostics, and with each run of white space
    /// as one blank, because Terraform breaks lines at the terminal's width.
    pub fn message(&self) -> String {
        let unframed = |c: char| c.is_whitespace() || matches!(c, '│' | '╷' | '╵');
        let words = |text: &str| text.split(unframed).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        format!("{} {}", words(&self.stdout), words(&self.stderr))
    }

    /// Standard output as JSON.
    ///
    /// # Errors
    /// If it is something else.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| format!("{} printed no JSON", self.command))
    }

    pub(super) fn unexpected(&self) -> anyhow::Error {
        let code = self.code.map_or_else(|| "a signal".to_owned(), |code| format!("code {code}"));
        anyhow!("{} ended with {code}\n{}\n{}", self.command, self.stdout, self.stderr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_running_text() {
        let outcome = Outcome {
            command: "terraform plan".to_owned(),
            code: Some(1),
            stdout: String::new(),
            stderr: "╷\n│ Error: No such\n│   schema\n│ \n│   on main.tf line 1:\n╵\n".to_owned(),
        };
        assert_eq!(outcome.message().trim(), "Error: No such schema on main.tf line 1:");
    }
}
