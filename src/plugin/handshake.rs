//! What the host passes in the environment, and the one line on standard output that answers it.

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::error::PluginError;
use super::protocol::{CLIENT_CERTIFICATE, PROTOCOL_VERSION};
use crate::printable::printable_line;

/// go-plugin's own version, the first field of the line.
const CORE_PROTOCOL_VERSION: u32 = 1;

const COOKIE: &str = "TF_PLUGIN_MAGIC_COOKIE";

/// Not a secret: it only tells a host from a user at a shell.
const COOKIE_VALUE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

const PROTOCOL_VERSIONS: &str = "PLUGIN_PROTOCOL_VERSIONS";
/// Where the host wants the socket.
pub(super) const SOCKET_PARENT: &str = "PLUGIN_UNIX_SOCKET_DIR";

/// What a host asked for when it started the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRequest {
    /// The only certificate to accept. None if the host runs without TLS, as with TF_DISABLE_PLUGIN_TLS: then only the
    /// permissions of the socket's folder keep other users out.
    pub(super) client_certificate: Option<CertificateDer<'static>>,
    /// Where to create the socket's folder, instead of the system's temporary folder.
    pub(super) socket_parent: Option<PathBuf>,
}

impl HostRequest {
    /// Decodes the environment that `variable` looks up.
    ///
    /// # Errors
    /// If no host started the process, the host uses another protocol, or its certificate cannot be read.
    pub fn decode(variable: impl Fn(&str) -> Option<String>) -> Result<Self, PluginError> {
        if variable(COOKIE).as_deref() != Some(COOKIE_VALUE) {
            return Err(PluginError::NotStartedByHost);
        }
        // The order of the versions is random: the host iterates over a Go map.
        let offered = variable(PROTOCOL_VERSIONS).unwrap_or_default();
        if !offered.split(',').any(|version| version.trim().parse() == Ok(PROTOCOL_VERSION)) {
            let offered = if offered.is_empty() { "none".to_owned() } else { offered };
            return Err(PluginError::ProtocolVersion { offered });
        }
        let client_certificate = variable(CLIENT_CERTIFICATE)
            .filter(|pem| !pem.is_empty())
            .map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()))
            .transpose()
            .map_err(|source| PluginError::ClientCertificate { source })?;
        let socket_parent = variable(SOCKET_PARENT).filter(|path| !path.is_empty()).map(PathBuf::from);
        Ok(Self { client_certificate, socket_parent })
    }
}

/// The handshake line without its line break. `certificate` is ours; without TLS the field stays empty.
pub(super) fn line(socket: &str, certificate: Option<&CertificateDer<'_>>) -> String {
    // DER, because PEM has line breaks; the host decodes the standard alphabet without padding.
    let certificate = certificate.map(|der| STANDARD_NO_PAD.encode(der)).unwrap_or_default();
    format!("{CORE_PROTOCOL_VERSION}|{PROTOCOL_VERSION}|unix|{socket}|grpc|{certificate}")
}

/// One line with a reason, which the host cannot take for a handshake.
pub(super) fn refusal(reason: &str) -> String {
    // From three of them on, the host would decode fields.
    printable_line(&reason.replace('\n', " ")).replace('|', "\\u{7c}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(variables: &[(&str, &str)]) -> Result<HostRequest, PluginError> {
        HostRequest::decode(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_missing_or_wrong_cookie_means_run_by_hand() {
        for variables in [&[][..], &[(COOKIE, "other"), (PROTOCOL_VERSIONS, "6")]] {
            assert!(matches!(decode(variables), Err(PluginError::NotStartedByHost)));
        }
    }

    #[test]
    fn versions_are_a_set() {
        for versions in ["6", "5,6", "6,5", "5, 6"] {
            assert!(decode(&[(COOKIE, COOKIE_VALUE), (PROTOCOL_VERSIONS, versions)]).is_ok(), "{versions}");
        }
        for versions in ["", "5", "56", "16,60"] {
            let refused = decode(&[(COOKIE, COOKIE_VALUE), (PROTOCOL_VERSIONS, versions)]);
            assert!(matches!(refused, Err(PluginError::ProtocolVersion { .. })), "{versions}");
        }
    }

    #[test]
    fn a_broken_client_certificate_is_an_error_and_not_a_server_without_tls() {
        let refused = decode(&[(COOKIE, COOKIE_VALUE), (PROTOCOL_VERSIONS, "6"), (CLIENT_CERTIFICATE, "no PEM at all")]);
        assert!(matches!(refused, Err(PluginError::ClientCertificate { .. })));
    }

    #[test]
    fn the_line_has_six_fields_and_no_padding() {
        let certificate = CertificateDer::from(vec![0xfb, 0xff, 0xfe, 0x01]);
        assert_eq!(line("/tmp/x/p.sock", Some(&certificate)), "1|6|unix|/tmp/x/p.sock|grpc|+//+AQ");
        assert_eq!(line("/tmp/x/p.sock", None), "1|6|unix|/tmp/x/p.sock|grpc|");
    }

    #[test]
    fn a_refusal_is_one_line_that_is_no_handshake() {
        assert_eq!(refusal("1|6|unix|a\nb\u{1b}"), "1\\u{7c}6\\u{7c}unix\\u{7c}a b\\u{1b}");
    }
}
