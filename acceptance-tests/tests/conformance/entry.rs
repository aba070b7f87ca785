//! What a resource needs to really exist: one file per resource in `fixtures/life/`, named after its type.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use acceptance_tests::core_client::{Schemas, Subject, TerraformCore};
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value as Json;

/// The file of a resource.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Additional clusters, only described. `orders` has a Postgres with the database `app`.
    pub clusters: Vec<String>,
    /// Whether its apply runs statements. If not, mishaps are tested on a cluster that is only described: the restarts of a real
    /// Postgres would take most of the time.
    pub statements: bool,
    /// What exists before: SQL of the admin, each in a database.
    pub before: Vec<(String, String)>,
    create: Json,
    update: Json,
    /// `null` only if no change replaces the resource.
    replace: Option<Json>,
    import_id: String,
    /// Clusters that have to be deleted after the destroy for the object to be gone: some objects are settings of a cluster.
    pub gone_with: Vec<String>,
    /// SQL after the destroy for the object to be gone, each in a database: some objects are settings of a table.
    #[serde(default)]
    pub gone_by: Vec<(String, String)>,
    /// Attributes that an import cannot know, each with the reason.
    not_imported: BTreeMap<String, String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/life")
}

impl Entry {
    /// The file of this resource.
    pub fn of(type_name: &str) -> Result<Self> {
        let path = folder().join(format!("{type_name}.json"));
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "{type_name} has no life to live: add {}, with the configurations that create, update and replace it on the cluster \
                 \"orders\" (database \"app\"), what has to be there before, and the id that imports it, as the files beside it have them",
                path.display()
            )
        })?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// The configurations as values of the schema.
    pub fn subject(&self, core: &TerraformCore, type_name: &str) -> Result<Subject> {
        ensure!(self.not_imported.values().all(|reason| !reason.is_empty()), "{type_name}: a reason is missing in not_imported");
        let configuration = |arguments: &Json| core.configuration(type_name, arguments);
        Ok(Subject {
            type_name: type_name.to_owned(),
            create: configuration(&self.create)?,
            update: configuration(&self.update)?,
            replace: self.replace.as_ref().map(configuration).transpose()?,
            import_id: self.import_id.clone(),
            not_imported: self.not_imported.keys().cloned().collect(),
        })
    }
}

/// Every resource of the schema with its file; a resource without one and a file without a resource are errors.
pub fn all(schemas: &Schemas) -> Result<Vec<(String, Entry)>> {
    ensure!(!schemas.resources.is_empty(), "there is nothing to walk");
    let names = fs::read_dir(folder())?.map(|file| Ok(file?.file_name().to_string_lossy().into_owned()));
    let files: BTreeSet<String> = names.collect::<Result<_>>()?;
    for file in &files {
        let known = file.strip_suffix(".json").is_some_and(|type_name| schemas.resources.contains_key(type_name));
        ensure!(known, "fixtures/life/{file} is of no resource in the schema");
    }
    schemas.resources.keys().map(|type_name| Ok((type_name.clone(), Entry::of(type_name)?))).collect()
}
