//! STS: the account that calls are made in.

use super::error::Error;
use super::permission::WHO_AM_I;
use super::session::Session;

/// Asks for the account of these credentials.
///
/// # Errors
/// Any failed call.
pub async fn account(session: &Session) -> Result<String, Error> {
    let mut config = aws_sdk_sts::config::Builder::from(session.config());
    if let Some(url) = &session.endpoints().sts {
        config = config.endpoint_url(url);
    }
    let endpoint = session.endpoints().sts.clone();
    let endpoint = endpoint.unwrap_or_else(|| format!("the STS API of {}", session.region()));
    let answer = aws_sdk_sts::Client::from_conf(config.build()).get_caller_identity().send().await;
    let answer = answer.map_err(|error| Error::from_sdk(WHO_AM_I, &endpoint, error))?;
    answer.account.ok_or(Error::Incomplete { action: WHO_AM_I, field: "Account" })
}
