//! The provider's source files, and which part of a file is code.

use std::fs;
use std::path::{Path, PathBuf};

pub(super) struct Source {
    /// Path below the repository's root, with forward slashes.
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    /// The code: without comments, and without the tests at the end of the file.
    pub(super) fn code(&self) -> String {
        let code = self.text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    }

    pub(super) fn is_below(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }

    pub(super) fn is_named(&self, names: &[&str]) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        names.contains(&name)
    }

    /// The folder below `src/resource/` that contains it.
    pub(super) fn resource(&self) -> Option<&str> {
        self.path.strip_prefix("src/resource/")?.split_once('/').map(|(folder, _)| folder)
    }

    /// `plan/tests.rs` and the like.
    pub(super) fn is_test(&self) -> bool {
        self.is_named(&["tests.rs", "fuzz.rs"]) || self.path.contains("/tests/") || self.path.starts_with("src/tidy/")
    }
}

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder, by their path.
pub(super) fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Source { text: fs::read_to_string(&path).unwrap(), path: relative });
            }
        }
    }
    assert!(!found.is_empty(), "no sources below {folder}");
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// The provider's own files without its tests.
pub(super) fn provider() -> Vec<Source> {
    sources("src").into_iter().filter(|source| !source.is_test()).collect()
}
