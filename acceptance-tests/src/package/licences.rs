//! The licence texts in a crate's folder.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::crates::Crate;

/// How the name of a file with a licence, or with a notice that must be passed on, begins.
const BEGINNINGS: [&str; 6] = ["licence", "license", "copying", "copyright", "notice", "unlicense"];
/// Other files that begin like that.
const SOURCES: [&str; 4] = [".rs", ".c", ".h", ".go"];

/// For crates that name the licence and forget its text.
const MIT: &str = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated \
documentation files (the \"Software\"), to deal in the Software without restriction, including without limitation the rights to use, \
copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software \
is furnished to do so, subject to the following conditions:\n\nThe above copyright notice and this permission notice shall be \
included in all copies or substantial portions of the Software.\n\nTHE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, \
EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND \
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN \
ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE \
SOFTWARE.\n";

/// The texts, in the order of their paths.
///
/// # Errors
/// If there is none, or it cannot be read.
pub(super) fn of(linked: &Crate) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    collect(&linked.folder, &mut texts).with_context(|| format!("cannot read {}", linked.folder.display()))?;
    if texts.is_empty() {
        texts.push(substitute(linked)?);
    }
    Ok(texts)
}

fn collect(folder: &Path, texts: &mut Vec<String>) -> Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), texts)?;
        } else if is_licence(&name) {
            texts.push(String::from_utf8_lossy(&fs::read(entry.path())?).replace("\r\n", "\n"));
        }
    }
    Ok(())
}

fn is_licence(name: &str) -> bool {
    let name = name.to_lowercase();
    BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) && !SOURCES.iter().any(|end| name.ends_with(end))
}

fn substitute(linked: &Crate) -> Result<String> {
    let permits = linked.licence.split(" OR ").any(|licence| licence.trim_matches(['(', ')']) == "MIT");
    let has_no_text = || format!("{} {} contains no licence text: {}", linked.name, linked.version, linked.licence);
    permits.then(|| format!("Copyright (c) {}\n\n{MIT}", holders(linked))).with_context(has_no_text)
}

fn holders(linked: &Crate) -> String {
    if linked.authors.is_empty() { format!("the authors of {}", linked.name) } else { linked.authors.join(", ") }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn without_text(licence: &str) -> Crate {
        Crate {
            name: "small".to_owned(),
            version: "1.0.0".to_owned(),
            licence: licence.to_owned(),
            authors: Vec::new(),
            repository: None,
            checksum: None,
            folder: PathBuf::new(),
        }
    }

    #[test]
    fn licences_are_known_by_their_names() {
        for name in ["LICENSE", "LICENSE-MIT", "license.txt", "COPYRIGHT", "LICENSE.httprouter", "UNLICENSE", "NOTICE"] {
            assert!(is_licence(name), "{name}");
        }
        for name in ["notice.rs", "README.md", "Cargo.toml"] {
            assert!(!is_licence(name), "{name}");
        }
    }

    #[test]
    fn only_the_mit_licence_can_be_added_afterwards() -> Result<()> {
        assert!(substitute(&without_text("Apache-2.0 OR MIT"))?.starts_with("Copyright (c) the authors of small\n\nPermission"));
        assert!(substitute(&without_text("Apache-2.0")).is_err());
        assert!(substitute(&without_text("MIT AND ISC")).is_err());
        Ok(())
    }
}
