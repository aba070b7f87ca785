//! One connection over the unix socket, in the ways that a host or an intruder may try.

use std::{io, path::Path, sync::Arc};

use anyhow::Context as _;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::UnixStream,
    sync::Mutex,
};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::{HandshakeLine, Identity};

/// The identity that we present.
#[derive(Clone, Copy)]
pub enum Credentials<'a> {
    /// This identity, over TLS. Only the one whose certificate the provider was given should get in.
    Pinned(&'a Identity),
    /// TLS without a client certificate.
    Anonymous,
    /// No TLS at all.
    Plaintext,
}

/// Connects and trusts exactly the certificate of `line`, as go-plugin does. The channel never reconnects: a provider
/// serves one connection.
///
/// # Errors
/// If the TLS handshake fails. With TLS 1.3 a refusal of the client's certificate may come only with the first call.
pub async fn connect(line: &HandshakeLine, credentials: Credentials<'_>) -> anyhow::Result<Channel> {
    match credentials {
        Credentials::Plaintext => connect_plaintext(&line.socket).await,
        Credentials::Pinned(identity) => connect_over(handshake(line, Some(identity)).await?).await,
        Credentials::Anonymous => connect_over(handshake(line, None).await?).await,
    }
}

/// Connects to a server without TLS, as in the debug mode.
///
/// # Errors
/// If no server listens there.
pub async fn connect_plaintext(socket: &Path) -> anyhow::Result<Channel> {
    connect_over(UnixStream::connect(socket).await.context("cannot connect to the socket")?).await
}

async fn handshake(
    line: &HandshakeLine,
    identity: Option<&Identity>,
) -> anyhow::Result<tokio_rustls::client::TlsStream<UnixStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(line.certificate.clone())).context("the announced certificate cannot be used")?;
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let mut config = match identity {
        Some(identity) => builder.with_client_auth_cert(vec![identity.certificate()], identity.key())?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = UnixStream::connect(&line.socket).await.context("cannot connect to the socket")?;
    let name = ServerName::try_from("localhost")?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.context("the TLS handshake failed")
}

/// Uses a stream that is already connected.
///
/// # Errors
/// If the other side does not speak HTTP/2.
pub async fn connect_over<S>(stream: S) -> anyhow::Result<Channel>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let once = Arc::new(Mutex::new(Some(TokioIo::new(stream))));
    let connector = service_fn(move |_uri| {
        let once = Arc::clone(&once);
        async move { once.lock().await.take().ok_or_else(|| io::Error::other("the connection is gone")) }
    });
    Endpoint::from_static("http://localhost").connect_with_connector(connector).await.context("no HTTP/2 over the connection")
}
