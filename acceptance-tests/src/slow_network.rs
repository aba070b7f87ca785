//! A network between the provider and a server on this machine: it delays bytes, counts traffic, and makes connections wait or
//! cuts them where a test says. Also a port with nothing behind it until a test opens it.

mod messages;
mod rounds;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use messages::{Messages, statement};
use rounds::Rounds;

use crate::rig;

/// The maximum size of one read. The senders wait for answers, which bounds the chunks in flight.
const CHUNK: usize = 64 << 10;
/// The maximum number of connections that wait to be accepted.
const BACKLOG: u32 = 128;

/// The traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Connections opened.
    pub connections: u64,
    /// How often a client waited for an answer before it sent something, including the opening of each connection: requests that are
    /// sent together, or before the answer to the first of them has arrived, count once. Without a delay, an answer that comes
    /// between two of them begins another one.
    pub round_trips: u64,
    /// Bytes that clients sent.
    pub sent: u64,
    /// Bytes that the server sent.
    pub received: u64,
}

/// Where a connection is cut, both ways and without notice, as by a proxy that disappears. Each cuts once, in the given order.
/// The traffic is read in clear text, so without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Before a message with this text reaches the server.
    Before(&'static str),
    /// After the server has received a message with this text and has answered it, before the answer reaches the client.
    Answer(&'static str),
}

/// Where a connection stands still, as if the process at one of its ends was about to be killed: nothing passes any more, until one
/// side closes it. Read in clear text, so without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// Right before this statement, from 1, of those that change something or commit. What was sent before it reaches the server.
    Before(usize),
    /// When the server has committed, before the client knows it.
    Committed,
}

/// A port on this machine that refuses connections, and that no other program gets while this value lives.
#[derive(Debug)]
pub struct ClosedPort {
    /// Bound, but not listening.
    socket: TcpSocket,
    /// The port.
    pub number: u16,
}

impl ClosedPort {
    /// A port of 127.0.0.1.
    ///
    /// # Errors
    /// If there is none.
    pub fn hold() -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).context("holding a port")?;
        let number = socket.local_addr()?.port();
        Ok(Self { socket, number })
    }

    /// From now on the port forwards to `server`.
    ///
    /// # Errors
    /// If the port cannot be opened.
    pub fn open(self, server: SocketAddr) -> Result<SlowNetwork> {
        SlowNetwork::over(self.socket.listen(BACKLOG).context("opening the port")?, server)
    }
}

/// A port on this machine that forwards to another one as over a distance.
#[derive(Debug)]
pub struct SlowNetwork {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Dropped with this value, and all connections with it.
    _accepting: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    server: Mutex<SocketAddr>,
    round_trip_micros: AtomicU64,
    traffic: Mutex<Traffic>,
    cuts: Mutex<VecDeque<Cut>>,
    halt: watch::Sender<Option<Halt>>,
    /// Whether new connections wait.
    held: watch::Sender<bool>,
}

impl Shared {
    fn one_way(&self) -> Duration {
        Duration::from_micros(self.round_trip_micros.load(Ordering::Relaxed) / 2)
    }

