//! The demo works, and leaves nothing behind.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

#[test]
fn the_demo_goes_all_the_way() -> Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_demo")).output().context("starting the demo")?;
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{told}\n{errors}");
    for stage in [
        "RebootDBInstance <the writer of orders>",
        "SHOW rds.logical_replication: on, wal_level: logical",
        "received: 4711 | 1 | a row for ClickPipes",
        "No changes.",
        "Everything is as before.",
    ] {
        ensure!(told.contains(stage), "{stage:?} is not in:\n{told}");
    }
    Ok(())
}
