//! What is linked, as a software bill of materials in the form of CycloneDX 1.5. Without a serial number and a time, so that the same
//! source gives the same bytes.

use anyhow::Result;
use serde_json::{Value, json};

use super::crates::Crate;
use super::{NAME, Platform, VERSION};

/// The document.
///
/// # Errors
/// Never in practice: it is text.
pub(super) fn compose(linked: &[Crate], platform: &Platform, is_static: bool) -> Result<String> {
    let mut components: Vec<Value> = linked.iter().filter(|one| !one.is_provider()).map(component).collect();
    if is_static {
        components.push(json!({
            "type": "library",
            "bom-ref": "glibc",
            "name": "glibc",
            "licenses": [{ "license": { "id": "LGPL-2.1-or-later" } }],
        }));
    }
    let own = json!({
        "type": "application",
        "bom-ref": NAME,
        "name": NAME,
        "version": VERSION,
        "licenses": [{ "expression": "MPL-2.0" }],
        "properties": [{ "name": "platform", "value": platform.label }],
    });
    let names: Vec<&Value> = components.iter().map(|component| &component["bom-ref"]).collect();
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": own },
        "dependencies": [{ "ref": NAME, "dependsOn": names }],
        "components": components,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn component(one: &Crate) -> Value {
    let package = format!("pkg:cargo/{}@{}", one.name, one.version);
    let mut component = json!({
        "type": "library",
        "bom-ref": package,
        "name": one.name,
        "version": one.version,
        "licenses": [{ "expression": one.licence }],
        "purl": package,
    });
    if let Some(checksum) = &one.checksum {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(repository) = &one.repository {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn every_component_has_a_name_that_scanners_know() -> Result<()> {
        let one = Crate {
            name: "serde".to_owned(),
            version: "1.0.0".to_owned(),
            licence: "MIT OR Apache-2.0".to_owned(),
            authors: Vec::new(),
            repository: Some("https://example.test/serde".to_owned()),
            checksum: Some("ff".to_owned()),
            folder: PathBuf::new(),
        };
        let document = compose(&[one], &Platform::of("x86_64-unknown-linux-gnu")?, true)?;
        let document: Value = serde_json::from_str(&document)?;
        let serde = &document["components"][0];
        assert_eq!(serde["purl"], "pkg:cargo/serde@1.0.0");
        assert_eq!(serde["hashes"], json!([{ "alg": "SHA-256", "content": "ff" }]));
        assert_eq!(document["dependencies"][0]["dependsOn"], json!(["pkg:cargo/serde@1.0.0", "glibc"]));
        Ok(())
    }
}
