//! The tests of an inhabitant that is not a managed resource: one file each in `fixtures/data_source/`, `fixtures/ephemeral/`,
//! `fixtures/list/`, `fixtures/action/` and `fixtures/function/`, named after its type or its name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use acceptance_tests::core_client::{Kind, Schemas};
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

/// The file of a data source, an ephemeral resource, a list or an action.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// Clusters in addition to `orders`, which has logical replication on; these are only described.
    pub clusters: Vec<String>,
    /// What exists before: SQL of the admin, each in a database. The cluster `orders` has a real Postgres (with the database
    /// `app`) only if there is any.
    pub before: Vec<(String, String)>,
    /// Configurations that work there.
    pub works: Vec<Json>,
    /// Configurations that do not.
    pub refused: Vec<Refused>,
}

/// A configuration that is refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The arguments.
    pub config: Json,
    /// The path of the invalid argument, without a dot before it.
    pub path: String,
    /// A part of the message.
    pub error: String,
}

/// The file of a function.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    /// Calls that give a result.
    pub works: Vec<Call>,
    /// Calls that give an error.
    pub refused: Vec<RefusedCall>,
}

/// A call and its result.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The arguments; in a dynamic argument, each literal has the type that Terraform's language gives it.
    pub arguments: Vec<Json>,
    /// The result.
    pub result: Json,
}

/// A call and what is wrong with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedCall {
    /// The arguments.
    pub arguments: Vec<Json>,
    /// Which argument the error is about, from zero.
    pub argument: Option<usize>,
    /// A part of the error.
    pub error: String,
}

/// The folder of a kind.
pub fn folder(kind: Kind) -> &'static str {
    match kind {
        Kind::DataSource => "data_source",
        Kind::Ephemeral => "ephemeral",
        Kind::List => "list",
        Kind::Action => "action",
    }
}

/// All of a kind with their files; one without a file and a file without one are errors.
pub fn of_kind(schemas: &Schemas, kind: Kind) -> Result<Vec<(String, Fixture)>> {
    let how = "{ \"clusters\": [], \"before\": [[database, sql], ...], \"works\": [{ configuration }, ...], \"refused\": [{ \"config\": \
               { configuration }, \"path\": \"argument\", \"error\": \"part of the message\" }, ...] }";
    let fixtures: Vec<(String, Fixture)> = all(folder(kind), schemas.of(kind).keys(), how)?;
    for (name, fixture) in &fixtures {
        ensure!(!fixture.works.is_empty() && !fixture.refused.is_empty(), "{name}: `works` and `refused` each need an example");
    }
    Ok(fixtures)
}

/// All functions with their files.
pub fn of_functions(schemas: &Schemas) -> Result<Vec<(String, Calls)>> {
    let how = "{ \"works\": [{ \"arguments\": [...], \"result\": ... }, ...], \"refused\": [{ \"arguments\": [...], \"argument\": 0, \
               \"error\": \"part of the message\" }, ...] }";
    let fixtures: Vec<(String, Calls)> = all("function", schemas.functions.keys(), how)?;
    for (name, calls) in &fixtures {
        ensure!(!calls.works.is_empty() && !calls.refused.is_empty(), "{name}: `works` and `refused` each need an example");
    }
    Ok(fixtures)
}

fn path(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

fn all<'a, T: DeserializeOwned>(folder: &str, names: impl Iterator<Item = &'a String>, how: &str) -> Result<Vec<(String, T)>> {
    let names: BTreeSet<&String> = names.collect();
    let files = match fs::read_dir(path(folder)) {
        Ok(files) => files.map(|file| Ok(file?.file_name().to_string_lossy().into_owned())).collect::<Result<Vec<_>>>()?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    for file in files {
        let known = file.strip_suffix(".json").is_some_and(|name| names.contains(&name.to_owned()));
        ensure!(known, "fixtures/{folder}/{file} is of nothing that the provider has");
    }
    let read = |name: &String| {
        let path = path(folder).join(format!("{name}.json"));
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "{name} is tried on nothing: add {}, as {how}; it runs against the simulated cluster \"orders\"",
                path.display()
            )
        })?;
        Ok((name.clone(), serde_json::from_str(&text).with_context(|| path.display().to_string())?))
    };
    names.into_iter().map(read).collect()
}

#[test]
fn a_missing_file_is_named_and_so_is_one_too_many() {
    let missing = all::<Fixture>("later", [&"clickpipes_later".to_owned()].into_iter(), "{}").unwrap_err().to_string();
    assert!(missing.contains("add ") && missing.contains("fixtures/later/clickpipes_later.json"), "{missing}");
    // The folder of the lives serves as a folder with foreign files.
    let stranger = all::<Json>("life", [].into_iter(), "{}").unwrap_err().to_string();
    assert!(stranger.contains("is of nothing that the provider has"), "{stranger}");
}
