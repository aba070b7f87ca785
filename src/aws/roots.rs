//! Which authorities HTTPS trusts: those of the system. In a container image without any, those of Mozilla, which are built in.

use std::sync::LazyLock;

use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector, proxy::ProxyConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The SDK's own choice.
pub(crate) const TLS: Provider = Provider::Rustls(CryptoMode::AwsLc);

/// Variables that say where the authorities are.
const CHOICES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Where nearly every distribution has all of them in one file: Debian, Alpine and Arch; Fedora and Amazon Linux; SUSE.
const BUNDLES: [&str; 3] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"];

/// The SDK's HTTP client, except for the authorities. None if its own trusts the right ones.
pub(super) fn http_client() -> Option<SharedHttpClient> {
    let trusted = built_in()?;
    Some(Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector =
            Connector::builder().proxy_config(ProxyConfig::from_env()).tls_provider(TLS).tls_context(trusted.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.build()
    }))
}

/// The authorities to trust instead of the system's. None if the system has some, or the environment chooses them.
pub(crate) fn built_in() -> Option<&'static TlsContext> {
    static BUILT_IN: LazyLock<Option<TlsContext>> = LazyLock::new(|| {
        let chosen = CHOICES.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        if chosen || has_authorities() {
            return None;
        }
        let authorities = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
        tracing::info!(built_in = authorities.len(), "the system has no root certificates: those that are built in are used");
        let store = authorities.iter().fold(TrustStore::empty(), |store, authority| store.with_pem_certificate(pem(authority)));
        TlsContext::builder().with_trust_store(store).build().ok()
    });
    BUILT_IN.as_ref()
}

/// Whether the system has some. Reading them all takes as long as the SDK takes to do so again, and is rarely needed for an answer.
fn has_authorities() -> bool {
    let has_file = || BUNDLES.iter().any(|path| std::fs::metadata(path).is_ok_and(|file| file.len() > 0));
    // The keychain of macOS is never empty.
    cfg!(target_os = "macos") || has_file() || !rustls_native_certs::load_native_certs().certs.is_empty()
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
}

#[cfg(test)]
mod tests {
    use rustls::RootCertStore;
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};

    use super::*;

    #[test]
    fn the_authorities_of_aws_are_built_in_and_every_one_can_be_read() -> Result<(), Box<dyn std::error::Error>> {
        let all: String = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|certificate| pem(certificate)).collect();
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(all.as_bytes()) {
            store.add(certificate?)?;
        }
        assert_eq!(store.len(), webpki_root_certs::TLS_SERVER_ROOT_CERTS.len());
        let names: Vec<String> = store.roots.iter().map(|root| String::from_utf8_lossy(&root.subject).into_owned()).collect();
        for authority in ["Amazon Root CA 1", "Amazon Root CA 2", "Amazon Root CA 3", "Amazon Root CA 4", "ISRG Root X1"] {
            assert!(names.iter().any(|name| name.contains(authority)), "{authority}");
        }
        Ok(())
    }
}
