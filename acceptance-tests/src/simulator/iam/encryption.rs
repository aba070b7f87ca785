//! TLS at an endpoint instead of the server, and from there to the server.

use std::io::{Error, Result};
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, IpAddr, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme};
use tokio::net::TcpStream;

use crate::postgres_server::{CERTIFICATE_FILE, KEY_FILE};

/// What clients from 17 on may offer in their handshake.
const PROTOCOL: &[u8] = b"postgresql";

fn certificates(data: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_file_iter(data.join(CERTIFICATE_FILE)).map_err(Error::other)?;
    found.collect::<std::result::Result<_, _>>().map_err(Error::other)
}

/// Does the server's part of the handshake, with the certificate in its data folder.
pub(super) async fn accept(client: TcpStream, data: &Path) -> Result<tokio_rustls::server::TlsStream<TcpStream>> {
    let key = PrivateKeyDer::from_pem_file(data.join(KEY_FILE)).map_err(Error::other)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_no_client_auth()
        .with_single_cert(certificates(data)?, key)
        .map_err(Error::other)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(client).await
}

/// Does the client's part with the server, whose certificate must be the one in its data folder. Clients saw the same
/// certificate, so channel binding in their SCRAM exchange works on both sides.
pub(super) async fn connect(server: TcpStream, data: &Path) -> Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Pinned { certificate: certificates(data)?.into_iter().next(), provider: Arc::clone(&provider) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let name = ServerName::IpAddress(IpAddr::from(std::net::IpAddr::from([127, 0, 0, 1])));
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, server).await
}

/// Accepts one certificate, regardless of its contents.
#[derive(Debug)]
struct Pinned {
    certificate: Option<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        presented: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        if self.certificate.as_ref() == Some(presented) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
