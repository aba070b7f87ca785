//! The documentation against the provider: every page is what `cargo docs` writes, every example is a valid configuration, and nothing
//! that is registered lacks a page, an example or an acceptance test.

use std::fs;
use std::path::{Path, PathBuf};

use acceptance_tests::docs::{Pages, Schemas, page_name, repository};
use acceptance_tests::terraform_cli::{Feature, Terraform};
use anyhow::{Context as _, Result, ensure};
use terraform_provider_clickpipes::proto::tfplugin6::{Schema, schema::Attribute};

/// The headings of the handwritten part of each resource's page.
const NOTES: [&str; 3] = ["## Permissions", "## Destroy", "## Secrets and state"];

#[tokio::test]
async fn the_pages_are_what_cargo_docs_writes() -> Result<()> {
    let pages = Pages::compose(&repository(), &Schemas::fetch().await?)?;
    assert_eq!(pages.stale(&repository())?, [""; 0], "run cargo docs");
    Ok(())
}

#[tokio::test]
async fn every_attribute_says_what_it_means() -> Result<()> {
    let schemas = Schemas::fetch().await?;
    for (name, schema) in schemas.all() {
        let block = schema.block.as_ref().with_context(|| format!("{name} has no block"))?;
        ensure!(!block.description.trim().is_empty(), "{name} has no description");
        described(name, &block.attributes)?;
    }
    Ok(())
}

fn described(path: &str, attributes: &[Attribute]) -> Result<()> {
    for attribute in attributes {
        let path = format!("{path}.{}", attribute.name);
        let description = attribute.description.trim();
        ensure!(description.ends_with('.'), "{path} is described as {description:?}, which is no sentence");
        described(&path, attribute.nested_type.as_ref().map(|nested| nested.attributes.as_slice()).unwrap_or_default())?;
    }
    Ok(())
}

