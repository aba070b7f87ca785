//! Decodes a request: of the awsQuery protocol, a form with an action and flattened parameters; or of the JSON protocol, an object of
//! texts with the action in a header.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::error::ApiError;
use super::secret_text::SecretText;
use super::service::{Service, Signature};
use super::spec::is_change;

/// A decoded call.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) action: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) service: Service,
    /// The region that the call is signed for.
    pub(crate) region: String,
    /// The access key that the call is signed with.
    pub(crate) access_key: Option<String>,
    /// The session token that belongs to it.
    pub(crate) session_token: Option<SecretText>,
}

impl Request {
    /// Decodes a body; an unsigned call goes to `region`.
    pub(crate) fn decode(service: Service, body: &[u8], signature: &Signature, region: &str) -> Result<Self, ApiError> {
        let (action, parameters) = match service {
            Service::SecretsManager => decode_json(body, signature.target.as_deref())?,
            Service::Rds | Service::Sts => decode_form(body)?,
        };
        Ok(Self {
            action,
            parameters,
            service,
            region: signature.region().unwrap_or(region).to_owned(),
            access_key: signature.access_key().map(str::to_owned),
            session_token: signature.session_token.clone(),
        })
    }

    /// Whether the action changes something.
    pub(crate) fn is_mutating(&self) -> bool {
        is_change(&self.action)
    }

    /// A parameter that may be absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// A required parameter.
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

    /// The members of a list of structures, in order: `Tags.Tag.1.Key` is in `list("Tags")[0]["Key"]`. In a list of plain values
    /// they have the empty name.
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

    /// Refuses parameters that the simulator would silently ignore.
    pub(crate) fn accept_only(&self, known: &[&str]) -> Result<(), ApiError> {
        let sent: BTreeSet<&str> = self.parameters.keys().map(|key| key.split('.').next().unwrap_or(key)).collect();
        match sent.into_iter().find(|name| !known.contains(name)) {
            Some(unknown) => Err(ApiError::not_simulated(&format!("the parameter {unknown} of {}", self.action))),
            None => Ok(()),
        }
    }
}

fn decode_form(body: &[u8]) -> Result<(String, BTreeMap<String, String>), ApiError> {
    let mut parameters: BTreeMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    parameters.remove("Version");
    let action = parameters.remove("Action").ok_or_else(|| ApiError::missing("Action"))?;
    Ok((action, parameters))
}

fn decode_json(body: &[u8], target: Option<&str>) -> Result<(String, BTreeMap<String, String>), ApiError> {
    let action = target.and_then(|target| target.strip_prefix("secretsmanager."));
    let action = action.ok_or_else(|| ApiError::not_simulated(&format!("the target {}", target.unwrap_or_default())))?;
    let members = match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => members,
        _ => return Err(ApiError::invalid_secret_parameter("The body is no JSON object.")),
    };
    let text = |(name, value)| match value {
        Value::String(text) => Ok((name, text)),
        _ => Err(ApiError::not_simulated(&format!("a {name} that is no text"))),
    };
    Ok((action.to_owned(), members.into_iter().map(text).collect::<Result<_, ApiError>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_put_together_by_index() {
        let body = b"Action=X&Version=1&Parameters.Parameter.2.ParameterName=b&Parameters.Parameter.1.ParameterName=a&Parameters.Parameter.1.ParameterValue=1&TagKeys.member.1=k";
        let request = Request::decode(Service::Rds, body, &Signature::default(), "us-east-1").unwrap();
        let parameters = request.list("Parameters");
        assert_eq!(parameters[0]["ParameterName"], "a");
        assert_eq!(parameters[1]["ParameterName"], "b");
        assert_eq!(request.list("TagKeys")[0][""], "k");
        assert!(request.accept_only(&["Parameters"]).is_err());
        assert!(request.accept_only(&["Parameters", "TagKeys"]).is_ok());
    }
}
