//! The pages in `docs/` that the Terraform Registry shows, in its layout. They are written from the schema that the provider's
//! binary returns, from `examples/` and from the handwritten parts in `docs/templates/`. Anything registered later gets its page
//! without a change here.

mod attribute_type;
mod function;
mod identity;
mod kind;
mod page;
mod schema;
mod template;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use terraform_provider_clickpipes::proto::tfplugin6::Schema;

pub use kind::{Kind, Subject};

/// The folders in `docs/` whose pages are all written here.
const FOLDERS: [&str; 6] = ["actions", "data-sources", "ephemeral-resources", "functions", "list-resources", "resources"];
/// What every type name starts with; pages are named without it.
const PREFIX: &str = "clickpipes_";

/// What the provider reports about itself.
#[derive(Clone, Debug)]
pub struct Schemas {
    /// Of the provider block.
    pub provider: Schema,
    /// Of everything else, by kind.
    pub kinds: Vec<Kind>,
}

impl Schemas {
    /// Asks the provider built from this source.
    ///
    /// # Errors
    /// If it does not build, start or answer.
    pub async fn fetch() -> Result<Self> {
        let (provider, kinds) = kind::fetch().await?;
        Ok(Self { provider: provider.context("the provider has no schema of its own")?, kinds })
    }

    /// Every schema with its name, that of the provider block included.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Schema)> {
        let of_kinds = self.kinds.iter().flat_map(|kind| &kind.subjects).filter_map(|(name, subject)| match subject {
            Subject::Resource(schema, _) | Subject::Configured(schema) => Some((name.as_str(), schema)),
            Subject::Function(_) => None,
        });
        of_kinds.chain([("provider", &self.provider)])
    }

    /// The managed resources, by type name.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &Schema)> {
        let subjects = self.kinds.iter().flat_map(|kind| &kind.subjects);
        subjects.filter_map(|(name, subject)| match subject {
            Subject::Resource(schema, _) => Some((name.as_str(), schema)),
            _ => None,
        })
    }
}

/// The name of a page and of its template: the type name without the provider's.
#[must_use]
pub fn page_name(type_name: &str) -> &str {
    type_name.strip_prefix(PREFIX).unwrap_or(type_name)
}

/// The folder that `docs/` and `examples/` are in.
#[must_use]
pub fn repository() -> PathBuf {
    let member = Path::new(env!("CARGO_MANIFEST_DIR"));
    member.parent().unwrap_or(member).to_owned()
}

/// Every page as it should be: path below the repository and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pages(BTreeMap<PathBuf, String>);

impl Pages {
    /// Composes the pages of all that `schemas` holds.
    ///
    /// # Errors
    /// An example or template is missing or cannot be used; the message names it.
    pub fn compose(repository: &Path, schemas: &Schemas) -> Result<Self> {
        let mut pages = BTreeMap::from([(PathBuf::from("docs/index.md"), page::index(repository, &schemas.provider)?)]);
        for kind in &schemas.kinds {
            for (name, subject) in &kind.subjects {
                let path = PathBuf::from(format!("docs/{}/{}.md", kind.folder, page_name(name)));
                pages.insert(path, page::inhabitant(repository, kind, name, subject).with_context(|| name.clone())?);
            }
        }
        Ok(Self(pages))
    }

    /// The paths of the pages.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// What must change in `docs/`, one sentence per page; empty if everything is up to date.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub fn stale(&self, repository: &Path) -> Result<Vec<String>> {
        let pages = self.0.iter().filter_map(|(path, text)| match fs::read_to_string(repository.join(path)) {
            Ok(present) if present == *text => None,
            Ok(_) => Some(format!("{} is stale", path.display())),
            Err(_) => Some(format!("{} is missing", path.display())),
        });
        let orphans = self.orphans(repository)?;
        Ok(pages.chain(orphans.iter().map(|path| format!("{} documents nothing that there is", path.display()))).collect())
    }

    /// Writes the pages that are stale and removes those of unknown resources. Returns the paths that it touched.
    ///
    /// # Errors
    /// If a file cannot be written or removed.
    pub fn write(&self, repository: &Path) -> Result<Vec<PathBuf>> {
        let mut touched = Vec::new();
        for (path, text) in &self.0 {
            let file = repository.join(path);
            if fs::read_to_string(&file).is_ok_and(|present| present == *text) {
                continue;
            }
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
            touched.push(path.clone());
        }
        for path in self.orphans(repository)? {
            fs::remove_file(repository.join(&path)).with_context(|| format!("cannot remove {}", path.display()))?;
            touched.push(path);
        }
        Ok(touched)
    }

    /// Pages of things that do not exist.
    fn orphans(&self, repository: &Path) -> Result<Vec<PathBuf>> {
        let mut orphans = Vec::new();
        for folder in FOLDERS.map(|folder| Path::new("docs").join(folder)) {
            let Ok(entries) = fs::read_dir(repository.join(&folder)) else { continue };
            for entry in entries {
                let path = folder.join(entry?.file_name());
                if !self.0.contains_key(&path) {
                    orphans.push(path);
                }
            }
        }
        orphans.sort();
        Ok(orphans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_missing_and_orphaned_pages_are_named_and_mended() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let resources = folder.path().join("docs/resources");
        fs::create_dir_all(&resources)?;
        fs::write(resources.join("stale.md"), "old")?;
        fs::write(resources.join("gone.md"), "old")?;
        let page = |name: &str| (PathBuf::from(format!("docs/resources/{name}.md")), "new".to_owned());
        let pages = Pages([page("stale"), page("added")].into());
        let expected = [
            "docs/resources/added.md is missing",
            "docs/resources/stale.md is stale",
            "docs/resources/gone.md documents nothing that there is",
        ];
        assert_eq!(pages.stale(folder.path())?, expected);
        assert_eq!(pages.write(folder.path())?.len(), 3);
        assert_eq!(pages.stale(folder.path())?, [""; 0]);
        assert_eq!(pages.write(folder.path())?.len(), 0);
        Ok(())
    }
}
