//! A connection whose incoming messages are judged before the driver sees them: between TLS, or the socket, and the driver. Its first
//! message may be changed on the way out.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

use crate::postgres::guard::{Breach, Guard, judge_tls};
use crate::postgres::phase::{Phase, Progress};
use crate::postgres::startup_message::Changed;

/// A stream that ends where the guard finds a breach.
pub(super) struct Guarded<S> {
    stream: S,
    guard: Guard,
    /// The startup message of a replication connection, until it is sent.
    changed: Option<Changed>,
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, trusted: bool, channel: Channel) -> Self {
        let changed = (channel == Channel::Replication).then(Changed::default);
        Self { stream, guard: Guard::new(trusted), changed }
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Queries.
    Queries,
    /// Replication, as a pipe opens it.
    Replication,
}

/// A stream whose first byte is the server's answer to the request for TLS. The driver takes every other byte than `S` for "no TLS".
pub(super) struct TlsRequested<S> {
    stream: S,
    answered: bool,
}

impl<S> TlsRequested<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, answered: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TlsRequested<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if !self.answered
            && let Some(answer) = buf.filled().get(before)
        {
            self.answered = true;
            return Poll::Ready(judge_tls(*answer).map_err(|breach| io::Error::new(io::ErrorKind::InvalidData, breach)));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TlsRequested<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The breach that ended a session, if one did.
pub(super) fn breach(source: &(dyn std::error::Error + 'static)) -> Option<Breach> {
    source.downcast_ref::<io::Error>().and_then(io::Error::get_ref)?.downcast_ref().copied()
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let judged = self.guard.accept(&buf.filled()[before..]);
        Poll::Ready(judged.map_err(|breach| io::Error::new(io::ErrorKind::InvalidData, breach)))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, changed: first, .. } = &mut *self;
        let Some(changed) = first else { return Pin::new(stream).poll_write(cx, buf) };
        loop {
            let sent = ready!(Pin::new(&mut *stream).poll_write(cx, changed.rest(buf)?))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if let Some(taken) = changed.advance(sent) {
                *first = None;
                return Poll::Ready(Ok(taken));
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Guarded<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

/// Sets up TLS, and puts the guard inside of it.
pub(super) struct GuardedConnect<C> {
    pub(super) connect: C,
    pub(super) trusted: bool,
    pub(super) channel: Channel,
    pub(super) progress: Progress,
}

impl<S, C: TlsConnect<S>> TlsConnect<S> for GuardedConnect<C>
where
    C::Future: Send + 'static,
{
    type Stream = Guarded<C::Stream>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, Self::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let Self { connect, trusted, channel, progress } = self;
        let handshake = connect.connect(stream);
        Box::pin(async move {
            let stream = handshake.await?;
            progress.reached(Phase::Session);
            Ok(Guarded::new(stream, trusted, channel))
        })
    }
}
