//! A version that is not available: named in the output of the tests, and a failure where everything must run.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use tokio::sync::OnceCell;

use super::Binaries;

/// Why a version is not available; `None` if it is.
type Absence = Option<String>;

static LOOKED_FOR: Mutex<BTreeMap<u32, Arc<OnceCell<Absence>>>> = Mutex::new(BTreeMap::new());

/// Whether this major version is available, from the machine or by download; checked once per process. If it is not, standard
/// error says `not run: PostgreSQL 17: <reason>`. This bypasses the test harness, which hides the output of passing tests.
///
/// # Errors
/// With `CI=true`, if it is not available.
pub async fn is_available(major: u32) -> Result<bool> {
    let cell = Arc::clone(LOOKED_FOR.lock().unwrap_or_else(PoisonError::into_inner).entry(major).or_default());
    let absence = cell
        .get_or_init(|| async {
            let reason = Binaries::locate(major).await.err().map(|error| format!("{error:#}"));
            if let Some(reason) = &reason {
                // Not eprintln: the harness would capture it.
                let _ = writeln!(std::io::stderr(), "{}", notice(major, reason));
            }
            reason
        })
        .await;
    let everything = std::env::var("CI").is_ok_and(|value| value == "true");
    verdict(major, absence.as_deref(), everything)
}

fn notice(major: u32, reason: &str) -> String {
    format!("not run: PostgreSQL {major}: {reason}")
}

/// `everything`: a missing version is a failure.
fn verdict(major: u32, absence: Option<&str>, everything: bool) -> Result<bool> {
    match absence {
        Some(reason) if everything => bail!("CI=true demands every version; {}", notice(major, reason)),
        absence => Ok(absence.is_none()),
    }
}

#[cfg(test)]
mod tests {
    use super::verdict;

    #[test]
    fn an_absent_version_is_passed_over_or_fails_where_everything_must_run() {
        assert!(verdict(17, None, true).unwrap());
        assert!(!verdict(17, Some("no network"), false).unwrap());
        let failure = format!("{:#}", verdict(17, Some("no network"), true).unwrap_err());
        assert!(failure.ends_with("not run: PostgreSQL 17: no network"), "{failure}");
    }
}
