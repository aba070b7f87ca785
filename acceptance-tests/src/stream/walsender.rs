//! A connection to a walsender: login, start of the stream, and the messages that keep it alive. Written here because it must
//! open streams on every server from PostgreSQL 12 on, and existing clients use options of `pgoutput` that 12 and 13 do not know.

use anyhow::{Context as _, Result, bail, ensure};
use bytes::BytesMut;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::Source;
use crate::postgres_server::quoted;

/// A connection in replication mode.
pub(super) struct Walsender(BufReader<TcpStream>);

/// A message of the server: its letter, and the content after the length.
struct Message {
    tag: u8,
    body: Vec<u8>,
}

impl Walsender {
    /// Logs in and starts the stream at the position that the slot has confirmed.
    pub(super) async fn start(source: &Source<'_>) -> Result<Self> {
        let socket = TcpStream::connect((source.host, source.port)).await.context("connecting")?;
        let mut walsender = Self(BufReader::new(socket));
        walsender.log_in(source).await.context("logging in")?;
        let slot = quoted(source.slot, '"');
        let publication = quoted(&quoted(source.publication, '"'), '\'');
        let command =
            format!("START_REPLICATION SLOT {slot} LOGICAL 0/0 (\"proto_version\" '1', \"publication_names\" {publication})");
        walsender.send(|buffer| frontend::query(&command, buffer)).await?;
        // CopyBothResponse: the slot is ours.
        walsender.wait_for(b'W').await.context("starting the stream")?;
        Ok(walsender)
    }

    /// The next message of `pgoutput`.
    pub(super) async fn next(&mut self) -> Result<Vec<u8>> {
        loop {
            let Message { tag, body } = self.receive().await?;
            match (tag, body.first()) {
                // XLogData: two positions and a time come before the payload.
                (b'd', Some(b'w')) => return Ok(body.get(25..).context("short message")?.to_vec()),
                // A keepalive says how far the server is, and may ask for an answer.
                (b'd', Some(b'k')) if body.get(17) == Some(&1) => {
                    self.report(body.get(1..9).context("short message")?).await?;
                }
                (b'c' | b'C', _) => bail!("the stream ended"),
                _ => {}
            }
        }
    }

    /// Reports that everything up to this position has been received. Nothing is confirmed: the slot keeps its position.
    async fn report(&mut self, received: &[u8]) -> Result<()> {
        let mut message = vec![b'd', 0, 0, 0, 38, b'r'];
        message.extend_from_slice(received);
        message.resize(message.len() + 25, 0);
        Ok(self.0.write_all(&message).await?)
    }

    async fn log_in(&mut self, source: &Source<'_>) -> Result<()> {
        let parameters = [("user", source.user), ("database", source.database), ("replication", "database")];
        self.send(|buffer| frontend::startup_message(parameters, buffer)).await?;
        let mut scram = ScramSha256::new(source.password.as_bytes(), ChannelBinding::unsupported());
        loop {
            let body = self.wait_for(b'R').await?;
            let (code, rest) = body.split_first_chunk().context("short message")?;
            match i32::from_be_bytes(*code) {
                0 => break,
                5 => {
                    let salt = rest.try_into().context("no salt")?;
                    let hash = md5_hash(source.user.as_bytes(), source.password.as_bytes(), salt);
                    self.send(|buffer| frontend::password_message(hash.as_bytes(), buffer)).await?;
                }
                10 => self.send(|buffer| frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), buffer)).await?,
                11 => {
                    scram.update(rest)?;
                    self.send(|buffer| frontend::sasl_response(scram.message(), buffer)).await?;
                }
                12 => scram.finish(rest)?,
                other => bail!("the server wants authentication {other}, which this client does not speak"),
            }
        }
        // ReadyForQuery.
        self.wait_for(b'Z').await.map(drop)
    }

    /// Skips messages up to one of this letter.
    async fn wait_for(&mut self, tag: u8) -> Result<Vec<u8>> {
        loop {
            let message = self.receive().await?;
            if message.tag == tag {
                return Ok(message.body);
            }
        }
    }

    async fn receive(&mut self) -> Result<Message> {
        let tag = self.0.read_u8().await.context("the server closed the connection")?;
        let length = usize::try_from(self.0.read_i32().await?)?;
        ensure!(length >= 4, "a message of {length} bytes");
        let mut body = vec![0; length - 4];
        self.0.read_exact(&mut body).await?;
        if tag == b'E' {
            bail!("{}", error_message(&body));
        }
        Ok(Message { tag, body })
    }

    async fn send(&mut self, write: impl FnOnce(&mut BytesMut) -> std::io::Result<()>) -> Result<()> {
        let mut buffer = BytesMut::new();
        write(&mut buffer)?;
        Ok(self.0.write_all(&buffer).await?)
    }
}

/// The text and the SQLSTATE of an ErrorResponse: fields of a letter and a text, each with a zero at its end.
fn error_message(body: &[u8]) -> String {
    let field = |letter: u8| {
        let found = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&letter));
        found.map_or_else(String::new, |field| String::from_utf8_lossy(&field[1..]).into_owned())
    };
    format!("{} (SQLSTATE {})", field(b'M'), field(b'C'))
}

#[cfg(test)]
mod tests {
    use super::error_message;

    #[test]
    fn an_error_is_its_text_and_its_sqlstate() {
        assert_eq!(error_message(b"SFATAL\0C42501\0Mno such thing\0\0"), "no such thing (SQLSTATE 42501)");
    }
}
