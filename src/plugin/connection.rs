//! Connections: each is accepted in a task of its own, authenticated, and counted while it is open.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{UnixListener, UnixStream},
    sync::{mpsc, watch},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::either::Either;
use tonic::transport::server::Connected;

/// Time limit for a peer's TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait when the system is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The connected clients. A refused peer never counts.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Presence {
    /// Whether a client has been accepted at least once.
    pub(super) came: bool,
    /// How many clients are connected now.
    pub(super) connected: usize,
}

/// An accepted client.
pub(super) struct Connection {
    stream: Either<UnixStream, TlsStream<UnixStream>>,
    _counted: Counted,
}

/// Accepts until the stream is dropped. Each handshake has its own task, so a slow one does not delay the others.
pub(super) fn accept(
    listener: UnixListener,
    tls: Option<TlsAcceptor>,
    presence: watch::Sender<Presence>,
) -> ReceiverStream<io::Result<Connection>> {
    let (accepted, connections) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let stream = tokio::select! {
                () = accepted.closed() => return,
                result = listener.accept() => match result {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                },
            };
            let (accepted, tls, presence) = (accepted.clone(), tls.clone(), presence.clone());
            tokio::spawn(async move {
                if let Some(stream) = authenticate(stream, tls).await {
                    let connection = Connection { stream, _counted: Counted::new(presence) };
                    // Fails only when the server has already ended.
                    let _ = accepted.send(Ok(connection)).await;
                }
            });
        }
    });
    ReceiverStream::new(connections)
}

async fn authenticate(stream: UnixStream, tls: Option<TlsAcceptor>) -> Option<Either<UnixStream, TlsStream<UnixStream>>> {
    let Some(tls) = tls else {
        return Some(Either::Left(stream));
    };
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok(stream)) => Some(Either::Right(stream)),
        Ok(Err(error)) => {
            tracing::warn!(%error, "refused a connection");
            None
        }
        Err(_) => {
            tracing::warn!("refused a connection: no TLS handshake in time");
            None
        }
    }
}

/// Counts one connection for as long as it lives.
struct Counted(watch::Sender<Presence>);

impl Counted {
    fn new(presence: watch::Sender<Presence>) -> Self {
        presence.send_modify(|presence| {
            presence.came = true;
            presence.connected += 1;
        });
        Self(presence)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|presence| presence.connected -= 1);
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
