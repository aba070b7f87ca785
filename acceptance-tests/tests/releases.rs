//! The promise of a version number: what CHANGELOG.md says of it, which states of it are read, and what a release is made with.

use std::fs;
use std::path::Path;

use acceptance_tests::docs::{Schemas, repository};
use acceptance_tests::package::VERSION;
use acceptance_tests::surface;
use anyhow::{Context as _, Result, bail, ensure};

/// A version's number.
type Number = [u64; 3];

fn number(text: &str) -> Result<Number> {
    let parts = text.split('.').map(str::parse).collect::<Result<Vec<u64>, _>>().with_context(|| text.to_owned())?;
    parts.try_into().ok().with_context(|| format!("{text} is no version"))
}

/// The versions in CHANGELOG.md, with what is in parentheses behind them: a date, or Unreleased.
fn versions() -> Result<Vec<(Number, String)>> {
    let changelog = fs::read_to_string(repository().join("CHANGELOG.md"))?;
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    headings
        .map(|heading| {
            let (version, when) = heading.split_once(" (").with_context(|| format!("no date: {heading}"))?;
            Ok((number(version)?, when.strip_suffix(')').with_context(|| heading.to_owned())?.to_owned()))
        })
        .collect()
}

#[test]
fn the_changelog_begins_with_this_version_and_goes_back_in_order() -> Result<()> {
    let versions = versions()?;
    let newest = versions.first().context("CHANGELOG.md has no version")?;
    assert_eq!(newest.0, number(VERSION)?);
    ensure!(versions.is_sorted_by(|later, earlier| later.0 > earlier.0), "not in order: {versions:?}");
    let released = versions.iter().skip(1).find(|(_, when)| when == "Unreleased");
    ensure!(released.is_none(), "an earlier version has no date: {released:?}");
    Ok(())
}

#[test]
fn the_provider_and_its_tests_have_the_same_version() -> Result<()> {
    let manifest = fs::read_to_string(repository().join("Cargo.toml"))?;
    ensure!(manifest.contains(&format!("\nversion = \"{VERSION}\"\n")), "Cargo.toml has another version than {VERSION}");
    Ok(())
}

/// `state_upgrade.rs` reads them.
#[test]
fn there_are_states_of_the_first_version_and_of_none_that_does_not_exist() -> Result<()> {
    let mut stored = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(version) = name.strip_prefix("state-") {
            stored.push(number(version)?);
        }
    }
    stored.sort();
    let mut known: Vec<Number> = versions()?.into_iter().map(|(version, _)| version).collect();
    known.sort();
    assert_eq!(stored.first(), known.first());
    ensure!(stored.iter().all(|version| known.contains(version)), "{stored:?} are not all in CHANGELOG.md: {known:?}");
    Ok(())
}

/// Whether a change that breaks something is allowed between two versions: the first number is another, before 1.0 the second.
fn may_break(earlier: Number, now: Number) -> bool {
    if earlier[0] == 0 && now[0] == 0 { earlier[1] != now[1] } else { earlier[0] != now[0] }
}

/// `fixtures/surface-<version>.txt` has what a release offered. The newest released one counts.
#[tokio::test]
async fn what_a_release_offers_stays_until_the_number_says_otherwise() -> Result<()> {
    let now = surface::lines(&Schemas::fetch().await?);
    ensure!(now.iter().any(|line| line == "Resource clickpipes_publication.name: \"string\", required"), "{now:#?}");
    for (version, when) in versions()?.into_iter().filter(|(_, when)| when != "Unreleased") {
        let name = format!("surface-{}.{}.{}.txt", version[0], version[1], version[2]);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(&name);
        let Ok(text) = fs::read_to_string(&path) else {
            bail!("{name} of the version of {when} is missing in fixtures/. At the release it is:\n{}", now.join("\n"));
        };
        let earlier: Vec<String> = text.lines().map(str::to_owned).collect();
        let broken = surface::broken(&earlier, &now);
        ensure!(broken.is_empty() || may_break(version, number(VERSION)?), "breaks what {name} promised:\n{}", broken.join("\n"));
    }
    Ok(())
}

#[test]
fn the_number_that_may_break_something_is_the_first_and_before_1_0_the_second() {
    assert!(may_break([0, 1, 9], [0, 2, 0]) && may_break([0, 9, 0], [1, 0, 0]) && may_break([1, 2, 3], [2, 0, 0]));
    assert!(!may_break([0, 1, 0], [0, 1, 1]) && !may_break([1, 0, 0], [1, 1, 0]) && !may_break([2, 0, 0], [2, 0, 1]));
}

/// A tag of an action can be moved to another commit later, one with access to the key that signs releases.
#[test]
fn workflows_use_actions_by_their_commit() -> Result<()> {
    let mut used = 0;
    for entry in fs::read_dir(repository().join(".github/workflows"))? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        for action in text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: ")) {
            if action.starts_with("./") {
                continue;
            }
            let (reference, version) = action.split_once(" # v").with_context(|| format!("{}: {action}", path.display()))?;
            let commit = reference.split_once('@').context("no commit")?.1;
            let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            ensure!(is_commit && number(version).is_ok(), "{}: {action}", path.display());
            used += 1;
        }
    }
    ensure!(used > 0, "no action was found");
    Ok(())
}
