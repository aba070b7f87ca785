//! A name server on an address of loopback, for resolvers that know no other port than 53.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

const PORT: u16 = 53;
/// The type of a record with an IPv4 address.
const TYPE_A: [u8; 2] = [0, 1];
/// What is before the question.
const HEADER: usize = 12;

/// Answers every question with its own address, and remembers the names.
pub(crate) struct NameServer {
    address: Ipv4Addr,
    asked: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl NameServer {
    /// # Errors
    /// If the port cannot be opened.
    pub(crate) async fn start() -> Result<Self> {
        // An address for each server, so that neither two tests nor two runs meet.
        static STARTED: AtomicU8 = AtomicU8::new(0);
        let [.., high, low] = std::process::id().to_be_bytes();
        let address = Ipv4Addr::new(127, 53 + STARTED.fetch_add(1, Ordering::Relaxed), high, low.max(1));
        let socket = UdpSocket::bind((address, PORT)).await.with_context(|| {
            format!(
                "cannot open port {PORT} of {address}, the only one on which the C library asks a name server: run as root, or allow \
                 it with `sysctl -w net.ipv4.ip_unprivileged_port_start={PORT}`"
            )
        })?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let serving = tokio::spawn(serve(socket, address, Arc::clone(&asked)));
        Ok(Self { address, asked, serving })
    }

    /// Where it listens, and where every name is.
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The names that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().map(|asked| asked.clone()).unwrap_or_default()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(socket: UdpSocket, address: Ipv4Addr, asked: Arc<Mutex<Vec<String>>>) {
    let mut buffer = [0; 512];
    while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
        let Some((name, answer)) = answer(&buffer[..length], address) else { continue };
        if let Ok(mut asked) = asked.lock() {
            asked.push(name);
        }
        if socket.send_to(&answer, client).await.is_err() {
            return;
        }
    }
}

/// The name in a question, and the answer to it: the address, or nothing if another type of record was asked for.
fn answer(question: &[u8], address: Ipv4Addr) -> Option<(String, Vec<u8>)> {
    let mut labels = Vec::new();
    let mut at = HEADER;
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(question.get(at..at + length)?).into_owned());
        at += length;
    }
    let has_address = question.get(at..at + 2)? == TYPE_A;
    let mut answer = question.get(..2)?.to_vec();
    // An answer without error, with one question, and no further sections than that of the answers.
    answer.extend([0x81, 0x80, 0, 1, 0, u8::from(has_address), 0, 0, 0, 0]);
    answer.extend(question.get(HEADER..at + 4)?);
    if has_address {
        // The name of the question, type A, class IN, valid for a minute, four bytes.
        answer.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address.octets());
    }
    Some((labels.join("."), answer))
}
