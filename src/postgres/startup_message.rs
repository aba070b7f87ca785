//! A startup message that asks for a replication connection, which the driver cannot write: it is changed on its way.

use std::io;

/// What makes a session a walsender for the database that it names.
const PARAMETER: &[u8] = b"replication\0database\0";
/// Length and protocol version.
const HEADER: usize = 8;

/// The driver's first message, changed.
#[derive(Debug, Default)]
pub(super) struct Changed {
    bytes: Vec<u8>,
    /// How much of it has been sent.
    sent: usize,
    /// The length of the driver's own.
    taken: usize,
}

impl Changed {
    /// What is left to send. `buffer` is what the driver sends, the whole message at once.
    ///
    /// # Errors
    /// It is not a startup message.
    pub(super) fn rest(&mut self, buffer: &[u8]) -> io::Result<&[u8]> {
        if self.bytes.is_empty() {
            *self = Self::of(buffer).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a startup message"))?;
        }
        Ok(self.bytes.get(self.sent..).unwrap_or_default())
    }

    /// So much more has been sent. Returns the length of the driver's message once it is all.
    pub(super) fn advance(&mut self, sent: usize) -> Option<usize> {
        self.sent += sent;
        (self.sent >= self.bytes.len()).then_some(self.taken)
    }

    fn of(buffer: &[u8]) -> Option<Self> {
        let length = usize::try_from(u32::from_be_bytes(*buffer.first_chunk()?)).ok()?;
        let (message, 0) = (buffer.get(..length)?, *buffer.get(length.checked_sub(1)?)?) else { return None };
        let parameters = message.get(HEADER..length - 1)?;
        let longer = u32::try_from(length + PARAMETER.len()).ok()?;
        let bytes = [&longer.to_be_bytes()[..], message.get(4..HEADER)?, parameters, PARAMETER, &[0]].concat();
        Some(Self { bytes, sent: 0, taken: length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_comes_last_and_is_counted() {
        let message = b"\0\0\0\x10\0\x03\0\0user\0a\0\0";
        let mut changed = Changed::default();
        let sent = changed.rest(message).unwrap().to_vec();
        assert_eq!(sent, b"\0\0\0\x25\0\x03\0\0user\0a\0replication\0database\0\0");
        assert_eq!((changed.advance(3), changed.rest(message).unwrap().len()), (None, sent.len() - 3));
        assert_eq!(changed.advance(sent.len() - 3), Some(message.len()));
    }

    #[test]
    fn anything_else_is_refused() {
        for other in [&b""[..], b"\0\0\0", b"\0\0\0\x10\0\x03\0\0user\0", b"\0\0\0\0\0\x03\0\0", b"\0\0\0\x09\0\x03\0\0x"] {
            assert!(Changed::default().rest(other).is_err(), "{other:?}");
        }
    }
}
