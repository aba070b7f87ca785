//! A version that is not available is named, and is a failure where everything must run: tested on this program itself, with an
//! empty cache and a network that refuses.

use std::process::{Command, Output};

use acceptance_tests::postgres_server::Binaries;
use anyhow::{Context as _, Result};

use crate::MAJORS;

fn run(major: u32, everything: bool) -> Result<Output> {
    let cache = tempfile::tempdir()?;
    // Nothing listens on port 9 of the loopback.
    let nowhere = "http://127.0.0.1:9";
    let mut command = Command::new(std::env::current_exe()?);
    command.args([&format!("postgres_{major}::plain::the_finished_source_streams"), "--exact"]);
    command.env("CLICKPIPES_TEST_CACHE", cache.path()).env("HTTPS_PROXY", nowhere).env("https_proxy", nowhere);
    command.env_remove("CI").env_remove("NO_PROXY").env_remove("no_proxy");
    if everything {
        command.env("CI", "true");
    }
    command.output().context("running this program again")
}

#[test]
fn a_version_that_cannot_be_had_is_named_and_fails_where_everything_must_run() -> Result<()> {
    let Some(major) = MAJORS.into_iter().rev().find(|major| !Binaries::is_installed(*major)) else {
        // Every version is installed outside the cache: none can be missing here.
        return Ok(());
    };
    let named = format!("not run: PostgreSQL {major}: ");
    let passed = run(major, false)?;
    let said = String::from_utf8_lossy(&passed.stderr);
    assert!(passed.status.success() && said.contains(&named), "{}\n{said}", passed.status);
    let failed = run(major, true)?;
    let said = String::from_utf8_lossy(&failed.stdout);
    assert!(!failed.status.success() && said.contains(&named), "{}\n{said}", failed.status);
    Ok(())
}
