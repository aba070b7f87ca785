//! The path of a client through an endpoint whose cluster has IAM authentication on.

use std::io::{Error, ErrorKind, Result};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpStream, UnixStream};

use super::encryption;
use super::keeper::Keeper;
use super::startup::{self, First, Startup};
use crate::simulator::cluster_postgres::ClusterPostgres;
use crate::simulator::iam_logins::IamRefusalReason;

/// The first byte of a TLS connection that starts without a request.
const HANDSHAKE: u8 = 0x16;

/// The server behind an endpoint.
#[derive(Debug)]
pub(crate) struct Door {
    /// Its unix socket.
    pub(crate) socket: PathBuf,
    /// Its port on 127.0.0.1.
    pub(crate) port: u16,
    /// Its data folder, with the certificate.
    pub(crate) data: PathBuf,
    /// Whether it supports TLS.
    pub(crate) tls: bool,
    /// Whether it accepts a TLS handshake without a request, as from 17 on.
    pub(crate) direct_tls: bool,
    /// Whether the endpoint is the reader's.
    pub(crate) is_reader: bool,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A client that has sent its startup message.
struct Visitor {
    stream: Box<dyn Stream>,
    is_encrypted: bool,
}

/// Accepts a client, or refuses it.
pub(crate) async fn admit(client: TcpStream, cluster: Arc<ClusterPostgres>, keeper: &Keeper, door: Door) {
    // A failure here is a client or a server that disconnected: both ends notice by themselves.
    let _ = lead(client, cluster, keeper, &door).await;
}

async fn lead(client: TcpStream, cluster: Arc<ClusterPostgres>, keeper: &Keeper, door: &Door) -> Result<()> {
    // Small messages in both directions: waiting to fill packets would cost 40 ms a round trip.
    client.set_nodelay(true)?;
    let (mut visitor, first) = negotiate(client, door).await?;
    let startup = match first {
        First::Cancel(message) => return cancel(&message, door).await,
        First::Startup(startup) => startup,
        First::Ssl | First::Gss => return Err(Error::from(ErrorKind::InvalidData)),
    };
    let user = startup.user();
    let is_member = cluster.is_iam_member(door.is_reader, user).await.map_err(Error::other)?;
    if !is_member {
        // A session must not keep the cluster alive.
        drop(cluster);
        return hand_on(visitor, &startup, door).await;
    }
    if !visitor.is_encrypted {
        cluster.iam_logins().refuse(user, IamRefusalReason::NotEncrypted);
        drop(cluster);
        // The server has a rule for such a client, and refuses it.
        return hand_on(visitor, &startup, door).await;
    }
    let token = startup::ask_password(&mut visitor.stream).await?;
    match keeper.check(user, &token, startup.is_replication(), door.is_reader) {
        Ok(access_key) => cluster.iam_logins().accept(user, access_key),
        Err(reason) => {
            cluster.iam_logins().refuse(user, reason);
            return startup::refuse(&mut visitor.stream, user).await;
        }
    }
    drop(cluster);
    let mut server = UnixStream::connect(&door.socket).await?;
    server.write_all(&startup.message).await?;
    copy_bidirectional(&mut visitor.stream, &mut server).await.map(drop)
}

/// Answers a client's requests before its startup message.
async fn negotiate(mut client: TcpStream, door: &Door) -> Result<(Visitor, First)> {
    loop {
        let mut byte = [0];
        client.peek(&mut byte).await?;
        let is_direct = byte[0] == HANDSHAKE && door.tls && door.direct_tls;
        let first = if is_direct { First::Ssl } else { startup::read(&mut client).await? };
        match first {
            First::Ssl if door.tls => {
                if !is_direct {
                    client.write_all(b"S").await?;
                }
                let mut stream = encryption::accept(client, &door.data).await?;
                let first = startup::read(&mut stream).await?;
                return Ok((Visitor { stream: Box::new(stream), is_encrypted: true }, first));
            }
            First::Ssl | First::Gss => client.write_all(b"N").await?,
            first => return Ok((Visitor { stream: Box::new(client), is_encrypted: false }, first)),
        }
    }
}

async fn dial(door: &Door) -> Result<TcpStream> {
    let server = TcpStream::connect(("127.0.0.1", door.port)).await?;
    server.set_nodelay(true)?;
    Ok(server)
}

/// Passes a client on to the server unchanged.
async fn hand_on(mut visitor: Visitor, startup: &Startup, door: &Door) -> Result<()> {
    let mut server: Box<dyn Stream> = if visitor.is_encrypted {
        let mut server = dial(door).await?;
        server.write_all(&startup::ssl_request()).await?;
        if server.read_u8().await? != b'S' {
            return Err(Error::from(ErrorKind::InvalidData));
        }
        Box::new(encryption::connect(server, &door.data).await?)
    } else {
        Box::new(dial(door).await?)
    };
    server.write_all(&startup.message).await?;
    server.flush().await?;
    copy_bidirectional(&mut visitor.stream, &mut server).await.map(drop)
}

async fn cancel(message: &[u8], door: &Door) -> Result<()> {
    let mut server = dial(door).await?;
    server.write_all(message).await?;
    // The server closes the connection after it has passed the request on.
    server.read_u8().await.map(drop)
}
