//! Secrets Manager: the login that a secret holds.

use aws_sdk_rds::error::BoxError;

use super::error::Error;
use super::permission::READ_SECRET;
use super::session::Session;
use crate::secret::Secret;

/// The login data in a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretLogin {
    /// The user, where the secret names one.
    pub username: Option<String>,
    /// The password.
    pub password: Secret,
}

/// Why a secret cannot be used as a login. Never shows any of its text.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It could not be read.
    #[error("the secret {arn} cannot be read")]
    Unread {
        /// Which secret.
        arn: String,
        /// Why not.
        #[source]
        source: Error,
    },
    /// It is binary.
    #[error("the secret {arn} is binary; it must be text: a JSON object with `password`, or the password itself")]
    Binary {
        /// Which secret.
        arn: String,
    },
    /// It is a JSON object without a password.
    #[error("the secret {arn} is a JSON object without a text `password`")]
    NoPassword {
        /// Which secret.
        arn: String,
    },
}

/// Reads the current version of a secret.
///
/// # Errors
/// The call fails, or the secret holds no password.
pub async fn read_login(session: &Session, arn: &str) -> Result<SecretLogin, SecretError> {
    let region = region_of_arn(arn).filter(|region| *region != session.region()).map(|region| session.in_region(region));
    let session = region.as_ref().unwrap_or(session);
    let mut config = aws_sdk_secretsmanager::config::Builder::from(session.config());
    if let Some(url) = &session.endpoints().secrets_manager {
        config = config.endpoint_url(url);
    }
    let endpoint = session.endpoints().secrets_manager.clone();
    let endpoint = endpoint.unwrap_or_else(|| format!("the Secrets Manager API of {}", session.region()));
    tracing::debug!(secret = arn, "reading a secret");
    let answer = aws_sdk_secretsmanager::Client::from_conf(config.build()).get_secret_value().secret_id(arn).send().await;
    let answer = answer.map_err(|error| SecretError::Unread {
        arn: arn.to_owned(),
        source: match Error::from_sdk(READ_SECRET, &endpoint, error) {
            // The source would contain the answer, and with it the secret.
            Error::Unreadable { action, status, source } => {
                Error::Unreadable { action, status, source: BoxError::from(source.to_string()).into() }
            }
            other => other,
        },
    })?;
    let text = answer.secret_string.map(Secret::new).ok_or_else(|| SecretError::Binary { arn: arn.to_owned() })?;
    decode(&text).ok_or_else(|| SecretError::NoPassword { arn: arn.to_owned() })
}

/// The region in an ARN. A secret in another region than the provider's can only be read there.
fn region_of_arn(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    match (parts.next(), parts.nth(1), parts.next()) {
        (Some("arn"), Some("secretsmanager"), Some(region)) if !region.is_empty() => Some(region),
        _ => None,
    }
}

/// A JSON object as RDS and most tools write it, or the bare password. `None`: an object without a password.
fn decode(text: &Secret) -> Option<SecretLogin> {
    use serde_json::{Map, Value};
    let Ok(mut object) = serde_json::from_str::<Map<String, Value>>(text.expose()) else {
        return Some(SecretLogin { username: None, password: text.clone() });
    };
    let mut filled = |name: &str| match object.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    Some(SecretLogin { username: filled("username"), password: Secret::new(filled("password")?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Option<(Option<String>, String)> {
        decode(&Secret::new(text)).map(|login| (login.username, login.password.expose().to_owned()))
    }

    #[test]
    fn a_secret_is_an_object_with_a_password_or_the_password_itself() {
        let named = Some((Some("admin".to_owned()), "p\"w".to_owned()));
        assert_eq!(decoded(r#"{"username":"admin","password":"p\"w"}"#), named);
        assert_eq!(decoded(r#"{"engine":"postgres","port":5432,"username":"admin","password":"p\"w"}"#), named);
        assert_eq!(decoded(r#"{"password":"x"}"#), Some((None, "x".to_owned())));
        assert_eq!(decoded("plain {text"), Some((None, "plain {text".to_owned())));
        assert_eq!(decoded("123"), Some((None, "123".to_owned())));
        assert_eq!(decoded(r#"{"username":7,"password":"x"}"#), Some((None, "x".to_owned())));
        for without in [r#"{"username":"admin"}"#, r#"{"password":""}"#, r#"{"password":7}"#, "{}"] {
            assert_eq!(decoded(without), None, "{without}");
        }
    }

    #[test]
    fn an_arn_names_its_region() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!cluster-1-AbCdEf";
        assert_eq!(region_of_arn(arn), Some("eu-west-1"));
        for other in ["orders/admin", "arn:aws:kms:eu-west-1:1:key/x", "arn:aws:secretsmanager"] {
            assert_eq!(region_of_arn(other), None, "{other}");
        }
    }
}
