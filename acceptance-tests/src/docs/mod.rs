//! The pages in `docs/` that the Terraform Registry shows, in its layout. They are written from the schema that the provider's binary
//! answers, from `examples/` and from the hand-written parts in `docs/templates/`; a resource registered later has its page without a
//! line here.

mod attribute_type;
mod page;
mod schema;
mod template;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use terraform_provider_clickpipes::proto::tfplugin6::{Schema, get_provider_schema};

use crate::core_client::CoreClient;

/// What every type name starts with; pages are named without it.
const PREFIX: &str = "clickpipes_";

/// What the provider answers about itself.
#[derive(Clone, Debug)]
pub struct Schemas {
    /// Of the provider block.
    pub provider: Schema,
    /// Of the managed resources, by type name.
    pub resources: BTreeMap<String, Schema>,
}

impl Schemas {
    /// Asks the provider built from this source.
    ///
    /// # Errors
    /// If it does not build, start or answer.
    pub async fn fetch() -> Result<Self> {
        let mut core = CoreClient::start().await?;
        let answer = core.provider.get_provider_schema(get_provider_schema::Request {}).await?.into_inner();
        core.close().await?;
        let provider = answer.provider.context("the provider has no schema of its own")?;
        Ok(Self { provider, resources: answer.resource_schemas.into_iter().collect() })
    }
}

/// The name of a resource's page and template: the type name without the provider's.
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
        for (type_name, schema) in &schemas.resources {
            let path = PathBuf::from(format!("docs/resources/{}.md", page_name(type_name)));
            pages.insert(path, page::resource(repository, type_name, schema)?);
        }
        Ok(Self(pages))
    }

    /// The paths of the pages.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// What must change in `docs/`, one sentence a page; empty when all is as it should be.
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
        Ok(pages.chain(orphans.iter().map(|path| format!("{} documents no resource", path.display()))).collect())
    }

    /// Writes the pages that are stale and removes those of no resource. Returns what it touched.
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

    /// Pages of resources that do not exist.
    fn orphans(&self, repository: &Path) -> Result<Vec<PathBuf>> {
        let folder = Path::new("docs/resources");
        let Ok(entries) = fs::read_dir(repository.join(folder)) else { return Ok(Vec::new()) };
        let mut orphans = Vec::new();
        for entry in entries {
            let path = folder.join(entry?.file_name());
            if !self.0.contains_key(&path) {
                orphans.push(path);
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
            "docs/resources/gone.md documents no resource",
        ];
        assert_eq!(pages.stale(folder.path())?, expected);
        assert_eq!(pages.write(folder.path())?.len(), 3);
        assert_eq!(pages.stale(folder.path())?, [""; 0]);
        assert_eq!(pages.write(folder.path())?.len(), 0);
        Ok(())
    }
}
