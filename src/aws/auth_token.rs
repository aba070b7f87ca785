//! IAM auth tokens: a role logs in to a database with one instead of a password. A token is a request signed for RDS, valid for
//! 15 minutes.

use aws_sdk_rds::auth_token::{AuthTokenGenerator, Config};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::Error;
use super::session::Session;
use crate::secret::Secret;

const ACTION: &str = "connect (rds-db)";
/// A URL omits the default port of its scheme, so a token for this port cannot be written.
const HTTPS: u16 = 443;
/// The characters that a query value keeps unencoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The role that a token logs in, and the endpoint that it is valid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// Host name of the endpoint as RDS knows it, not the local end of a tunnel.
    pub host: String,
    /// Port of the endpoint.
    pub port: u16,
    /// The role.
    pub username: String,
}

impl TokenRequest {
    /// Signs a token. Connects to no database; calls AWS only if credentials have to be fetched.
    ///
    /// # Errors
    /// [`Error::Credentials`], and [`Error::NotSignable`] for a host or port that no RDS endpoint has.
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
            .map_err(|source| Error::Credentials { action: ACTION, source: source.into() })?;
        let token = AuthTokenGenerator::new(config).auth_token(session.config()).await;
        token.map(|token| Secret::new(token.as_str())).map_err(|source| Error::of_credentials(ACTION, source))
    }
}

/// Whether a token can be signed for this host.
pub fn is_signable_host(host: &str) -> bool {
    signable_host(host).is_some()
}

/// Whether a token can be signed for this port.
pub fn is_signable_port(port: u16) -> bool {
    port != HTTPS && port != 0
}

/// The host as a token spells it. `None` for anything that is neither a host name nor an IPv4 address: it would be signed in one
/// form and sent in another.
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
