//! A server that answers by a script, and keeps what a client sent: for what no real server does.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What to do with a client.
#[derive(Clone)]
pub(super) enum Script {
    /// Says nothing.
    Silence,
    /// Agrees to TLS, and then says nothing.
    SilentTls,
    /// Reads the startup message and answers with this.
    Answer(Vec<u8>),
    /// Lets the client log in, and answers its first query with this, over and over.
    Endless(Vec<u8>),
}

pub(super) struct ScriptedServer {
    pub(super) address: SocketAddr,
    received: Arc<Mutex<Vec<u8>>>,
    /// Dropped with this value.
    _accepting: JoinSet<()>,
}

impl ScriptedServer {
    pub(super) async fn start(script: Script) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listening for clients")?;
        let address = listener.local_addr()?;
        let received = Arc::<Mutex<Vec<u8>>>::default();
        let heard = Arc::clone(&received);
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut clients = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                clients.spawn(play(client, script.clone(), Arc::clone(&heard)));
            }
        });
        Ok(Self { address, received, _accepting: accepting })
    }

    /// Everything that clients have sent.
    pub(super) fn received(&self) -> Vec<u8> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Settings of the provider block that lead here.
    pub(super) fn settings(&self, sslmode: &str) -> String {
        let (host, port) = (self.address.ip(), self.address.port());
        format!(r#"host = "{host}", port = {port}, username = "clusteradmin", sslmode = "{sslmode}""#)
    }
}

/// A message of the protocol.
pub(super) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

/// A request to log in, by its code.
pub(super) fn request(code: u32, more: &[u8]) -> Vec<u8> {
    message(b'R', &[&code.to_be_bytes()[..], more].concat())
}

async fn play(mut client: TcpStream, script: Script, received: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = vec![0; 1 << 16];
    let mut hear = async |client: &mut TcpStream| match client.read(&mut buffer).await {
        Ok(length @ 1..) => {
            received.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..length]);
            true
        }
        _ => false,
    };
    match script {
        Script::Silence => {}
        Script::SilentTls => {
            hear(&mut client).await;
            let _ = client.write_all(b"S").await;
        }
        Script::Answer(answer) => {
            hear(&mut client).await;
            let _ = client.write_all(&answer).await;
        }
        Script::Endless(answer) => {
            hear(&mut client).await;
            let welcome = [request(0, &[]), message(b'K', &[0; 8]), message(b'Z', b"I")].concat();
            let _ = client.write_all(&welcome).await;
            hear(&mut client).await;
            while client.write_all(&answer).await.is_ok() {}
        }
    }
    while hear(&mut client).await {}
}
