//! Everything between the provider and its servers: each statement to Postgres and each call to AWS is a step, and at one of them
//! something can go wrong. It works on the wire, so it does not depend on any resource.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// The other side refuses: its disk is full, or the caller may not. The step has no effect.
    Refused,
    /// The step has its effect, and the connection breaks before the answer.
    AnswerLost,
    /// The other side receives and sends nothing until it is over.
    NoAnswer,
}

/// How the wire is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Postgres,
    Http,
}

#[derive(Default)]
struct Shared {
    /// What goes wrong, and after how many steps.
    ordered: Mutex<Option<(Mishap, u32)>>,
    met: watch::Sender<bool>,
    statements: AtomicU32,
    calls: AtomicU32,
    over: watch::Sender<u32>,
}

impl Shared {
    fn taken(&self, wire: Wire) -> &AtomicU32 {
        if wire == Wire::Postgres { &self.statements } else { &self.calls }
    }

    /// Counts a step and decides its outcome.
    fn step(&self, wire: Wire) -> Option<Mishap> {
        self.taken(wire).fetch_add(1, Ordering::Relaxed);
        let mut ordered = self.ordered.lock().unwrap_or_else(PoisonError::into_inner);
        match ordered.as_mut() {
            Some((_, left @ 1..)) => {
                *left -= 1;
                None
            }
            Some((mishap, 0)) => {
                let mishap = *mishap;
                *ordered = None;
                self.met.send_replace(true);
                Some(mishap)
            }
            None => None,
        }
    }
}

/// The paths to Postgres and to AWS.
pub struct RemoteSteps {
    shared: Arc<Shared>,
    /// Dropped with this value, and all connections with it.
    ways: JoinSet<()>,
}

impl RemoteSteps {
    pub fn new() -> Self {
        Self { shared: Arc::default(), ways: JoinSet::new() }
    }

    /// A port that forwards to this Postgres.
    pub async fn lead_to_postgres(&mut self, server: SocketAddr) -> Result<SocketAddr> {
        self.lead(server, Wire::Postgres).await
    }

    /// A port that forwards to this API.
    pub async fn lead_to_api(&mut self, server: SocketAddr) -> Result<SocketAddr> {
        self.lead(server, Wire::Http).await
    }

    async fn lead(&mut self, server: SocketAddr, wire: Wire) -> Result<SocketAddr> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listening for the provider")?;
        let address = listener.local_addr()?;
        let shared = Arc::clone(&self.shared);
        self.ways.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(connect(client, server, wire, Arc::clone(&shared)));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(address)
    }

    /// How many statements and how many calls there have been.
    pub fn taken(&self) -> (u32, u32) {
        let taken = |wire| self.shared.taken(wire).load(Ordering::Relaxed);
        (taken(Wire::Postgres), taken(Wire::Http))
    }

    /// Lets `steps` more steps pass, and makes the next one go wrong.
    pub fn order(&self, mishap: Mishap, steps: u32) {
        let mut ordered = self.shared.ordered.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.met.send_replace(false);
        *ordered = Some((mishap, steps));
    }

    /// Waits until the ordered mishap has happened.
    pub async fn met(&self) {
        // The sender lives as long as this value.
        let _ = self.shared.met.subscribe().wait_for(|met| *met).await;
    }

    /// Ends the ordered mishap. Says whether it happened at all.
    pub fn over(&self) -> bool {
        let left = self.shared.ordered.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.shared.over.send_modify(|times| *times += 1);
        left.is_none()
    }
}

async fn connect(client: TcpStream, server: SocketAddr, wire: Wire, shared: Arc<Shared>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let way = Way {
        wire,
        shared,
        to_client: tokio::sync::Mutex::new(to_client),
        lost: watch::Sender::new(false),
        answered: Notify::new(),
    };
    // If one side closes, the other is closed too.
    tokio::select! {
        _ = way.there(from_client, to_server) => {}
        _ = way.back(from_server) => {}
    }
}

struct Way {
    wire: Wire,
    shared: Arc<Shared>,
    to_client: tokio::sync::Mutex<OwnedWriteHalf>,
    /// Whether what the server says from now on is lost.
    lost: watch::Sender<bool>,
    answered: Notify,
}

impl Way {
    async fn there(&self, mut client: OwnedReadHalf, mut server: OwnedWriteHalf) -> std::io::Result<()> {
        if let Wire::Postgres = self.wire {
            let mut length = [0; 4];
            client.read_exact(&mut length).await?;
            let startup = rest(&mut client, length, 4).await?;
            server.write_all(&[&length[..], &startup].concat()).await?;
        }
        loop {
            let (message, is_step) = self.message(&mut client).await?;
            match is_step.then(|| self.shared.step(self.wire)).flatten() {
                None => server.write_all(&message).await?,
                Some(Mishap::Refused) => return self.to_client.lock().await.write_all(&self.refusal()).await,
                Some(Mishap::AnswerLost) => {
                    self.lost.send_replace(true);
                    server.write_all(&message).await?;
                    tokio::select! {
                        () = self.answered.notified() => return Ok(()),
                        _ = tokio::io::copy(&mut client, &mut server) => return Ok(()),
                    }
                }
                Some(Mishap::NoAnswer) => {
                    let mut over = self.shared.over.subscribe();
                    let _ = over.changed().await;
                    return Ok(());
                }
            }
        }
    }

    async fn back(&self, mut server: OwnedReadHalf) -> std::io::Result<()> {
        let mut chunk = vec![0; 64 << 10];
        loop {
            let length = server.read(&mut chunk).await?;
            if length == 0 {
                return Ok(());
            }
            if *self.lost.borrow() {
                self.answered.notify_one();
            } else {
                self.to_client.lock().await.write_all(&chunk[..length]).await?;
            }
        }
    }

    /// The client's next message, and whether the server has to act on it.
    async fn message(&self, client: &mut OwnedReadHalf) -> std::io::Result<(Vec<u8>, bool)> {
        match self.wire {
            Wire::Postgres => {
                let mut head = [0; 5];
                client.read_exact(&mut head).await?;
                let [kind, length @ ..] = head;
                let body = rest(client, length, 4).await?;
                // A simple query, or the end of an extended one.
                Ok(([&head[..], &body].concat(), matches!(kind, b'Q' | b'S')))
            }
            Wire::Http => {
                let mut chunk = vec![0; 64 << 10];
                let length = client.read(&mut chunk).await?;
                if length == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                chunk.truncate(length);
                let is_step = chunk.starts_with(b"POST ");
                Ok((chunk, is_step))
            }
        }
    }

    fn refusal(&self) -> Vec<u8> {
        match self.wire {
            Wire::Postgres => {
                let fields = b"SFATAL\0VFATAL\0C53100\0Mcould not extend file: No space left on device\0\0";
                let length = u32::try_from(fields.len() + 4).unwrap_or_default();
                [&b"E"[..], &length.to_be_bytes(), fields].concat()
            }
            Wire::Http => {
                let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized</Message></Error>\
                            <RequestId>0</RequestId></ErrorResponse>";
                let head = format!("HTTP/1.1 403 Forbidden\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n", body.len());
                format!("{head}connection: close\r\n\r\n{body}").into_bytes()
            }
        }
    }
}

/// What follows a length that counts itself.
async fn rest(client: &mut OwnedReadHalf, length: [u8; 4], itself: usize) -> std::io::Result<Vec<u8>> {
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or_default().saturating_sub(itself);
    let mut rest = vec![0; length];
    client.read_exact(&mut rest).await?;
    Ok(rest)
}
