//! What the host and the plugin agree on in advance.

/// The provider protocol's major version.
pub(super) const PROTOCOL_VERSION: u32 = 6;

/// The variable that holds the host's client certificate.
pub(super) const CLIENT_CERTIFICATE: &str = "PLUGIN_CLIENT_CERT";
