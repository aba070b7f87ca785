//! The TCP endpoint of a cluster: its port is held for the cluster's life, even while Postgres restarts behind it.

use std::future::Future;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Accepts until it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on `address` and passes each client to `admit`.
    pub(crate) async fn start<F, Fut>(address: SocketAddr, admit: F) -> Result<Self>
    where
        F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?;
        let address = listener.local_addr().context("asking for the endpoint's port")?;
        let accepting = tokio::spawn(async move {
            loop {
                if let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(admit(client));
                }
            }
        });
        Ok(Self { address, accepting })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Connects a client to a port on 127.0.0.1 unchanged. If nothing listens there, the client is cut off, as during the restart of
/// an instance.
pub(crate) async fn relay(mut client: TcpStream, port: u16) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    // Small messages in both directions: waiting to fill packets would cost 40 ms a round trip.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    // A broken pipe here is a client or a server that disconnected: both ends notice by themselves.
    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}
