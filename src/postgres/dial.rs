//! The connection to a server: resolves its name and connects a socket.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};

use crate::postgres::error::Error;
use crate::postgres::phase::{Phase, Progress};
use crate::postgres::settings::Settings;

/// How long the other machine may stay silent, so that it counts as gone: while an answer is awaited, and while data is sent.
const SILENCE: Duration = Duration::from_secs(30);
const PROBE_PAUSE: Duration = Duration::from_secs(10);

/// Resolves the host and connects to the first address that answers.
pub(super) async fn dial(settings: &Settings, progress: &Progress) -> Result<TcpStream, Error> {
    let unresolved = |source| Error::NameNotResolved { host: settings.host.clone(), source };
    let addresses: Vec<SocketAddr> =
        tokio::net::lookup_host((settings.host.as_str(), settings.port)).await.map_err(unresolved)?.collect();
    progress.reached(Phase::Dial);
    let mut last = unresolved(io::Error::from(io::ErrorKind::NotFound));
    for address in addresses {
        match dial_address(address).await {
            Ok(stream) => return Ok(stream),
            Err(source) if source.kind() == io::ErrorKind::ConnectionRefused => {
                last = Error::Refused { address: settings.address(), source };
            }
            Err(source) => last = Error::Unreachable { address: settings.address(), source },
        }
    }
    Err(last)
}

async fn dial_address(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    let options = SockRef::from(&socket);
    options.set_tcp_keepalive(&TcpKeepalive::new().with_time(SILENCE).with_interval(PROBE_PAUSE))?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    options.set_tcp_user_timeout(Some(SILENCE))?;
    socket.connect(address).await
}
