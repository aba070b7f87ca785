//! Where dependencies come from and under which licence, without a network: `cargo metadata` against the list in deny.toml. Only
//! dependencies built for this platform are checked, because no others need to be on the machine; cargo-deny checks the rest.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use acceptance_tests::docs::repository;
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// Standard output of a program, run in the repository.
fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).current_dir(repository()).output().context(program.to_owned())?;
    ensure!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn packages() -> Result<Vec<Value>> {
    let rustc = output("rustc", &["-vV"])?;
    let platform = rustc.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not say its platform")?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["metadata", "--offline", "--locked", "--format-version=1", "--filter-platform", platform];
    let metadata: Value = serde_json::from_str(&output(&cargo, &arguments)?)?;
    metadata["packages"].as_array().cloned().context("no packages")
}

/// The list `allow` of deny.toml.
fn allowed() -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(repository().join("deny.toml"))?;
    let (_, rest) = text.split_once("\nallow = [").context("deny.toml allows no licences")?;
    let (list, _) = rest.split_once(']').context("the list of licences does not end")?;
    Ok(list.split(',').map(|entry| entry.trim().trim_matches('"').to_owned()).filter(|entry| !entry.is_empty()).collect())
}

/// Whether the allowed licences satisfy an SPDX expression. An exception (`WITH`) counts as its own licence.
fn permits(expression: &str, allowed: &BTreeSet<String>) -> Result<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let permitted = any(&mut rest, allowed)?;
    ensure!(rest.is_empty(), "{expression:?} goes on after its end");
    Ok(permitted)
}

fn any(words: &mut &[&str], allowed: &BTreeSet<String>) -> Result<bool> {
    let mut permitted = all(words, allowed)?;
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        permitted |= all(words, allowed)?;
    }
    Ok(permitted)
}

fn all(words: &mut &[&str], allowed: &BTreeSet<String>) -> Result<bool> {
    let mut permitted = one(words, allowed)?;
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        permitted &= one(words, allowed)?;
    }
    Ok(permitted)
}

fn one(words: &mut &[&str], allowed: &BTreeSet<String>) -> Result<bool> {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let permitted = any(words, allowed)?;
            let [")", rest @ ..] = *words else { bail!("a parenthesis is not closed") };
            *words = rest;
            Ok(permitted)
        }
        [licence, "WITH", exception, rest @ ..] => {
            *words = rest;
            Ok(allowed.contains(&format!("{licence} WITH {exception}")))
        }
        [licence, rest @ ..] => {
            *words = rest;
            Ok(allowed.contains(*licence))
        }
        [] => bail!("a licence is missing"),
    }
}

#[test]
fn every_dependency_has_an_allowed_licence_and_comes_from_the_registry() -> Result<()> {
    let allowed = allowed()?;
    let mut faults = Vec::new();
    for package in packages()? {
        let name =
            format!("{} {}", package["name"].as_str().unwrap_or_default(), package["version"].as_str().unwrap_or_default());
        match package["license"].as_str() {
            Some(licence) if permits(licence, &allowed).with_context(|| name.clone())? => {}
            licence => faults.push(format!("{name}: {}", licence.unwrap_or("no licence is stated"))),
        }
        // Members of the workspace have no source.
        if package["source"].as_str().is_some_and(|source| !source.starts_with("registry+")) {
            faults.push(format!("{name}: comes from {}", package["source"]));
        }
    }
    ensure!(faults.is_empty(), "see deny.toml:\n{}", faults.join("\n"));
    Ok(())
}

#[test]
fn expressions_are_read_as_spdx_means_them() -> Result<()> {
    let allowed = BTreeSet::from(["MIT", "ISC", "A WITH x"].map(str::to_owned));
    for expression in ["MIT", "MIT OR GPL-3.0", "GPL-3.0/MIT", "MIT AND (GPL-3.0 OR ISC)", "A WITH x", "GPL-3.0 AND ISC OR MIT"] {
        assert!(permits(expression, &allowed)?, "{expression}");
    }
    for expression in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "A", "MIT AND GPL-3.0 OR A WITH y"] {
        assert!(!permits(expression, &allowed)?, "{expression}");
    }
    for expression in ["", "MIT OR", "(MIT", "MIT ISC"] {
        assert!(permits(expression, &allowed).is_err(), "{expression}");
    }
    Ok(())
}
