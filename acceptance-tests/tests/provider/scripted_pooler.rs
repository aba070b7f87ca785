//! A pooler by a script, for machines that have no PgBouncer and for what the PgBouncer of a machine is too old for: it does what
//! PgBouncer 1.18 and 1.25 were seen to do.
//!
//! `options` is listed in `ignore_startup_parameters`: the welcome is that of the server connection, and the settings of `options` are
//! dropped. From 1.20 on, those in `track_extra_parameters` that the server reports are set by SET before the client's first message
//! reaches the server, and back to the server's own for the next client.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::scripted::message;

/// Protocol 3.0.
const VERSION: [u8; 4] = [0, 3, 0, 0];
const TRACKED: &str = "default_transaction_read_only";

pub(super) struct ScriptedPooler {
    pub(super) address: SocketAddr,
    /// Dropped with this value.
    _accepting: JoinSet<()>,
}

impl ScriptedPooler {
    /// Pools one connection to a server that needs no password. `tracks`: whether it tracks `default_transaction_read_only`.
    pub(super) async fn start(server: (&str, u16), user: &str, database: &str, tracks: bool) -> Result<Self> {
        let mut server = TcpStream::connect(server).await.context("connecting to the server")?;
        let parameters = [&VERSION[..], format!("user\0{user}\0database\0{database}\0\0").as_bytes()].concat();
        let length = u32::try_from(parameters.len() + 4)?.to_be_bytes();
        server.write_all(&[&length[..], &parameters].concat()).await?;
        let mut welcome = Vec::new();
        until_ready(&mut server, &mut welcome).await?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listening for clients")?;
        let address = listener.local_addr()?;
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            // One after the other: there is one server connection.
            while let Ok((client, _)) = listener.accept().await {
                let _ = serve(client, &mut server, &welcome, tracks).await;
            }
        });
        Ok(Self { address, _accepting: accepting })
    }
}

/// Serves a client until it says goodbye.
async fn serve(mut client: TcpStream, server: &mut TcpStream, welcome: &[u8], tracks: bool) -> Result<()> {
    let length = client.read_u32().await?;
    let mut startup = vec![0; (length as usize).saturating_sub(4)];
    client.read_exact(&mut startup).await?;
    if tracks {
        let asked = String::from_utf8_lossy(&startup).contains(&format!("-c {TRACKED}=on"));
        let set = format!("SET {TRACKED}='{}';\0", if asked { "on" } else { "off" });
        server.write_all(&message(b'Q', set.as_bytes())).await?;
        until_ready(server, &mut Vec::new()).await?;
    }
    client.write_all(welcome).await?;
    let mut answer = vec![0; 1 << 16];
    loop {
        tokio::select! {
            heard = next(&mut client) => {
                let heard = heard?;
                if heard.first() == Some(&b'X') {
                    return Ok(());
                }
                server.write_all(&heard).await?;
            }
            length = server.read(&mut answer) => {
                let length = length?;
                ensure!(length > 0, "the server is gone");
                client.write_all(&answer[..length]).await?;
            }
        }
    }
}

/// The next message of a client.
async fn next(client: &mut TcpStream) -> Result<Vec<u8>> {
    // Nothing is lost when this is given up before the whole message is there.
    let mut header = [0; 5];
    loop {
        client.readable().await?;
        let length = client.peek(&mut header).await?;
        ensure!(length > 0, "the client is gone");
        if length == header.len() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize + 1;
    let mut whole = vec![0; length];
    while client.peek(&mut whole).await? < length {
        tokio::task::yield_now().await;
    }
    client.read_exact(&mut whole).await?;
    Ok(whole)
}

/// Reads what the server sends until it is ready for a query.
async fn until_ready(server: &mut TcpStream, heard: &mut Vec<u8>) -> Result<()> {
    loop {
        let (tag, length) = (server.read_u8().await?, server.read_u32().await?);
        let mut body = vec![0; (length as usize).saturating_sub(4)];
        server.read_exact(&mut body).await?;
        ensure!(tag != b'E', "the server refuses: {}", String::from_utf8_lossy(&body));
        heard.extend(message(tag, &body));
        if tag == b'Z' {
            return Ok(());
        }
    }
}
