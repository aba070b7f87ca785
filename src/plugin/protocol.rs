//! What host and plugin agree on before they meet.

/// The provider protocol's major version.
pub(super) const PROTOCOL_VERSION: u32 = 6;

/// Where the host puts the certificate that it will show.
pub(super) const CLIENT_CERTIFICATE: &str = "PLUGIN_CLIENT_CERT";
