//! One page: front matter, description, example, hand-written notes, schema, import.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use terraform_provider_clickpipes::proto::tfplugin6::Schema;

use super::{page_name, schema, template};

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

/// The page of a managed resource.
pub(super) fn resource(repository: &Path, type_name: &str, resource: &Schema) -> Result<String> {
    let description = description(resource);
    let examples = format!("examples/resources/{type_name}");
    let notes = read(repository, &format!("docs/templates/resources/{}.md", page_name(type_name)))?;
    let values = [
        ("type", type_name.to_owned()),
        ("summary", summary(&description)),
        ("description", description.join("\n\n")),
        ("example", code("terraform", &read(repository, &format!("{examples}/resource.tf"))?)),
        ("notes", notes.trim_end().to_owned()),
        ("schema", schema::section(resource).context(type_name.to_owned())?),
        ("import_block", code("terraform", &read(repository, &format!("{examples}/import-by-string-id.tf"))?)),
        ("import_command", code("shell", &read(repository, &format!("{examples}/import.sh"))?)),
    ];
    compose(repository, "docs/templates/resource.md", &values)
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
