//! Certificate authorities and server certificates, created for each server with TLS, valid or invalid as a test needs them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use super::identity::Identity;

/// The server's certificate, in its data folder.
pub(crate) const CERTIFICATE_FILE: &str = "server.crt";
/// The server's private key, in its data folder.
pub(crate) const KEY_FILE: &str = "server.key";

/// A certificate authority.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// The validity period of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Now.
    Current,
    /// Until 2001.
    Past,
    /// From 3000 on.
    Future,
}

/// The certificate that a server sends, with its private key.
#[derive(Debug, Clone)]
pub struct ServerCertificate {
    chain: String,
    key: String,
}

impl Authority {
    /// A self-signed authority.
    ///
    /// # Errors
    /// If the cryptography library refuses.
    pub fn new(name: &str) -> Result<Self> {
        let key = KeyPair::generate().context("making a key")?;
        let described = Self::describe(name)?;
        let pem = described.self_signed(&key).context("signing a certificate authority")?.pem();
        Ok(Self { issuer: Issuer::new(described, key), pem })
    }

    /// An intermediate authority, signed by this one.
    ///
    /// # Errors
    /// If the cryptography library refuses.
    pub fn intermediate(&self, name: &str) -> Result<Self> {
        let key = KeyPair::generate().context("making a key")?;
        let described = Self::describe(name)?;
        let pem = described.signed_by(&key, &self.issuer).context("signing an intermediate authority")?.pem();
        Ok(Self { issuer: Issuer::new(described, key), pem })
    }

    fn describe(name: &str) -> Result<CertificateParams> {
        let mut authority = CertificateParams::new(Vec::new()).context("describing a certificate authority")?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        authority.distinguished_name.push(DnType::CommonName, name);
        Ok(authority)
    }

    /// Its certificate, for `sslrootcert`.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a server of these names.
    ///
    /// # Errors
    /// If the cryptography library refuses.
    pub fn certify(&self, names: &[&str], validity: Validity) -> Result<ServerCertificate> {
        let key = KeyPair::generate().context("making a key")?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut server = CertificateParams::new(names).context("describing a server certificate")?;
        server.distinguished_name.push(DnType::CommonName, "acceptance test server");
        match validity {
            Validity::Current => {}
            Validity::Past => server.not_after = date_time_ymd(2001, 1, 1),
            Validity::Future => server.not_before = date_time_ymd(3000, 1, 1),
        }
        let certificate = server.signed_by(&key, &self.issuer).context("signing a server certificate")?;
        Ok(ServerCertificate { chain: certificate.pem(), key: key.serialize_pem() })
    }
}

impl ServerCertificate {
    /// Makes the server send this authority's certificate too, as it must for one that clients do not know.
    #[must_use]
    pub fn through(mut self, intermediate: &Authority) -> Self {
        self.chain += intermediate.pem();
        self
    }

    /// What a server that is not Postgres needs to send it.
    ///
    /// # Errors
    /// If the TLS library refuses.
    pub fn server_config(&self) -> Result<ServerConfig> {
        let chain = CertificateDer::pem_slice_iter(self.chain.as_bytes()).collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())?;
        let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
        Ok(builder.with_safe_default_protocol_versions()?.with_no_client_auth().with_single_cert(chain, key)?)
    }

    /// Reads both from a server's data folder.
    pub(super) fn read(data: &Path) -> Result<Self> {
        let read = |name: &str| std::fs::read_to_string(data.join(name)).with_context(|| format!("reading {name}"));
        Ok(Self { chain: read(CERTIFICATE_FILE)?, key: read(KEY_FILE)? })
    }

    /// Writes both into a server's data folder.
    pub(super) fn write(&self, identity: Identity, data: &Path) -> Result<()> {
        identity.write(&data.join(CERTIFICATE_FILE), &self.chain, 0o644)?;
        // Postgres refuses a key that others may read.
        identity.write(&data.join(KEY_FILE), &self.key, 0o600)
    }
}

/// Writes key and certificate for `names` into the data folder and returns the authority's certificate as PEM, for `sslrootcert`.
pub(crate) fn write_certificate(identity: Identity, data: &Path, names: &[String]) -> Result<String> {
    let authority = Authority::new("acceptance test authority")?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    authority.certify(&names, Validity::Current)?.write(identity, data)?;
    Ok(authority.pem)
}
