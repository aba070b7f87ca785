//! The features of the Terraform or OpenTofu that runs the tests.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Features that not every Terraform from 1.11 on has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Identities of resources, and imports by them.
    Identity,
    /// `terraform query`, with list resources.
    Queries,
    /// Actions.
    Actions,
}

impl Feature {
    /// The first Terraform and the first OpenTofu that have it.
    fn since(self) -> ((u32, u32), Option<(u32, u32)>) {
        match self {
            Self::Identity => ((1, 12), Some((1, 12))),
            Self::Queries | Self::Actions => ((1, 14), None),
        }
    }
}

/// A version, as reported by `terraform version -json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    opentofu: bool,
    number: (u32, u32),
    text: String,
}

impl Version {
    pub(super) fn read(json: &Value, banner: &str) -> Result<Self> {
        let text = json["terraform_version"].as_str().context("it names no version")?.to_owned();
        let mut parts = text.split(['.', '-']).map_while(|part| part.parse().ok());
        let number = (parts.next().context("it has no major version")?, parts.next().context("it has no minor version")?);
        Ok(Self { opentofu: banner.starts_with("OpenTofu"), number, text })
    }

    /// Whether it is OpenTofu.
    #[must_use]
    pub fn is_opentofu(&self) -> bool {
        self.opentofu
    }

    /// Whether it has the feature. If it does not, standard error names what is not run. This bypasses the test harness, which
    /// hides the output of passing tests.
    #[must_use]
    pub fn knows(&self, feature: Feature) -> bool {
        let (terraform, opentofu) = feature.since();
        let since = if self.opentofu { opentofu } else { Some(terraform) };
        let knows = since.is_some_and(|since| self.number >= since);
        if !knows {
            let name = if self.opentofu { "OpenTofu" } else { "Terraform" };
            // Not eprintln: the harness would capture it.
            let _ = writeln!(
                std::io::stderr(),
                "not run with {name} {}: {feature:?} (the conformance client plays a newer one, on its fixtures)",
                self.text
            );
        }
        knows
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_knows_what_came_with_it_and_before() {
        let version = |text: &str, banner: &str| Version::read(&json!({ "terraform_version": text }), banner).unwrap();
        let knows = |text: &str, banner: &str| {
            let version = version(text, banner);
            [Feature::Identity, Feature::Queries, Feature::Actions].map(|feature| version.knows(feature))
        };
        assert_eq!(knows("1.11.4", "Terraform v1.11.4"), [false, false, false]);
        assert_eq!(knows("1.12.0", "Terraform v1.12.0"), [true, false, false]);
        assert_eq!(knows("1.17.0-dev", "Terraform v1.17.0-dev"), [true, true, true]);
        assert_eq!(knows("1.12.6", "OpenTofu v1.12.6"), [true, false, false]);
        assert!(Version::read(&json!({}), "").is_err());
    }
}
