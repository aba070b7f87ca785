//! A network between the provider and a server on this machine: every byte takes its time, and what passes is counted.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// As much as one read takes. Chunks in flight are bounded by the senders, which wait for answers.
const CHUNK: usize = 64 << 10;

/// What passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Connections opened.
    pub connections: u64,
    /// How often a client spoke after it had been spoken to, the opening of each connection included. Questions that go out together
    /// count once.
    pub round_trips: u64,
    /// Bytes that clients sent.
    pub sent: u64,
    /// Bytes that the server sent.
    pub received: u64,
}

/// A port on this machine that leads to another one as over a distance.
#[derive(Debug)]
pub struct SlowNetwork {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Dropped with this value, and all connections with it.
    _accepting: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shared {
    round_trip_micros: AtomicU64,
    traffic: Mutex<Traffic>,
}

impl Shared {
    fn one_way(&self) -> Duration {
        Duration::from_micros(self.round_trip_micros.load(Ordering::Relaxed) / 2)
    }

    fn count(&self, count: impl FnOnce(&mut Traffic)) {
        count(&mut self.traffic.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl SlowNetwork {
    /// Leads to `server`, without delay at first.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn to(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listening for clients")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, server, Arc::clone(&shared)));
        Ok(Self { address, shared, _accepting: accepting })
    }

    /// Where clients dial.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets how long a question and its answer are on their way together.
    pub fn set_round_trip(&self, time: Duration) {
        self.shared.round_trip_micros.store(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What passed since the last call.
    pub fn take_traffic(&self) -> Traffic {
        let mut taken = Traffic::default();
        self.shared.count(|traffic| taken = std::mem::take(traffic));
        taken
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(lead(client, server, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn lead(client: TcpStream, server: SocketAddr, shared: Arc<Shared>) {
    // The three-way handshake takes a round trip too.
    tokio::time::sleep(shared.one_way() * 2).await;
    shared.count(|traffic| {
        traffic.connections += 1;
        traffic.round_trips += 1;
    });
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let answered = AtomicBool::new(true);
    let sent = |length: u64| {
        let speaks_anew = answered.swap(false, Ordering::Relaxed);
        shared.count(|traffic| {
            traffic.sent += length;
            traffic.round_trips += u64::from(speaks_anew);
        });
    };
    let received = |length: u64| {
        answered.store(true, Ordering::Relaxed);
        shared.count(|traffic| traffic.received += length);
    };
    tokio::join!(carry(from_client, to_server, &shared, sent), carry(from_server, to_client, &shared, received));
}

/// Carries bytes one way until their source ends. Each chunk arrives when its own time has passed, so that a delay costs no throughput.
async fn carry(mut source: OwnedReadHalf, mut target: OwnedWriteHalf, shared: &Shared, passed: impl Fn(u64)) {
    let (chunks, mut in_flight) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let depart = async move {
        let mut buffer = vec![0; CHUNK];
        while let Ok(length @ 1..) = source.read(&mut buffer).await {
            passed(length as u64);
            if chunks.send((Instant::now() + shared.one_way(), buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    };
    let arrive = async move {
        while let Some((due, bytes)) = in_flight.recv().await {
            tokio::time::sleep_until(due).await;
            if target.write_all(&bytes).await.is_err() {
                break;
            }
        }
        // The other side may have left already.
        let _ = target.shutdown().await;
    };
    tokio::join!(depart, arrive);
}
