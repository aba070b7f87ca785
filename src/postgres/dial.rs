//! The connection to a server: resolves its name and connects a socket.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpSocket, TcpStream};

use crate::postgres::error::Error;
use crate::postgres::settings::Settings;

/// Resolves the host and connects to the first address that answers.
pub(super) async fn dial(settings: &Settings) -> Result<TcpStream, Error> {
    let unresolved = |source| Error::NameNotResolved { host: settings.host.clone(), source };
    let addresses: Vec<SocketAddr> =
        tokio::net::lookup_host((settings.host.as_str(), settings.port)).await.map_err(unresolved)?.collect();
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
    socket.set_keepalive(true)?;
    socket.set_nodelay(true)?;
    socket.connect(address).await
}
