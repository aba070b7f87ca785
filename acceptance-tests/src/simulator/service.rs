//! The services behind the one address: told apart by the target header of their protocol, the scope of the signature, or the version
//! of the API that an unsigned query names. Each has its own form of answers.

use axum::http::{HeaderMap, header};
use serde_json::{Value, json};

use super::error::ApiError;
use super::secret_text::SecretText;
use super::xml::{Xml, error_response};

/// A service of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Rds,
    SecretsManager,
    Sts,
}

/// What an action answers.
#[derive(Debug)]
pub(crate) enum Content {
    Xml(Xml),
    Json(Value),
}

/// What the headers of a call say about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signature {
    /// The access key, and the region and service of its scope: `Credential=<key>/<date>/<region>/<service>/aws4_request`.
    scope: Option<[String; 3]>,
    /// The session token of temporary credentials.
    pub(crate) session_token: Option<SecretText>,
    /// The action, in the JSON protocol.
    pub(crate) target: Option<String>,
}

impl Signature {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let authorization = text(header::AUTHORIZATION.as_str());
        let scope = authorization.as_deref().and_then(|authorization| {
            let mut parts = authorization.split_once("Credential=")?.1.split('/');
            let (key, _date, region, service) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            Some([key, region, service].map(str::to_owned))
        });
        Self { scope, session_token: text("x-amz-security-token").map(SecretText::new), target: text("x-amz-target") }
    }

    pub(crate) fn access_key(&self) -> Option<&str> {
        self.scope.as_ref().map(|[key, ..]| key.as_str())
    }

    pub(crate) fn region(&self) -> Option<&str> {
        self.scope.as_ref().map(|[_, region, _]| region.as_str())
    }

    fn service(&self) -> Option<&str> {
        self.scope.as_ref().map(|[.., service]| service.as_str())
    }
}

impl Service {
    /// The service that a call is for.
    pub(crate) fn of(signature: &Signature, body: &[u8]) -> Self {
        if signature.target.is_some() || signature.service() == Some("secretsmanager") {
            return Self::SecretsManager;
        }
        let sts_version = || url::form_urlencoded::parse(body).any(|(name, value)| name == "Version" && value == "2011-06-15");
        if signature.service() == Some("sts") || sts_version() { Self::Sts } else { Self::Rds }
    }

    /// As in the names of actions in policies.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rds => "rds",
            Self::SecretsManager => "secretsmanager",
            Self::Sts => "sts",
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Rds | Self::SecretsManager => "http://rds.amazonaws.com/doc/2014-10-31/",
        }
    }

    /// The media type of all answers.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::SecretsManager => "application/x-amz-json-1.1",
            Self::Rds | Self::Sts => "text/xml",
        }
    }

    /// HTTP status and body.
    pub(crate) fn encode(self, action: &str, request_id: &str, result: Result<Content, ApiError>) -> (u16, String) {
        match result {
            Ok(Content::Xml(xml)) => (200, xml.into_response(self.namespace(), action, request_id)),
            Ok(Content::Json(value)) => (200, value.to_string()),
            Err(error) if self == Self::SecretsManager => {
                (error.status, json!({ "__type": error.code, "message": error.message }).to_string())
            }
            Err(error) => (error.status, error_response(&error, self.namespace(), request_id)),
        }
    }
}
