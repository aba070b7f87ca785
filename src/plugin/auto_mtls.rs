//! Mutual TLS between two processes that trust exactly one certificate each.
//!
//! The host's certificate calls itself a certificate authority, which a chain verifier refuses in a client
//! (`CaUsedAsEndEntity`), and its key is on P-521. So the verifier compares the certificate byte by byte with the one
//! from the environment, and the cryptography is aws-lc-rs, which knows the curve: with a library that does not, Go
//! sends no certificate at all.

use std::sync::Arc;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime},
    server::{
        NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use tokio_rustls::TlsAcceptor;

use super::error::PluginError;

/// The server name that the host verifies.
const SERVER_NAME: &str = "localhost";

/// This process's side of the mutual TLS.
pub(super) struct AutoMtls {
    /// Our certificate, announced to the host.
    pub(super) certificate: CertificateDer<'static>,
    /// Accepts only the host's certificate.
    pub(super) acceptor: TlsAcceptor,
}

impl AutoMtls {
    /// Generates a certificate for this process. Only `client_certificate` is accepted.
    pub(super) fn new(client_certificate: CertificateDer<'static>) -> Result<Self, PluginError> {
        let (certificate, key) = own_certificate().map_err(|source| PluginError::OwnCertificate { source })?;
        let config = server_config(client_certificate, certificate.clone(), key).map_err(|source| PluginError::Tls { source })?;
        Ok(Self { certificate, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

/// Not an authority: the host trusts exactly this certificate. Its dates are rcgen's (the years 1975 to 4096), so a wrong clock
/// does no harm to a certificate that lives as long as the process.
fn own_certificate() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(vec![SERVER_NAME.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, SERVER_NAME);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key)?;
    Ok((certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()).into()))
}

fn server_config(
    client_certificate: CertificateDer<'static>,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = PinnedClient { certificate: client_certificate, crypto: Arc::clone(&crypto) };
    let mut config = ServerConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(vec![certificate], key)?;
    // The host connects once and resumes nothing.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    // Go's gRPC requires ALPN.
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Accepts one certificate and refuses a client without one.
#[derive(Debug)]
struct PinnedClient {
    certificate: CertificateDer<'static>,
    crypto: Arc<CryptoProvider>,
}

impl ClientCertVerifier for PinnedClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if *end_entity == self.certificate {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.crypto.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.crypto.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rustls::{
        ClientConfig, ClientConnection, ConnectionCommon, RootCertStore, ServerConnection, SideData, pki_types::ServerName,
    };

    use super::*;

    #[test]
    fn only_the_pinned_certificate_is_accepted() {
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let (pinned, _) = own_certificate().expect("a certificate");
        let (foreign, _) = own_certificate().expect("another certificate");
        let verifier = PinnedClient { certificate: pinned.clone(), crypto };
        let now = UnixTime::since_unix_epoch(std::time::Duration::ZERO);
        assert!(verifier.verify_client_cert(&pinned, &[], now).is_ok());
        assert!(verifier.verify_client_cert(&foreign, &[pinned], now).is_err());
        assert!(verifier.client_auth_mandatory());
    }

    #[test]
    fn the_host_gets_nothing_to_resume_a_session_with() {
        let (pinned, host_key) = own_certificate().expect("a certificate");
        let (certificate, key) = own_certificate().expect("another certificate");
        let config = server_config(pinned.clone(), certificate.clone(), key).expect("a server");
        let mut plugin = ServerConnection::new(Arc::new(config)).expect("a connection");
        let mut roots = RootCertStore::empty();
        roots.add(certificate).expect("a root");
        let host = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the versions")
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![pinned], host_key)
            .expect("a client");
        let name = ServerName::try_from(SERVER_NAME).expect("a name");
        let mut host = ClientConnection::new(Arc::new(host), name).expect("a connection");
        while host.wants_write() || plugin.wants_write() {
            let mut sent = Vec::new();
            host.write_tls(&mut sent).expect("the host writes");
            receive(&mut plugin, &sent);
            sent.clear();
            plugin.write_tls(&mut sent).expect("the plugin writes");
            receive(&mut host, &sent);
        }
        assert!(!host.is_handshaking() && !plugin.is_handshaking());
        assert_eq!(host.tls13_tickets_received(), 0);
    }

    fn receive<S: SideData>(connection: &mut ConnectionCommon<S>, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            connection.read_tls(&mut bytes).expect("room for the bytes");
            connection.process_new_packets().expect("valid messages");
        }
    }

    #[test]
    fn signatures_on_the_curve_of_the_host_are_verified() {
        let crypto = rustls::crypto::aws_lc_rs::default_provider();
        let schemes = crypto.signature_verification_algorithms.supported_schemes();
        assert!(schemes.contains(&SignatureScheme::ECDSA_NISTP521_SHA512));
    }
}
