//! A certificate authority and a server certificate, made anew for each server that speaks TLS.

use std::path::Path;

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use super::identity::Identity;

/// The server's certificate, in its data folder.
pub(crate) const CERTIFICATE_FILE: &str = "server.crt";
/// The server's private key, in its data folder.
pub(crate) const KEY_FILE: &str = "server.key";

/// Writes key and certificate for `names` into the data folder and gives back the authority's certificate as PEM, for `sslrootcert`.
pub(crate) fn write_certificate(identity: Identity, data: &Path, names: &[String]) -> Result<String> {
    let authority_key = KeyPair::generate().context("making a key")?;
    let mut authority = CertificateParams::new(Vec::new()).context("describing a certificate authority")?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, "acceptance test authority");
    let authority_certificate = authority.self_signed(&authority_key).context("signing a certificate authority")?;
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate().context("making a key")?;
    let mut server = CertificateParams::new(names.to_vec()).context("describing a server certificate")?;
    server.distinguished_name.push(DnType::CommonName, "acceptance test server");
    let certificate = server.signed_by(&key, &issuer).context("signing a server certificate")?;
    identity.write(&data.join(CERTIFICATE_FILE), &certificate.pem(), 0o644)?;
    // Postgres refuses a key that others may read.
    identity.write(&data.join(KEY_FILE), &key.serialize_pem(), 0o600)?;
    Ok(authority_certificate.pem())
}
