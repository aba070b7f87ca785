//! How to reach a server: typed connection settings. Pure: the provider decides where the values come from (configuration,
//! environment, cluster).

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::postgres::site::ClusterSite;

/// The root certificates of Amazon RDS for the commercial regions, as PEM.
pub const RDS_ROOTS: &str = include_str!("rds-roots.pem");

/// The TLS mode of a connection. The words and their meaning are libpq's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// TLS without verification; with root certificates, the same as [`SslMode::VerifyCa`].
    Require,
    /// The certificate chain is verified, the name is not.
    VerifyCa,
    /// Chain and name are verified.
    VerifyFull,
}

impl SslMode {
    /// All modes, in the order of growing security.
    pub const ALL: [Self; 4] = [Self::Disable, Self::Require, Self::VerifyCa, Self::VerifyFull];

    /// The word for it in a configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not an [`SslMode`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not an sslmode; it is one of disable, require, verify-ca, verify-full{}", remedy(text))]
pub struct InvalidSslMode {
    /// The text.
    pub text: String,
}

/// What to set in place of a mode that only libpq has.
fn remedy(text: &str) -> &'static str {
    match text {
        "prefer" | "allow" => {
            ". libpq has this mode too, in which whoever is on the network path can turn TLS off without a word, so the provider does not \
             offer it. Set require if the server has TLS, or better verify-full, and disable if it has none"
        }
        _ => "",
    }
}

impl FromStr for SslMode {
    type Err = InvalidSslMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| InvalidSslMode { text: text.to_owned() })
    }
}

/// Which certificate authorities are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RootCertificates {
    /// Those of Amazon RDS, which are built in.
    Rds,
    /// PEM text with one certificate or more.
    Pem(String),
    /// A file with PEM text, read when the first connection is opened.
    File(PathBuf),
}

impl RootCertificates {
    /// Distinguishes PEM text from the path of a PEM file.
    pub fn from_argument(text: &str) -> Self {
        if text.contains("-----BEGIN") { Self::Pem(text.to_owned()) } else { Self::File(PathBuf::from(text)) }
    }
}

/// How to reach one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Host name or address to dial.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Database to use where none is named.
    pub database: String,
    /// The TLS mode.
    pub sslmode: SslMode,
    /// The authorities trusted with `verify-ca` and `verify-full`, and with `require` unless they are [`RootCertificates::Rds`].
    pub root_certificates: RootCertificates,
    /// The name that the server's certificate must have; the host unless given.
    pub tls_server_name: Option<String>,
    /// The longest time for opening one connection; also how long a writer that was reachable before is waited for.
    pub connect_timeout: Duration,
    /// The maximum number of physical connections, over all databases; at least 1.
    pub max_connections: usize,
    /// The Aurora cluster whose server this is, if that is known.
    pub cluster: Option<ClusterSite>,
}

impl Settings {
    /// Port of PostgreSQL.
    pub const DEFAULT_PORT: u16 = 5432;
    /// Used unless `connect_timeout` is given.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
    /// Used unless `max_connections` is given: Terraform works on ten resources at a time, which may live in ten databases.
    pub const DEFAULT_MAX_CONNECTIONS: usize = 10;

    /// Settings with defaults for all but the host. The default of `sslmode` is verify-full for a host of Amazon
    /// RDS, require for any other.
    pub fn new(host: impl Into<String>) -> Self {
        let host = host.into();
        let sslmode = if is_rds_host(&host) { SslMode::VerifyFull } else { SslMode::Require };
        Self {
            host,
            port: Self::DEFAULT_PORT,
            database: "postgres".to_owned(),
            sslmode,
            root_certificates: RootCertificates::Rds,
            tls_server_name: None,
            connect_timeout: Self::DEFAULT_CONNECT_TIMEOUT,
            max_connections: Self::DEFAULT_MAX_CONNECTIONS,
            cluster: None,
        }
    }

    /// Host and port, as a message names them.
    pub fn address(&self) -> String {
        if self.host.contains(':') { format!("[{}]:{}", self.host, self.port) } else { format!("{}:{}", self.host, self.port) }
    }

    /// Whether the server's certificate is verified, so that the server may have the password in a form that others can use.
    pub fn verifies_server(&self) -> bool {
        match self.sslmode {
            SslMode::Disable => false,
            SslMode::Require => self.root_certificates != RootCertificates::Rds,
            SslMode::VerifyCa | SslMode::VerifyFull => true,
        }
    }

    /// The name that the server's certificate must have.
    pub fn server_name(&self) -> &str {
        self.tls_server_name.as_deref().unwrap_or(&self.host)
    }
}

/// Whether a host is an endpoint of Amazon RDS, whose certificates are signed by the RDS roots.
pub fn is_rds_host(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.ends_with(".rds.amazonaws.com") || host.ends_with(".rds.amazonaws.com.cn")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sslmode_is_one_of_four_words() {
        for mode in SslMode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        for other in ["prefer", "allow"] {
            let error = other.parse::<SslMode>().unwrap_err().to_string();
            assert!(error.contains("libpq has this mode too") && error.contains("Set require"), "{error}");
        }
        assert!(!"on".parse::<SslMode>().unwrap_err().to_string().contains("libpq"));
    }

    #[test]
    fn an_rds_host_is_verified_unless_told_otherwise() {
        let mode = |host: &str| Settings::new(host).sslmode;
        assert_eq!(mode("c.cluster-x.eu-west-1.rds.amazonaws.com"), SslMode::VerifyFull);
        assert_eq!(mode("C.CLUSTER-X.eu-west-1.RDS.amazonaws.com."), SslMode::VerifyFull);
        assert_eq!(mode("localhost"), SslMode::Require);
        assert_eq!(mode("rds.amazonaws.com.example.org"), SslMode::Require);
    }

    #[test]
    fn a_server_is_verified_by_its_mode_or_by_roots_that_are_given() {
        let verifies =
            |sslmode, root_certificates| Settings { sslmode, root_certificates, ..Settings::new("db") }.verifies_server();
        let given = || RootCertificates::File("/etc/ca.pem".into());
        assert!(!verifies(SslMode::Disable, given()));
        assert!(!verifies(SslMode::Require, RootCertificates::Rds));
        assert!(verifies(SslMode::Require, given()));
        assert!(verifies(SslMode::VerifyCa, RootCertificates::Rds) && verifies(SslMode::VerifyFull, given()));
    }

    #[test]
    fn tells_pem_from_a_path() {
        assert!(matches!(RootCertificates::from_argument("-----BEGIN CERTIFICATE-----\n"), RootCertificates::Pem(_)));
        assert!(matches!(RootCertificates::from_argument("/etc/ca.pem"), RootCertificates::File(_)));
    }

    #[test]
    fn names_an_ipv6_address_with_brackets() {
        let mut settings = Settings::new("::1");
        assert_eq!(settings.address(), "[::1]:5432");
        settings.host = "db".to_owned();
        assert_eq!(settings.address(), "db:5432");
    }
}
