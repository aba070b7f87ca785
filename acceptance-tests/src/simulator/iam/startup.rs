//! The first messages of a client of Postgres, and the answers that it may get instead of the server's.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;
/// Postgres's own limit.
const LONGEST_STARTUP: u32 = 10_000;
/// A token with a session token takes two kilobytes.
const LONGEST_PASSWORD: u32 = 65_536;

/// How a client begins.
#[derive(Debug)]
pub(super) enum First {
    /// It asks for TLS.
    Ssl,
    /// It asks for encryption by GSSAPI.
    Gss,
    /// It wants to cancel a statement: the whole message.
    Cancel(Vec<u8>),
    /// It logs in.
    Startup(Startup),
}

/// A startup message.
#[derive(Debug)]
pub(super) struct Startup {
    /// Unchanged.
    pub(super) message: Vec<u8>,
    parameters: Vec<(String, String)>,
}

impl Startup {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn user(&self) -> &str {
        self.parameter("user").unwrap_or_default()
    }

    /// Whether it requests a walsender, physical or logical.
    pub(super) fn is_replication(&self) -> bool {
        self.parameter("replication").is_some_and(|value| !["false", "off", "no", "0"].contains(&value.to_lowercase().as_str()))
    }
}

/// Reads the first message, or the one after an answered request for encryption.
pub(super) async fn read(client: &mut (impl AsyncRead + Unpin)) -> Result<First> {
    let length = client.read_u32().await?;
    if !(8..=LONGEST_STARTUP).contains(&length) {
        return Err(Error::from(ErrorKind::InvalidData));
    }
    let mut message = length.to_be_bytes().to_vec();
    message.resize(length as usize, 0);
    client.read_exact(&mut message[4..]).await?;
    let code = u32::from_be_bytes([message[4], message[5], message[6], message[7]]);
    Ok(match code {
        SSL_REQUEST => First::Ssl,
        GSS_REQUEST => First::Gss,
        CANCEL_REQUEST => First::Cancel(message),
        _ => {
            let texts: Vec<String> =
                message[8..].split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned()).collect();
            let pairs = texts.chunks_exact(2).take_while(|pair| !pair[0].is_empty());
            let parameters = pairs.map(|pair| (pair[0].clone(), pair[1].clone())).collect();
            First::Startup(Startup { message, parameters })
        }
    })
}

/// The request for TLS.
pub(super) fn ssl_request() -> [u8; 8] {
    let mut message = [0, 0, 0, 8, 0, 0, 0, 0];
    message[4..].copy_from_slice(&SSL_REQUEST.to_be_bytes());
    message
}

/// Requests a password in clear text, and reads it.
pub(super) async fn ask_password(client: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<String> {
    client.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 3]).await?;
    client.flush().await?;
    let tag = client.read_u8().await?;
    let length = client.read_u32().await?;
    if tag != b'p' || !(5..=LONGEST_PASSWORD).contains(&length) {
        return Err(Error::from(ErrorKind::InvalidData));
    }
    let mut text = vec![0; length as usize - 4];
    client.read_exact(&mut text).await?;
    text.pop();
    String::from_utf8(text).map_err(|_| Error::from(ErrorKind::InvalidData))
}

/// Ends a login as Postgres does when PAM refuses it.
pub(super) async fn refuse(client: &mut (impl AsyncWrite + Unpin), user: &str) -> Result<()> {
    let mut fields = Vec::new();
    let text = format!("PAM authentication failed for user \"{user}\"");
    for (letter, value) in [(b'S', "FATAL"), (b'V', "FATAL"), (b'C', "28000"), (b'M', text.as_str())] {
        fields.push(letter);
        fields.extend_from_slice(value.as_bytes());
        fields.push(0);
    }
    fields.push(0);
    client.write_u8(b'E').await?;
    client.write_u32(u32::try_from(fields.len() + 4).map_err(|_| Error::from(ErrorKind::InvalidData))?).await?;
    client.write_all(&fields).await?;
    client.flush().await?;
    client.shutdown().await
}
