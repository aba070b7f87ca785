//! The text that passes on the licences of everything that is linked.

use std::collections::BTreeMap;

use anyhow::Result;

use super::crates::Crate;
use super::licences;

/// Of glibc, which a static binary contains.
const LGPL: &str = include_str!("LGPL-2.1.txt");

const INTRODUCTION: &str = "This program contains the works listed here, under the licences that follow. Its own is in LICENSE.txt. The \
Rust standard library is linked too (MIT OR Apache-2.0, https://github.com/rust-lang/rust).\n";

const C_LIBRARY: &str = "The GNU C Library (https://www.gnu.org/software/libc/) is linked statically, under the GNU Lesser General Public \
License, version 2.1 or later. To link this program with another version of it, build it from its source: see CONTRIBUTING.md there.\n";

/// The whole text. Crates with the same text share it.
///
/// # Errors
/// If a crate has no licence text, or it cannot be read.
pub(super) fn compose(linked: &[Crate], is_static: bool) -> Result<String> {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut page = format!("{INTRODUCTION}\n");
    for one in linked.iter().filter(|one| !one.is_provider()) {
        let place = one.repository.as_deref().map(|place| format!(", {place}")).unwrap_or_default();
        page += &format!("{} {} ({}{place})\n", one.name, one.version, one.licence);
        for text in licences::of(one)? {
            let crates = texts.entry(text.trim().to_owned()).or_default();
            let name = format!("{} {}", one.name, one.version);
            if !crates.contains(&name) {
                crates.push(name);
            }
        }
    }
    for (text, crates) in texts {
        page += &section(&crates.join(", "), &text);
    }
    if is_static {
        page += &section("glibc", &format!("{C_LIBRARY}\n{}", LGPL.trim()));
    }
    Ok(page)
}

fn section(names: &str, text: &str) -> String {
    format!("\n{}\n{names}\n\n{text}\n", "=".repeat(80))
}
