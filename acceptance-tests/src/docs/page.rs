//! One page: front matter, description, example, handwritten notes, schema, import.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use terraform_provider_clickpipes::proto::tfplugin6::Schema;

use super::kind::{Kind, Subject};
use super::{function, identity, page_name, schema, template};

/// The provider's page.
pub(super) fn index(repository: &Path, provider: &Schema) -> Result<String> {
    let description = description(provider);
    let example = code("terraform", &read(repository, "examples/provider/provider.tf")?);
    let values = [
        ("summary", summary(&description)),
        ("description", description.join("\n\n")),
        ("example", example),
        ("schema", schema::section(provider).context("the provider block")?),
    ];
    compose(repository, "docs/templates/index.md", &values)
}

/// The page of an inhabitant of a kind.
pub(super) fn inhabitant(repository: &Path, kind: &Kind, name: &str, subject: &Subject) -> Result<String> {
    let examples = format!("examples/{}/{name}", kind.folder);
    let example = code("terraform", &read(repository, &format!("{examples}/{}", kind.example))?);
    let notes = notes(repository, &format!("docs/templates/{}/{}.md", kind.folder, page_name(name)))?;
    let mut values = vec![
        ("name", name.to_owned()),
        ("kind", kind.title.to_owned()),
        ("example", example),
        ("notes", notes.trim_end().to_owned()),
    ];
    match subject {
        Subject::Function(declared) => {
            values.extend([
                ("summary", declared.summary.clone()),
                ("description", schema::paragraphs(&declared.description).join("\n\n")),
                ("signature", function::signature(name, declared)?),
                ("arguments", function::arguments(declared)?),
            ]);
            compose(repository, "docs/templates/function.md", &values)
        }
        Subject::Configured(declared) => {
            values.extend(described(declared)?);
            compose(repository, "docs/templates/configured.md", &values)
        }
        Subject::Resource(declared, identity) => {
            values.extend(described(declared)?);
            values.extend([
                ("identity", identity::section(identity)?),
                ("import_by_identity", code("terraform", &read(repository, &format!("{examples}/import-by-identity.tf"))?)),
                ("import_block", code("terraform", &read(repository, &format!("{examples}/import-by-string-id.tf"))?)),
                ("import_command", code("shell", &read(repository, &format!("{examples}/import.sh"))?)),
            ]);
            compose(repository, "docs/templates/resource.md", &values)
        }
    }
}

/// A handwritten part. A place in it names a file below the repository, whose text is shown there.
fn notes(repository: &Path, path: &str) -> Result<String> {
    let written = read(repository, path)?;
    let named = written.split("{{").skip(1).filter_map(|rest| Some(rest.split_once("}}")?.0));
    let shown = named.map(|file| {
        let language = file.rsplit('.').next().unwrap_or_default();
        Ok((file, code(language, &read(repository, file)?)))
    });
    let shown: Vec<(&str, String)> = shown.collect::<Result<_>>().with_context(|| path.to_owned())?;
    let values: Vec<(&str, &str)> = shown.iter().map(|(file, text)| (*file, text.as_str())).collect();
    template::fill(&written, &values).with_context(|| path.to_owned())
}

/// What a page says about a schema.
fn described(declared: &Schema) -> Result<[(&'static str, String); 3]> {
    let description = description(declared);
    Ok([("summary", summary(&description)), ("schema", schema::section(declared)?), ("description", description.join("\n\n"))])
}

fn compose(repository: &Path, frame: &str, values: &[(&str, String)]) -> Result<String> {
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.trim_end())).collect();
    template::fill(&read(repository, frame)?, &values).with_context(|| frame.to_owned())
}

fn description(schema: &Schema) -> Vec<String> {
    schema.block.as_ref().map(|block| schema::paragraphs(&block.description)).unwrap_or_default()
}

/// The first paragraph: what a search result shows.
fn summary(description: &[String]) -> String {
    description.first().cloned().unwrap_or_default()
}

fn code(language: &str, text: &str) -> String {
    let mut block = format!("```{language}\n");
    let _ = write!(block, "{}\n```", text.trim());
    block
}

fn read(repository: &Path, path: &str) -> Result<String> {
    fs::read_to_string(repository.join(path)).with_context(|| format!("cannot read {path}"))
}
