//! Why the process could not serve.

use std::{io, path::PathBuf};

/// Everything that ends the process before or instead of serving.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The magic cookie is missing: a person started the program.
    #[error(
        "this program is a plugin: Terraform and OpenTofu start it themselves, it is not meant to be run by hand.\n\
         Put `clickpipes/clickpipes` under required_providers in a Terraform configuration instead. See --help."
    )]
    NotStartedByHost,

    /// The host speaks none of our protocol versions.
    #[error(
        "this provider speaks plugin protocol {}, the program that started it offers {offered}; Terraform 1.11 or OpenTofu 1.11 and later will do",
        super::protocol::PROTOCOL_VERSION
    )]
    ProtocolVersion {
        /// What the host sent, as it stood in the environment.
        offered: String,
    },

    /// The host's certificate cannot be read, so nobody could be let in.
    #[error("the client certificate in {} is not one certificate in PEM", super::protocol::CLIENT_CERTIFICATE)]
    ClientCertificate {
        /// What the PEM reader said.
        #[source]
        source: rustls::pki_types::pem::Error,
    },

    /// No folder for the socket.
    #[error("cannot make a folder for the socket in {}", parent.display())]
    SocketFolder {
        /// Where it was to be made.
        parent: PathBuf,
        /// Why it was not.
        #[source]
        source: io::Error,
    },

    /// The socket's path does not fit into a socket address or into the handshake line.
    #[error(
        "the socket path {} cannot be used: it must be UTF-8 without `|` or line breaks and shorter than {limit} bytes; \
         set TMPDIR to a short path", path.display()
    )]
    SocketPath {
        /// The path.
        path: PathBuf,
        /// How many bytes a socket address holds on every supported system.
        limit: usize,
    },

    /// The socket could not be opened.
    #[error("cannot listen on {}", path.display())]
    Listen {
        /// The socket.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },

    /// Our own certificate could not be made.
    #[error("cannot make a certificate for this process")]
    OwnCertificate {
        /// What the certificate generator said.
        #[source]
        source: rcgen::Error,
    },

    /// The TLS configuration was refused.
    #[error("cannot set up TLS")]
    Tls {
        /// What rustls said.
        #[source]
        source: rustls::Error,
    },

    /// No signal handler, so Ctrl-C would end an apply half-way.
    #[error("cannot install signal handlers")]
    Signals {
        /// Why not.
        #[source]
        source: io::Error,
    },

    /// Nobody learns where we listen.
    #[error("cannot write the handshake to standard output")]
    Announce {
        /// Why not.
        #[source]
        source: io::Error,
    },

    /// The gRPC server ended by itself.
    #[error("the gRPC server failed")]
    Serve {
        /// What tonic said.
        #[source]
        source: tonic::transport::Error,
    },
}
