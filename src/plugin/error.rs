//! Why the process could not serve.

use std::io;

/// Everything that ends the process before it serves, or while it serves.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The magic cookie is missing: a user started the program by hand.
    #[error(
        "this program is a plugin that Terraform and OpenTofu start; it is not meant to be run by hand.\n\
         Put `clickpipes/clickpipes` under required_providers in a Terraform configuration instead. See --help."
    )]
    NotStartedByHost,

    /// The host supports none of our protocol versions.
    #[error(
        "this provider uses plugin protocol {}, but the program that started it offers {offered}; use Terraform or OpenTofu 1.11 or later",
        super::protocol::PROTOCOL_VERSION
    )]
    ProtocolVersion {
        /// The versions in the environment, as the host sent them.
        offered: String,
    },

    /// The host's certificate cannot be read, so no client could be accepted.
    #[error("the client certificate in {} is not a single PEM certificate", super::protocol::CLIENT_CERTIFICATE)]
    ClientCertificate {
        /// The PEM reader's error.
        #[source]
        source: rustls::pki_types::pem::Error,
    },

    /// No folder can hold the socket.
    #[error(
        "no folder can hold the socket that Terraform talks to this provider through. {}. \
         Set {setting} to an existing folder in which you may create files, with a path of at most {limit} bytes",
        obstacles.join("; ")
    )]
    NoPlaceForSocket {
        /// The environment variable that decides where it is created.
        setting: &'static str,
        /// Each folder with the reason why it cannot.
        obstacles: Vec<String>,
        /// How many bytes the path of a folder may have.
        limit: usize,
    },

    /// The system has no threads or no descriptors left.
    #[error("cannot start the threads that answer calls")]
    Runtime {
        /// The cause.
        #[source]
        source: io::Error,
    },

    /// Our own certificate could not be generated.
    #[error("cannot generate a certificate for this process")]
    OwnCertificate {
        /// The certificate generator's error.
        #[source]
        source: rcgen::Error,
    },

    /// The TLS configuration was refused.
    #[error("cannot set up TLS")]
    Tls {
        /// rustls's error.
        #[source]
        source: rustls::Error,
    },

    /// There is no signal handler, so Ctrl-C would interrupt an apply.
    #[error("cannot install signal handlers")]
    Signals {
        /// The cause.
        #[source]
        source: io::Error,
    },

    /// The host cannot be told where the process listens.
    #[error("cannot write the handshake to standard output")]
    Announce {
        /// The cause.
        #[source]
        source: io::Error,
    },

    /// The gRPC server ended by itself.
    #[error("the gRPC server failed")]
    Serve {
        /// tonic's error.
        #[source]
        source: tonic::transport::Error,
    },
}

impl PluginError {
    /// Whether a host still waits for the handshake line, so that the reason can be told in its place.
    pub fn is_awaited_by_host(&self) -> bool {
        !matches!(self, Self::NotStartedByHost | Self::Announce { .. } | Self::Serve { .. })
    }
}