    fn count(&self, count: impl FnOnce(&mut Traffic)) {
        count(&mut self.traffic.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn cuts(&self) -> MutexGuard<'_, VecDeque<Cut>> {
        self.cuts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next cut, if these bytes match it.
    fn cut_at(&self, bytes: &[u8]) -> Option<Cut> {
        let mut cuts = self.cuts();
        let (Cut::Before(text) | Cut::Answer(text)) = *cuts.front()?;
        if contains(bytes, text) { cuts.pop_front() } else { None }
    }

    /// Counts a statement of a client. Returns whether its connection stands still before it.
    fn halts_before(&self, statement: &str) -> bool {
        if statement != "COMMIT" && !rig::is_change(statement) {
            return false;
        }
        self.halt.send_if_modified(|halt| match halt {
            Some(Halt::Before(1)) => halt.take().is_some(),
            Some(Halt::Before(count)) => {
                *count -= 1;
                false
            }
            Some(Halt::Committed) | None => false,
        })
    }

    /// Whether the connection stands still with what the server answers here.
    fn halts_with(&self, answer: &[u8]) -> bool {
        self.halt.send_if_modified(|halt| *halt == Some(Halt::Committed) && contains(answer, "COMMIT\0") && halt.take().is_some())
    }
}

impl SlowNetwork {
    /// Forwards to `server`, without delay at first.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn to(server: SocketAddr) -> Result<Self> {
        Self::over(TcpListener::bind(("127.0.0.1", 0)).await.context("listening for clients")?, server)
    }

    fn over(listener: TcpListener, server: SocketAddr) -> Result<Self> {
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server: Mutex::new(server),
            round_trip_micros: AtomicU64::new(0),
            traffic: Mutex::default(),
            cuts: Mutex::default(),
            halt: watch::Sender::new(None),
            held: watch::Sender::new(false),
        });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, _accepting: accepting })
    }

    /// The address that clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Forwards new connections to another server, like a name that gets another address.
    pub fn lead_to(&self, server: SocketAddr) {
        *self.shared.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }

    /// Makes new connections wait for their server, as while another one takes over; or ends that.
    pub fn hold(&self, hold: bool) {
        self.shared.held.send_replace(hold);
    }

    /// Sets the time for a request and its answer together.
    pub fn set_round_trip(&self, time: Duration) {
        self.shared.round_trip_micros.store(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Cuts connections at these places, one after the other.
    pub fn cut(&self, cuts: impl IntoIterator<Item = Cut>) {
        self.shared.cuts().extend(cuts);
    }

    /// The cuts that are still to come.
    pub fn cuts_to_come(&self) -> Vec<Cut> {
        self.shared.cuts().iter().copied().collect()
    }

    /// Makes one connection stand still there, once.
    pub fn halt(&self, halt: Halt) {
        self.shared.halt.send_replace(Some(halt));
    }

    /// Waits until a connection stands still.
    pub async fn halted(&self) {
        // Its sender lives as long as `shared`.
        let _ = self.shared.halt.subscribe().wait_for(Option::is_none).await;
    }

    /// Takes back what [`Self::halt`] asked for. Returns whether it was still to come.
    pub fn go_on(&self) -> bool {
        self.shared.halt.send_replace(None).is_some()
    }

    /// The traffic since the last call.
    pub fn take_traffic(&self) -> Traffic {
        let mut taken = Traffic::default();
        self.shared.count(|traffic| taken = std::mem::take(traffic));
        taken
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(lead(client, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn lead(client: TcpStream, shared: Arc<Shared>) {
    // Its sender lives as long as `shared`.
    let _ = shared.held.subscribe().wait_for(|held| !held).await;
    // The three-way handshake takes a round trip too.
    tokio::time::sleep(shared.one_way() * 2).await;
    shared.count(|traffic| {
        traffic.connections += 1;
        traffic.round_trips += 1;
    });
    let server = *shared.server.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let rounds = Mutex::new(Rounds::default());
    let rounds = || rounds.lock().unwrap_or_else(PoisonError::into_inner);
    let (over, answer_is_cut, stands_still) = (Notify::new(), AtomicBool::new(false), AtomicBool::new(false));
    // What is sent is taken apart only for a halt: it may be TLS.
    let mut messages = shared.halt.borrow().is_some().then(Messages::default);
    let sent = |bytes: &[u8]| {
        if stands_still.load(Ordering::Relaxed) {
            return Some(Vec::new());
        }
        match shared.cut_at(bytes) {
            Some(Cut::Before(_)) => return None,
            Some(Cut::Answer(_)) => answer_is_cut.store(true, Ordering::Relaxed),
            None => {}
        }
        let begins = rounds().sent(Instant::now());
        shared.count(|traffic| {
            traffic.sent += bytes.len() as u64;
            traffic.round_trips += u64::from(begins);
        });
        let Some(messages) = &mut messages else { return Some(bytes.to_vec()) };
        let mut complete = messages.complete(bytes);
        if let Some(at) = complete.iter().position(|message| statement(message).is_some_and(|text| shared.halts_before(text))) {
            stands_still.store(true, Ordering::Relaxed);
            complete.truncate(at);
        }
        Some(complete.concat())
    };
    let received = |bytes: &[u8]| {
        shared.count(|traffic| traffic.received += bytes.len() as u64);
        if shared.halts_with(bytes) {
            stands_still.store(true, Ordering::Relaxed);
        }
        if stands_still.load(Ordering::Relaxed) {
            return Some(Vec::new());
        }
        (!answer_is_cut.load(Ordering::Relaxed)).then(|| bytes.to_vec())
    };
    let arrives = |due| rounds().arrived(due, shared.one_way() * 2);
    let carried = async {
        tokio::join!(
            carry(from_client, to_server, &shared, sent, |_| {}, &over),
            carry(from_server, to_client, &shared, received, arrives, &over)
        )
    };
    tokio::select! {
        _ = carried => {}
        // Both sockets close.
        () = over.notified() => {}
    }
}

/// Carries bytes one way until their source ends, or until `pass` gives nothing for some of them: then the connection is `over`. Each chunk
/// has its own delay, so that delays do not reduce throughput; `arrives` is told when it is due, right before the target gets it.
async fn carry(
    mut source: OwnedReadHalf,
    mut target: OwnedWriteHalf,
    shared: &Shared,
    mut pass: impl FnMut(&[u8]) -> Option<Vec<u8>>,
    arrives: impl Fn(Instant),
    over: &Notify,
) {
    let (chunks, mut in_flight) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let depart = async move {
        let mut buffer = vec![0; CHUNK];
        while let Ok(length @ 1..) = source.read(&mut buffer).await {
            let Some(passed) = pass(&buffer[..length]) else {
                over.notify_one();
                break;
            };
            if !passed.is_empty() && chunks.send((Instant::now() + shared.one_way(), passed)).is_err() {
                break;
            }
        }
    };
    let arrive = async move {
        while let Some((due, bytes)) = in_flight.recv().await {
            tokio::time::sleep_until(due).await;
            arrives(due);
            if target.write_all(&bytes).await.is_err() {
                break;
            }
        }
        // The other side may have disconnected already.
        let _ = target.shutdown().await;
    };
    tokio::join!(depart, arrive);
}
