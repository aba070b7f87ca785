//! The TLS side of a connection: what each `sslmode` verifies.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::postgres::error::Error;
use crate::postgres::settings::{RDS_ROOTS, RootCertificates, Settings, SslMode};

/// The connector for some settings; `None` for `sslmode` disable.
pub(super) fn connector(settings: &Settings) -> Result<Option<MakeRustlsConnect>, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match settings.sslmode {
        SslMode::Disable => return Ok(None),
        // As in libpq: if root certificates are given, they are used.
        SslMode::Require if settings.root_certificates == RootCertificates::Rds => {
            Arc::new(Lenient { provider: Arc::clone(&provider), chain: None })
        }
        SslMode::Require | SslMode::VerifyCa => {
            let chain = Some(web_pki(&settings.root_certificates, &provider)?);
            Arc::new(Lenient { provider: Arc::clone(&provider), chain })
        }
        SslMode::VerifyFull => web_pki(&settings.root_certificates, &provider)?,
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(settings.root_certificates.path(), error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(config)))
}

/// The TLS half of one connection.
pub(super) fn tls_connect(
    tls: &MakeRustlsConnect,
    settings: &Settings,
) -> Result<<MakeRustlsConnect as MakeTlsConnect<TcpStream>>::TlsConnect, Error> {
    let mut tls = tls.clone();
    MakeTlsConnect::<TcpStream>::make_tls_connect(&mut tls, settings.server_name()).map_err(|never| match never {})
}

impl RootCertificates {
    fn path(&self) -> Option<&std::path::Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Rds | Self::Pem(_) => None,
        }
    }
}

fn unusable(path: Option<&std::path::Path>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::RootCertificates { path: path.map(Into::into), source: source.into() }
}

fn web_pki(roots: &RootCertificates, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, Error> {
    let path = roots.path();
    let pem = match roots {
        RootCertificates::Rds => RDS_ROOTS.to_owned(),
        RootCertificates::Pem(pem) => pem.clone(),
        RootCertificates::File(file) => std::fs::read_to_string(file).map_err(|error| unusable(path, error))?,
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| unusable(path, error.to_string()))?;
        store.add(certificate).map_err(|error| unusable(path, error))?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
        .build()
        .map_err(|error| unusable(path, error))
}

/// Verifies less than everything: with a chain, the chain but not the name (verify-ca); without one, only that the peer has the
/// key of the certificate that it sends (require).
#[derive(Debug)]
struct Lenient {
    provider: Arc<CryptoProvider>,
    chain: Option<Arc<WebPkiServerVerifier>>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(sslmode: SslMode, root_certificates: RootCertificates) -> Settings {
        Settings { sslmode, root_certificates, ..Settings::new("db") }
    }

    #[test]
    fn the_built_in_roots_are_usable() {
        for mode in [SslMode::VerifyCa, SslMode::VerifyFull] {
            assert!(connector(&settings(mode, RootCertificates::Rds)).unwrap().is_some());
        }
        assert!(connector(&settings(SslMode::Disable, RootCertificates::Rds)).unwrap().is_none());
    }

    /// The value of a certificate's basic constraints: an authority's.
    const IS_AUTHORITY: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x05, 0x30, 0x03, 0x01, 0x01, 0xff];

    #[test]
    fn the_built_in_roots_are_three_authorities_of_each_commercial_region() {
        let contains = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        let mut store = RootCertStore::empty();
        let mut roots = Vec::new();
        for root in CertificateDer::pem_slice_iter(RDS_ROOTS.as_bytes()) {
            let root = root.unwrap();
            store.add(root.clone()).unwrap();
            assert!(contains(&root, IS_AUTHORITY), "number {} is no authority", roots.len());
            roots.push(root);
        }
        let regions = [
            "af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2",
            "ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1",
            "eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1",
            "us-east-1 us-east-2 us-west-1 us-west-2",
        ];
        let regions: Vec<&str> = regions.iter().flat_map(|line| line.split(' ')).collect();
        assert_eq!((roots.len(), store.len()), (regions.len() * 3, regions.len() * 3));
        for region in regions {
            for key in ["ECC384", "RSA2048", "RSA4096"] {
                let subject = format!("Amazon RDS {region} Root CA {key} G1");
                assert_eq!(roots.iter().filter(|root| contains(root, subject.as_bytes())).count(), 1, "{subject}");
            }
        }
    }

    #[test]
    fn roots_that_are_given_count_with_require_too() {
        let given = settings(SslMode::Require, RootCertificates::File("/nowhere/ca.pem".into()));
        assert!(matches!(connector(&given), Err(Error::RootCertificates { .. })));
        assert!(connector(&settings(SslMode::Require, RootCertificates::Rds)).unwrap().is_some());
    }

    #[test]
    fn unusable_roots_are_named() {
        let missing = settings(SslMode::VerifyFull, RootCertificates::File("/nowhere/ca.pem".into()));
        let error = connector(&missing).err().unwrap();
        assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
        let empty = settings(SslMode::VerifyFull, RootCertificates::Pem("no certificate".to_owned()));
        assert!(matches!(connector(&empty), Err(Error::RootCertificates { .. })));
    }
}