/// Every argument states its default, in one wording, and in a resource the effect of a change.
#[tokio::test]
async fn every_argument_says_its_default_and_what_a_change_does() -> Result<()> {
    let schemas = Schemas::fetch().await?;
    let mut faults = Vec::new();
    let attributes = |schema: &Schema| schema.block.as_ref().map(|block| block.attributes.clone()).unwrap_or_default();
    let can_be_set = |attribute: &Attribute| attribute.required || attribute.optional;
    for (name, schema) in schemas.all() {
        for attribute in attributes(schema).iter().filter(|attribute| can_be_set(attribute)) {
            let path = format!("{name}.{}", attribute.name);
            faults.extend(default_fault(&path, attribute));
            if name == "provider" {
                let nested = attribute.nested_type.as_ref().map(|nested| nested.attributes.as_slice()).unwrap_or_default();
                faults.extend(nested.iter().filter_map(|member| default_fault(&format!("{path}.{}", member.name), member)));
            }
        }
    }
    for (name, schema) in schemas.resources() {
        for attribute in attributes(schema).iter().filter(|attribute| can_be_set(attribute)) {
            if !attribute.description.to_lowercase().contains("change") {
                faults.push(format!("{name}.{} does not say what a change does", attribute.name));
            }
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

fn default_fault(path: &str, attribute: &Attribute) -> Option<String> {
    let text = attribute.description.to_lowercase();
    if !attribute.required && !text.contains("default:") {
        return Some(format!("{path} does not say \"Default: ...\""));
    }
    let other = ["defaults to", "by default", "default when", "default `"];
    other.iter().find(|wording| text.contains(**wording)).map(|wording| format!("{path} says {wording:?}, not \"Default: ...\""))
}

#[tokio::test]
async fn every_resource_has_a_page_an_example_and_an_acceptance_test() -> Result<()> {
    let repository = repository();
    let schemas = Schemas::fetch().await?;
    let has = |path: String| repository.join(path).exists();
    for (type_name, _) in schemas.resources() {
        let name = page_name(type_name);
        let page = fs::read_to_string(repository.join(format!("docs/resources/{name}.md")))
            .with_context(|| format!("the page {name}"))?;
        for heading in NOTES {
            ensure!(page.contains(&format!("\n{heading}\n")), "the page of {type_name} has no section {heading:?}");
        }
        for file in ["resource.tf", "import-by-identity.tf", "import-by-string-id.tf", "import.sh"] {
            ensure!(has(format!("examples/resources/{type_name}/{file}")), "{type_name} has no example {file}");
        }
        let tests = format!("acceptance-tests/tests/{name}");
        ensure!(has(format!("{tests}.rs")) || has(format!("{tests}/main.rs")), "{type_name} has no acceptance test {tests}.rs");
    }
    Ok(())
}

/// Every page of something that makes calls states the permissions for them.
#[tokio::test]
async fn every_page_says_which_permissions_are_needed() -> Result<()> {
    for kind in Schemas::fetch().await?.kinds {
        for name in kind.subjects.keys() {
            let path = format!("docs/{}/{}.md", kind.folder, page_name(name));
            let page = fs::read_to_string(repository().join(&path)).with_context(|| format!("{path}: run cargo docs"))?;
            ensure!(page.contains("\n## Permissions\n"), "the page of {name} has no section \"## Permissions\"");
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_example_is_a_valid_configuration() -> Result<()> {
    let version = Terraform::new()?.version().await?;
    let (identity, actions) = (version.knows(Feature::Identity), version.knows(Feature::Actions));
    let mut folders = Vec::new();
    configurations(&repository().join("examples"), &mut folders)?;
    ensure!(!folders.is_empty(), "there are no examples");
    let later = |text: &str| (!identity && text.contains("identity = {")) || (!actions && text.contains("action \""));
    for folder in folders {
        // Each import is another way to the same resource, so they are validated one at a time.
        let (imports, files): (Vec<_>, Vec<_>) = terraform_files(&folder)?
            .into_iter()
            .partition(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("import-")));
        let ways: Vec<Option<PathBuf>> = if imports.is_empty() { vec![None] } else { imports.into_iter().map(Some).collect() };
        for way in ways {
            let workspace = Terraform::new()?;
            let mut own_providers = false;
            for file in files.iter().chain(&way) {
                let text = fs::read_to_string(file)?;
                own_providers |= text.contains("required_providers");
                let name = file.file_name().and_then(|name| name.to_str()).context("a file without a name")?;
                // Features that this Terraform does not know yet are only formatted by it.
                workspace.write(&if later(&text) { format!("later/{name}") } else { name.to_owned() }, &text)?;
            }
            // Terraform accepts only one such block.
            if own_providers {
                workspace.remove("required_providers.tf")?;
            }
            workspace.validate().await.with_context(|| format!("{}", folder.display()))?;
            let formatted = workspace.run(["fmt", "-check", "-diff", "-recursive", "-no-color"]).await?.succeeded();
            formatted.with_context(|| format!("{} is not formatted", folder.display()))?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_example_of_a_query_is_valid() -> Result<()> {
    if !Terraform::new()?.version().await?.knows(Feature::Queries) {
        return Ok(());
    }
    for folder in fs::read_dir(repository().join("examples/list-resources"))? {
        let folder = folder?.path();
        let workspace = Terraform::new()?;
        workspace.write("provider.tf", "provider \"clickpipes\" {}\n")?;
        let example = fs::read_to_string(folder.join("list-resource.tfquery.hcl"))?;
        workspace.write("list-resource.tfquery.hcl", &example)?;
        let validated = workspace.run(["validate", "-query", "-no-color"]).await?.succeeded();
        validated.with_context(|| format!("{}", folder.display()))?;
        let formatted = workspace.run(["fmt", "-check", "-diff", "-no-color"]).await?.succeeded();
        formatted.with_context(|| format!("{} is not formatted", folder.display()))?;
    }
    Ok(())
}

#[tokio::test]
async fn the_readmes_configurations_are_valid() -> Result<()> {
    let readme = fs::read_to_string(repository().join("README.md"))?;
    let blocks: Vec<&str> = readme.split("```terraform\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    ensure!(!blocks.is_empty(), "the README shows no configuration");
    for block in blocks {
        let workspace = Terraform::new()?;
        workspace.write("main.tf", block)?;
        // The README does not declare these variables.
        let variables =
            ["admin_password", "replication_password"].into_iter().filter(|name| block.contains(&format!("var.{name}")));
        let declared = variables.map(|name| format!("variable \"{name}\" {{\n  type      = string\n  ephemeral = true\n}}\n"));
        workspace.write("variables.tf", &declared.collect::<String>())?;
        workspace.validate().await.with_context(|| block.to_owned())?;
        workspace.run(["fmt", "-check", "-diff", "-no-color"]).await?.succeeded().context("not formatted")?;
    }
    Ok(())
}

/// A promise is worth what its test is.
#[test]
fn every_test_that_the_page_on_security_names_exists() -> Result<()> {
    let page = fs::read_to_string(repository().join("docs/development/security.md"))?;
    let files: Vec<&str> = page.split('`').skip(1).step_by(2).filter(|text| text.ends_with(".rs")).collect();
    ensure!(files.len() > 20, "{files:?}");
    for file in files {
        let known = ["acceptance-tests/tests", ""].iter().any(|folder| repository().join(folder).join(file).exists());
        ensure!(known, "docs/development/security.md names {file}, which does not exist");
    }
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise"));
    for row in rows {
        ensure!(row.contains(".rs`") || row.contains("`assert_no_secret`"), "no test holds: {row}");
    }
    Ok(())
}

/// Adds every folder below `folder` that contains a configuration.
fn configurations(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if !terraform_files(folder)?.is_empty() {
        found.push(folder.to_owned());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with(".terraform") {
            configurations(&path, found)?;
        }
    }
    Ok(())
}

fn terraform_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "tf"));
    files.sort();
    Ok(files)
}
