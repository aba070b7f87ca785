//! Decodes a request of the awsQuery protocol: a form with an action and flattened parameters.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ApiError;

/// A decoded call.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) action: String,
    pub(crate) parameters: BTreeMap<String, String>,
    /// The region that the call is signed for.
    pub(crate) region: String,
}

impl Request {
    /// Decodes a form body of a call to this region.
    pub(crate) fn decode(body: &[u8], region: &str) -> Result<Self, ApiError> {
        let mut parameters: BTreeMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
        parameters.remove("Version");
        let action = parameters.remove("Action").ok_or_else(|| ApiError::missing("Action"))?;
        Ok(Self { action, parameters, region: region.to_owned() })
    }

    /// Whether the action changes something.
    pub(crate) fn is_mutating(&self) -> bool {
        !self.action.starts_with("Describe") && !self.action.starts_with("List")
    }

    /// A parameter that may be absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| ApiError::missing(name))
    }

    /// A boolean, absent if not sent.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(ApiError::invalid_value(format!("{other} is not a boolean: {name}"))),
        }
    }

    /// The members of a list of structures, in order: `Tags.Tag.1.Key` is in `list("Tags")[0]["Key"]`. A list of plain values has
    /// them under the empty name.
    pub(crate) fn list(&self, name: &str) -> Vec<BTreeMap<&str, &str>> {
        let mut members: BTreeMap<usize, BTreeMap<&str, &str>> = BTreeMap::new();
        for (key, value) in &self.parameters {
            let mut parts = key.splitn(4, '.');
            if parts.next() != Some(name) {
                continue;
            }
            if let Some(index) = parts.nth(1).and_then(|index| index.parse().ok()) {
                members.entry(index).or_default().insert(parts.next().unwrap_or(""), value);
            }
        }
        members.into_values().collect()
    }

    /// Refuses what the simulator would silently ignore.
    pub(crate) fn accept_only(&self, known: &[&str]) -> Result<(), ApiError> {
        let sent: BTreeSet<&str> = self.parameters.keys().map(|key| key.split('.').next().unwrap_or(key)).collect();
        match sent.into_iter().find(|name| !known.contains(name)) {
            Some(unknown) => Err(ApiError::not_simulated(&format!("the parameter {unknown} of {}", self.action))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_put_together_by_index() {
        let body = b"Action=X&Version=1&Parameters.Parameter.2.ParameterName=b&Parameters.Parameter.1.ParameterName=a&Parameters.Parameter.1.ParameterValue=1&TagKeys.member.1=k";
        let request = Request::decode(body, "us-east-1").unwrap();
        let parameters = request.list("Parameters");
        assert_eq!(parameters[0]["ParameterName"], "a");
        assert_eq!(parameters[1]["ParameterName"], "b");
        assert_eq!(request.list("TagKeys")[0][""], "k");
        assert!(request.accept_only(&["Parameters"]).is_err());
        assert!(request.accept_only(&["Parameters", "TagKeys"]).is_ok());
    }
}
