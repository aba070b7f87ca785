//! The services behind the one address, distinguished by the target header of their protocol, the scope of the signature, or the
//! API version in an unsigned query.

use axum::http::{HeaderMap, header};

use super::secret_text::SecretText;

/// A service of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Rds,
    SecretsManager,
    Sts,
}

/// What the headers of a call say.
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

    /// Its name in the action names of policies.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rds => "rds",
            Self::SecretsManager => "secretsmanager",
            Self::Sts => "sts",
        }
    }
}
