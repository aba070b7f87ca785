//! Broken rules, collected and reported.

use crate::terraform::{AttributePath, Diagnostic, Diagnostics};

/// A broken rule, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    path: AttributePath,
    rule: &'static str,
}

/// Maximum number of reported faults: in a long list every member may be wrong.
const MOST: usize = 20;

/// Collects broken rules.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, path: &AttributePath, rule: &'static str) {
        if self.0.len() < MOST {
            self.0.push(Fault { path: path.clone(), rule });
        }
    }

    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_diagnostics(self, step: &str) -> Diagnostics {
        let diagnostic = |Fault { path, rule }: Fault| {
            let place = if path.is_root() { "The whole object".to_owned() } else { format!("Attribute {path}") };
            let detail = format!("{place}: {rule}. Terraform would refuse this answer. Please report this.");
            Diagnostic::error(format!("Bug in the provider: invalid answer to {step}"), detail).at(path)
        };
        self.0.into_iter().map(diagnostic).collect()
    }
}
