//! Tokens that let a role log in to a database in the place of a password: requests signed for RDS, valid for 15 minutes.

use aws_sdk_rds::auth_token::{AuthTokenGenerator, Config};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::Error;
use super::session::Session;
use crate::secret::Secret;

const ACTION: &str = "connect (rds-db)";
/// A URL does not show the port of its scheme, so a token for it cannot be written.
const HTTPS: u16 = 443;
/// What a query value may hold as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Whom a token lets in, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// Name of the endpoint, as RDS knows it; a tunnel's near end has no part in it.
    pub host: String,
    /// Port of the endpoint.
    pub port: u16,
    /// The role.
    pub username: String,
}

impl TokenRequest {
    /// Signs a token. Calls no database, and AWS only if credentials have to be fetched.
    ///
    /// # Errors
    /// [`Error::Credentials`], and [`Error::NotSignable`] for what no endpoint of RDS has.
    pub async fn sign(&self, session: &Session) -> Result<Secret, Error> {
        let host = signable_host(&self.host).filter(|_| is_signable_port(self.port));
        let host = host.ok_or_else(|| Error::NotSignable { host: self.host.clone(), port: self.port })?;
        let region = region_of_endpoint(&host).filter(|region| *region != session.region());
        let session = region.map_or_else(|| session.clone(), |region| session.in_region(region));
        let config = Config::builder()
            .hostname(&host)
            .port(self.port.into())
            .username(utf8_percent_encode(&self.username, RESERVED).to_string())
            .build()
            .map_err(|source| Error::Credentials { action: ACTION, source })?;
        let token = AuthTokenGenerator::new(config).auth_token(session.config()).await;
        token.map(|token| Secret::new(token.as_str())).map_err(|source| Error::of_credentials(ACTION, source))
    }
}

/// Whether a token can be for this host.
pub fn is_signable_host(host: &str) -> bool {
    signable_host(host).is_some()
}

/// Whether a token can be for this port.
pub fn is_signable_port(port: u16) -> bool {
    port != HTTPS && port != 0
}

/// The host as a token names it; `None` for what is neither a host name nor an IPv4 address, which would be signed in one form and sent in
/// another.
fn signable_host(host: &str) -> Option<String> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let last = host.rsplit('.').next()?;
    let is_name = host.split('.').all(is_label) && !last.starts_with(|c: char| c.is_ascii_digit());
    (is_name || host.parse::<std::net::Ipv4Addr>().is_ok()).then_some(host)
}

/// The region in the name of an endpoint of RDS, for example `orders.cluster-abc.eu-west-1.rds.amazonaws.com`.
fn region_of_endpoint(host: &str) -> Option<&str> {
    let name = host.strip_suffix(".rds.amazonaws.com").or_else(|| host.strip_suffix(".rds.amazonaws.com.cn"))?;
    let region = name.rsplit('.').next()?;
    (name.contains('.') && region.contains('-')).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_signed_in_the_form_that_is_sent() {
        assert_eq!(
            signable_host("Orders.CLUSTER-abc.eu-west-1.rds.amazonaws.com.").unwrap(),
            "orders.cluster-abc.eu-west-1.rds.amazonaws.com"
        );
        assert_eq!(signable_host("127.0.0.1").as_deref(), Some("127.0.0.1"));
        for other in ["", "::1", "10.0.0.300", "db.5", "a b", "a..b", "a/b", "a:1"] {
            assert_eq!(signable_host(other), None, "{other}");
        }
    }

    #[test]
    fn an_endpoint_names_its_region() {
        assert_eq!(region_of_endpoint("orders.cluster-abc.eu-west-1.rds.amazonaws.com"), Some("eu-west-1"));
        assert_eq!(region_of_endpoint("orders.cluster-abc.cn-north-1.rds.amazonaws.com.cn"), Some("cn-north-1"));
        for other in ["localhost", "rds.amazonaws.com", "db.example.org"] {
            assert_eq!(region_of_endpoint(other), None, "{other}");
        }
    }
}
