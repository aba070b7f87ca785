//! What the command line asks for.

use std::ffi::OsString;

/// What `--help` prints.
pub const HELP: &str = "\
Terraform provider for ClickHouse ClickPipes sources on Amazon Aurora PostgreSQL.

Terraform and OpenTofu start this program themselves; by hand it offers:

  --debug      serve until Ctrl-C and print the TF_REATTACH_PROVIDERS assignment that attaches Terraform to it;
               without TLS, on a unix socket that only you can reach
  --version    print the version
  --help       print this text

Logs go to standard error, one JSON object per line, at the level of TF_LOG_PROVIDER_CLICKPIPES, TF_LOG_PROVIDER or TF_LOG.
CONTRIBUTING.md says how to try a build of your own without --debug.
";

/// What the process shall do.
#[derive(Debug, PartialEq, Eq)]
pub enum Invocation {
    /// Serve the host that started the process. A host passes no arguments.
    Plugin,
    /// Serve a developer who attaches Terraform by hand.
    Debug,
    /// Print the version.
    Version,
    /// Print the help.
    Help,
    /// Report this argument as unknown.
    Unknown(String),
}

impl Invocation {
    /// Decodes the arguments that follow the program's name.
    pub fn decode(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let mut arguments = arguments.into_iter();
        let Some(first) = arguments.next() else {
            return Self::Plugin;
        };
        if let Some(second) = arguments.next() {
            return Self::Unknown(second.to_string_lossy().into_owned());
        }
        // Go's flags have one dash, and users are used to it from other providers.
        match first.to_str() {
            Some("--debug" | "-debug") => Self::Debug,
            Some("--version" | "-version" | "-V") => Self::Version,
            Some("--help" | "-help" | "-h") => Self::Help,
            _ => Self::Unknown(first.to_string_lossy().into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(arguments: &[&str]) -> Invocation {
        Invocation::decode(arguments.iter().map(OsString::from))
    }

    #[test]
    fn no_argument_means_a_host() {
        assert_eq!(decode(&[]), Invocation::Plugin);
    }

    #[test]
    fn one_known_argument_is_allowed() {
        assert_eq!(decode(&["--debug"]), Invocation::Debug);
        assert_eq!(decode(&["-version"]), Invocation::Version);
        assert_eq!(decode(&["--serve"]), Invocation::Unknown("--serve".to_owned()));
        assert_eq!(decode(&["--debug", "now"]), Invocation::Unknown("now".to_owned()));
    }
}
