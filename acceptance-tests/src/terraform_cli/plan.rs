//! A saved plan, and what it says.

use std::path::PathBuf;

use serde_json::Value;

use super::Outcome;

/// A plan that was saved to a file.
#[derive(Debug)]
pub struct Plan {
    /// The file.
    pub file: PathBuf,
    /// What `terraform show -json` says of it.
    pub json: Value,
    /// The run that made it; its output is the plan that a person reads.
    pub outcome: Outcome,
    /// Whether it changes nothing.
    pub empty: bool,
}

impl Plan {
    /// The change to one resource: `actions`, `before`, `after`, `after_unknown`, `replace_paths`. Null if the plan
    /// does not name it.
    pub fn change(&self, address: &str) -> &Value {
        change(&self.json["resource_changes"], address)
    }

    /// What happened to one resource outside of Terraform, in the form of a change. Null if nothing did.
    pub fn drift(&self, address: &str) -> &Value {
        change(&self.json["resource_drift"], address)
    }

    /// What is to be done with one resource, such as `["delete", "create"]`.
    pub fn actions(&self, address: &str) -> Vec<&str> {
        strings(&self.change(address)["actions"])
    }

    /// The planned list of statements and calls for one resource; empty also while it is unknown, for which see
    /// [`Plan::is_unknown`].
    pub fn operations(&self, address: &str) -> Vec<&str> {
        strings(&self.change(address)["after"]["operations"])
    }

    /// Whether the whole attribute is "known after apply".
    pub fn is_unknown(&self, address: &str, attribute: &str) -> bool {
        self.change(address)["after_unknown"][attribute] == true
    }
}

fn change<'a>(changes: &'a Value, address: &str) -> &'a Value {
    let found = changes.as_array().into_iter().flatten().find(|change| change["address"] == address);
    found.map_or(&Value::Null, |change| &change["change"])
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
