//! The go-plugin side: how a process that Terraform starts becomes a gRPC server that Terraform trusts.
//!
//! [`serve`] creates a unix socket in a folder of its own, announces it with one line on standard output, and serves the provider
//! and go-plugin's services until the host says that it is done or disconnects. Nothing here knows a resource.
//!
//! # Guarantees
//! - Only the process that holds the key of the announced client certificate is accepted.
//! - Standard output carries one line and nothing after it.
//! - Ctrl-C never interrupts an operation of the host, even before the line is written.
//! - The socket's folder is gone when [`serve`] returns, and [`serve`] returns soon after Shutdown or the client's end.

mod auto_mtls;
mod broker;
mod connection;
mod controller;
mod error;
mod handshake;
mod health;
mod invocation;
mod lifetime;
pub mod logging;
mod protocol;
mod reattach;
mod socket;
mod stdio;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    time::Duration,
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use crate::proto::{
    health::health_server::HealthServer,
    plugin::{
        grpc_broker_server::GrpcBrokerServer, grpc_controller_server::GrpcControllerServer, grpc_stdio_server::GrpcStdioServer,
    },
    tfplugin6::provider_server::{Provider, ProviderServer},
};

pub use error::PluginError;
pub use handshake::HostRequest;
pub use invocation::{HELP, Invocation};
pub use lifetime::ExitReason;

use auto_mtls::AutoMtls;
use connection::Presence;
use lifetime::Signals;
use socket::Socket;

/// The limit of Go providers. tonic's own limit of 4 MiB is less than a resource may need.
const MESSAGE_LIMIT: usize = 256 << 20;

/// How long open calls get once the end is decided. This includes the answer to Shutdown; a host kills the process after two
/// seconds.
const GRACE: Duration = Duration::from_millis(250);

/// Whom to serve.
#[derive(Debug)]
pub enum Mode {
    /// The host that started the process.
    Host(HostRequest),
    /// A developer, who attaches Terraform by hand: no TLS, and clients may come and go.
    Debug,
}

/// Serves `provider` until the end, and returns the reason for it.
///
/// # Errors
/// If the socket, TLS or signal handlers cannot be set up, the line cannot be written, or the server fails.
pub async fn serve<P: Provider>(provider: P, mode: Mode) -> Result<ExitReason, PluginError> {
    let debug = matches!(mode, Mode::Debug);
    let (parent, tls) = match mode {
        Mode::Host(HostRequest { client_certificate, socket_parent }) => {
            (socket_parent, client_certificate.map(AutoMtls::new).transpose()?)
        }
        Mode::Debug => (None, None),
    };
    let places = socket::places(parent, |name| std::env::var_os(name).map(PathBuf::from));
    let socket = Socket::listen(&places)?;
    // Before the line is written: the host may pass on a Ctrl-C as soon as it has read it.
    let signals = Signals::install()?;
    let line = if debug {
        reattach::assignment(socket.path(), std::process::id())
    } else {
        handshake::line(socket.path(), tls.as_ref().map(|tls| &tls.certificate))
    };
    announce(&line).map_err(|source| PluginError::Announce { source })?;
    tracing::debug!(version = env!("CARGO_PKG_VERSION"), tls = tls.is_some(), "the provider is listening");

    let (listener, _folder) = socket.into_parts();
    let (presence, present) = watch::channel(Presence::default());
    let connections = connection::accept(listener, tls.map(|tls| tls.acceptor), presence);
    let requested = CancellationToken::new();
    let closing = CancellationToken::new();
    let server = Server::builder()
        .add_service(ProviderServer::new(provider).max_decoding_message_size(MESSAGE_LIMIT))
        .add_service(GrpcControllerServer::new(controller::Controller { requested: requested.clone() }))
        .add_service(GrpcStdioServer::new(stdio::Stdio { closing: closing.clone() }))
        .add_service(GrpcBrokerServer::new(broker::Broker { closing: closing.clone() }))
        .add_service(HealthServer::new(health::Serving { closing: closing.clone() }))
        .serve_with_incoming_shutdown(connections, closing.clone().cancelled_owned());
    tokio::pin!(server);

    let end = async {
        if debug {
            lifetime::ended_by_person(signals, requested).await
        } else {
            lifetime::ended_by_host(signals, requested, present).await
        }
    };
    let reason = tokio::select! {
        result = &mut server => {
            result.map_err(|source| PluginError::Serve { source })?;
            ExitReason::ClientGone
        }
        reason = end => reason,
    };
    tracing::debug!(?reason, "the provider is ending");
    closing.cancel();
    // A handler that takes longer is cut off: the client has already said that it will not read the answer.
    let _ = tokio::time::timeout(GRACE, server).await;
    Ok(reason)
}

/// Tells the host why the process cannot serve, in place of the handshake line. Terraform shows neither standard error nor the exit
/// code of a provider that does not start, but it quotes a line that is no handshake.
pub fn announce_refusal(reason: &str) {
    // Who reads it is gone if this fails, and standard error has the reason too.
    let _ = announce(&handshake::refusal(reason));
}

fn announce(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}
