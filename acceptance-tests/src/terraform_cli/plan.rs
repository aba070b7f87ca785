//! A saved plan, and its contents.

use std::path::PathBuf;

use serde_json::Value;

use super::Outcome;

/// A plan that was saved to a file.
#[derive(Debug)]
pub struct Plan {
    /// The file.
    pub file: PathBuf,
    /// The output of `terraform show -json` for it.
    pub json: Value,
    /// The run that created it; its output is the plan that people read.
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

    /// The change of one resource outside of Terraform, in the form of a change. Null if there is none.
    pub fn drift(&self, address: &str) -> &Value {
        change(&self.json["resource_drift"], address)
    }

    /// The planned actions for one resource, such as `["delete", "create"]`.
    pub fn actions(&self, address: &str) -> Vec<&str> {
        strings(&self.change(address)["actions"])
    }

    /// The planned list of statements and calls for one resource; also empty while it is unknown, see [`Plan::is_unknown`].
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
