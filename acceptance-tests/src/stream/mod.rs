//! A real logical-replication stream, read the way a pipe reads it: walsender protocol, `pgoutput`, one slot, one publication.

mod walsender;

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use walsender::Walsender;

/// Longer than any server takes; an event that has not come by then will not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server to connect to, and the login.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Host of the writer.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// The role that replicates.
    pub user: &'a str,
    /// Its password.
    pub password: &'a str,
    /// The database.
    pub database: &'a str,
    /// A logical slot created for `pgoutput`.
    pub slot: &'a str,
    /// The publication.
    pub publication: &'a str,
}

/// An open stream. It holds its slot until dropped.
pub struct ReplicationStream {
    inserts: UnboundedReceiver<Result<Vec<Option<String>>>>,
    /// Reads and keeps the connection alive, even if no test waits for a row.
    reader: JoinHandle<()>,
}

impl ReplicationStream {
    /// Opens the stream and waits until the server has assigned the slot.
    ///
    /// # Errors
    /// When the server refuses: the login, the replication connection, the slot.
    pub async fn open(source: Source<'_>) -> Result<Self> {
        let mut walsender = tokio::time::timeout(PATIENCE, Walsender::start(&source)).await.context("opening the stream")??;
        let (sender, inserts) = unbounded_channel();
        let reader = tokio::spawn(async move {
            loop {
                let message = walsender.next().await;
                let end = message.is_err();
                let row = match message {
                    Ok(message) if message.first() == Some(&b'I') => decode_insert(&message),
                    Ok(_) => continue,
                    Err(error) => Err(error),
                };
                if sender.send(row).is_err() || end {
                    return;
                }
            }
        });
        Ok(Self { inserts, reader })
    }

    /// The columns of the next inserted row, as text; `None` for null.
    ///
    /// # Errors
    /// When the stream ends first.
    pub async fn next_insert(&mut self) -> Result<Vec<Option<String>>> {
        tokio::time::timeout(PATIENCE, self.inserts.recv()).await.context("waiting for a row")?.context("the stream ended")?
    }
}

impl Drop for ReplicationStream {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// `pgoutput`'s Insert: `I`, the relation's oid, `N`, the number of columns, and each as `n`, `u` or `t` with its text.
fn decode_insert(message: &[u8]) -> Result<Vec<Option<String>>> {
    let mut rest = message.get(6..).context("short message")?;
    let mut take = |count: usize| -> Result<&[u8]> {
        let (taken, left) = rest.split_at_checked(count).context("short message")?;
        rest = left;
        Ok(taken)
    };
    let columns = u16::from_be_bytes(take(2)?.try_into()?);
    let mut row = Vec::new();
    for _ in 0..columns {
        row.push(match take(1)? {
            b"t" => {
                let length = u32::from_be_bytes(take(4)?.try_into()?);
                Some(String::from_utf8(take(usize::try_from(length)?)?.to_vec())?)
            }
            _ => None,
        });
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insert_is_decoded_and_a_short_one_is_an_error() {
        let message = b"I\0\0\x40\0N\0\x02t\0\0\0\x0242n";
        assert_eq!(decode_insert(message).unwrap(), [Some("42".to_owned()), None]);
        assert!(decode_insert(&message[..12]).is_err());
    }
}
