//! Why a TLS handshake failed. Pure.

use std::error::Error as StdError;
use std::io;
use std::time::{Duration, SystemTime};

use rustls::pki_types::UnixTime;
use rustls::{CertificateError, Error as Tls};

/// A failure that a practitioner can fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// The server has TLS turned off.
    #[error("the server does not support TLS")]
    NotSpoken,
    /// The certificate is for another name.
    #[error("the server's certificate is not valid for {expected:?}; it is valid for {presented}")]
    WrongName {
        /// The name that was expected.
        expected: String,
        /// The names that it has.
        presented: String,
    },
    /// The certificate has expired.
    #[error("a certificate sent by the server expired on {0}")]
    Expired(String),
    /// The certificate is not valid yet.
    #[error("a certificate sent by the server is not valid before {0}")]
    NotYetValid(String),
    /// No certificate chain ends at a trusted authority.
    #[error("the server's certificate is not signed by a trusted certificate authority")]
    UnknownAuthority,
}

impl TlsFault {
    /// Finds the fault in the error of the TLS library, or of the driver before it.
    pub(super) fn of(source: &(dyn StdError + 'static)) -> Option<Self> {
        // The driver has no error kind for it.
        if source.to_string() == "server does not support TLS" {
            return Some(Self::NotSpoken);
        }
        let inner = source.downcast_ref::<io::Error>().and_then(io::Error::get_ref)?;
        match inner.downcast_ref::<Tls>()? {
            Tls::InvalidCertificate(certificate) => Self::of_certificate(certificate),
            _ => None,
        }
    }

    fn of_certificate(error: &CertificateError) -> Option<Self> {
        match error {
            CertificateError::NotValidForNameContext { expected, presented } => {
                let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
                let presented = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
                Some(Self::WrongName { expected: expected.to_str().into_owned(), presented })
            }
            CertificateError::ExpiredContext { not_after, .. } => Some(Self::Expired(date(*not_after))),
            CertificateError::NotValidYetContext { not_before, .. } => Some(Self::NotYetValid(date(*not_before))),
            CertificateError::UnknownIssuer => Some(Self::UnknownAuthority),
            _ => None,
        }
    }
}

/// Unwraps `DnsName("db.example.org")` and `IpAddress(127.0.0.1)`.
fn bare(presented: &str) -> &str {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(presented);
    inner.trim_matches('"')
}

fn date(time: UnixTime) -> String {
    match SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs())) {
        // The formatter supports years up to 9999.
        Some(moment) if time.as_secs() < 253_402_300_800 => humantime::format_rfc3339_seconds(moment).to_string(),
        _ => format!("{} s after 1970", time.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;

    use super::*;

    fn fault(error: CertificateError) -> Option<TlsFault> {
        TlsFault::of(&io::Error::new(io::ErrorKind::InvalidData, Tls::InvalidCertificate(error)))
    }

    #[test]
    fn names_and_dates_are_shown_as_people_write_them() {
        let expected = ServerName::try_from("db.example.org").unwrap();
        let presented = vec!["DnsName(\"localhost\")".to_owned(), "IpAddress(127.0.0.1)".to_owned()];
        let wrong = fault(CertificateError::NotValidForNameContext { expected, presented }).unwrap();
        assert_eq!(
            wrong.to_string(),
            "the server's certificate is not valid for \"db.example.org\"; it is valid for localhost, 127.0.0.1"
        );
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let expired = fault(CertificateError::ExpiredContext { time: at(2_000_000_000), not_after: at(1_000_000_000) }).unwrap();
        assert_eq!(expired.to_string(), "a certificate sent by the server expired on 2001-09-09T01:46:40Z");
        let later = fault(CertificateError::NotValidYetContext { time: at(1), not_before: at(u64::MAX) }).unwrap();
        assert!(later.to_string().contains("18446744073709551615 s"), "{later}");
    }

    #[test]
    fn what_has_no_way_out_of_its_own_keeps_the_librarys_words() {
        assert_eq!(fault(CertificateError::BadSignature), None);
        assert_eq!(TlsFault::of(&io::Error::other("something else")), None);
    }
}
