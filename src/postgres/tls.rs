//! The TLS side of a connection: what each `sslmode` verifies.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::postgres::error::Error;
use crate::postgres::settings::{RDS_ROOTS, RootCertificates, Settings, SslMode};

/// The connector for some settings; `None` for `sslmode` disable.
pub(super) fn connector(settings: &Settings) -> Result<Option<MakeRustlsConnect>, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match settings.sslmode {
        SslMode::Disable => return Ok(None),
        SslMode::Require => Arc::new(Lenient { provider: Arc::clone(&provider), chain: None }),
        SslMode::VerifyCa => {
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

/// Verifies less than the whole: with a chain, the chain but not the name (verify-ca); without one, only that the peer has
/// the key of the certificate it shows (require).
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

    #[test]
    fn unusable_roots_are_named() {
        let missing = settings(SslMode::VerifyFull, RootCertificates::File("/nowhere/ca.pem".into()));
        let error = connector(&missing).err().unwrap();
        assert!(error.describe().contains("/nowhere/ca.pem"), "{}", error.describe());
        let empty = settings(SslMode::VerifyFull, RootCertificates::Pem("no certificate".to_owned()));
        assert!(matches!(connector(&empty), Err(Error::RootCertificates { .. })));
    }
}
