//! What is accepted from a server, judged by the headers of its messages as they arrive: before the driver answers a request for a
//! password, and before it reserves memory for what it reads. Pure.

/// The most that one answer may have in total: far beyond the largest catalogue, and little enough to be kept in memory.
const LARGEST_ANSWER: u64 = 256 << 20;
/// An answer to several questions at once is a single message.
const LONGEST_MESSAGE: u32 = 192 << 20;
const MOST_MESSAGES: u64 = 2_000_000;

const AUTHENTICATION: u8 = b'R';
const READY_FOR_QUERY: u8 = b'Z';
/// With what a server may begin: a request to log in, an error, another protocol version.
const BEGINNINGS: [u8; 3] = [AUTHENTICATION, b'E', b'v'];
/// Tag and length.
const HEADER: usize = 5;
/// The same, with the code of a request to log in.
const REQUEST: usize = 9;
const CLEAR_TEXT: u32 = 3;
const MD5: u32 = 5;

/// What a server sent that is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// A request for the password in clear text, from a server that is not verified.
    #[error("it asks for the password in clear text")]
    ClearText,
    /// A request for the md5 hash of the password, from a server that is not verified. The hash is as good as the password.
    #[error("it asks for the password as an md5 hash")]
    Md5,
    /// An error in place of the answer to the request for TLS. Its text may be anybody's.
    #[error("it answers the request for TLS with an error")]
    NoTls,
    /// The first message is none of the protocol.
    #[error("its answer is not of the PostgreSQL protocol")]
    Foreign,
    /// A message longer than any that is expected.
    #[error("it announced a message of {0} bytes, and the provider reads at most 192 MiB")]
    LongMessage(u32),
    /// An answer larger than any that is expected.
    #[error("its answer has no end: the provider reads at most 256 MiB or two million rows")]
    EndlessAnswer,
}

impl Breach {
    /// Whether it is a request for a password.
    pub fn is_about_a_password(self) -> bool {
        matches!(self, Self::ClearText | Self::Md5)
    }
}

/// Judges the answer to the request for TLS, which is a single byte.
pub(super) fn judge_tls(answer: u8) -> Result<(), Breach> {
    match answer {
        b'S' | b'N' => Ok(()),
        b'E' => Err(Breach::NoTls),
        _ => Err(Breach::Foreign),
    }
}

/// Follows the messages of one connection.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// Whether the server may have the password in a form that others can use.
    trusted: bool,
    /// The beginning of the current message.
    header: Vec<u8>,
    /// How much of the current message is still to come.
    left: u64,
    begun: bool,
    bytes: u64,
    messages: u64,
    breached: Option<Breach>,
}

impl Guard {
    pub(super) fn new(trusted: bool) -> Self {
        Self { trusted, ..Self::default() }
    }

    /// Judges the next bytes of the stream. After a breach nothing is accepted.
    pub(super) fn accept(&mut self, mut bytes: &[u8]) -> Result<(), Breach> {
        if let Some(breach) = self.breached {
            return Err(breach);
        }
        while !bytes.is_empty() {
            if self.left > 0 {
                let skipped = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.header.push(bytes[0]);
            bytes = &bytes[1..];
            if let Err(breach) = self.judge() {
                self.breached = Some(breach);
                return Err(breach);
            }
        }
        Ok(())
    }

    /// Judges the message whose header has just grown.
    fn judge(&mut self) -> Result<(), Breach> {
        let tag = self.header[0];
        if !self.begun && !BEGINNINGS.contains(&tag) {
            return Err(Breach::Foreign);
        }
        let Some(length) = number(&self.header, 1) else { return Ok(()) };
        if self.header.len() == HEADER {
            if length > LONGEST_MESSAGE {
                return Err(if self.begun { Breach::LongMessage(length) } else { Breach::Foreign });
            }
            self.begun = true;
            self.bytes += u64::from(length);
            self.messages += 1;
            if self.bytes > LARGEST_ANSWER || self.messages > MOST_MESSAGES {
                return Err(Breach::EndlessAnswer);
            }
        }
        // A length of less than its own four bytes is for the driver to refuse.
        let body = u64::from(length.saturating_sub(4));
        if tag == AUTHENTICATION && body >= 4 {
            match number(&self.header, HEADER) {
                None => return Ok(()),
                Some(CLEAR_TEXT) if !self.trusted => return Err(Breach::ClearText),
                Some(MD5) if !self.trusted => return Err(Breach::Md5),
                Some(_) => self.left = body - (REQUEST - HEADER) as u64,
            }
        } else {
            self.left = body;
        }
        if tag == READY_FOR_QUERY {
            (self.bytes, self.messages) = (0, 0);
        }
        self.header.clear();
        Ok(())
    }
}

/// The four bytes at `place` as a number, if they are there.
fn number(header: &[u8], place: usize) -> Option<u32> {
    header.get(place..place + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[tag][..], &length.to_be_bytes(), body].concat()
    }

    fn request(code: u32, more: &[u8]) -> Vec<u8> {
        message(b'R', &[&code.to_be_bytes()[..], more].concat())
    }

    /// Whole, and byte by byte: a stream has no borders.
    fn judged(trusted: bool, stream: &[u8]) -> Result<(), Breach> {
        let whole = Guard::new(trusted).accept(stream);
        let mut guard = Guard::new(trusted);
        let bytewise = stream.chunks(1).try_for_each(|byte| guard.accept(byte));
        assert_eq!(whole, bytewise);
        whole
    }

    #[test]
    fn a_password_in_a_form_that_others_can_use_is_for_a_verified_server_only() {
        for (code, more, breach) in [(3, &[][..], Breach::ClearText), (5, b"salt", Breach::Md5)] {
            assert_eq!(judged(false, &request(code, more)), Err(breach));
            let later = [message(b'v', &[0; 8]), request(code, more)].concat();
            assert_eq!(judged(false, &later), Err(breach), "after another message");
            assert_eq!(judged(true, &later), Ok(()));
        }
        let scram = [request(10, b"SCRAM-SHA-256\0\0"), request(11, b"r=x"), request(12, b"v=x"), request(0, &[])].concat();
        assert_eq!(judged(false, &scram), Ok(()));
    }

    #[test]
    fn what_is_announced_too_long_is_not_read() {
        let begun = request(0, &[]);
        let long = [begun.clone(), vec![b'D', 0x7f, 0xff, 0xff, 0xff]].concat();
        assert_eq!(judged(true, &long), Err(Breach::LongMessage(0x7fff_ffff)));
        let longest = [begun, vec![b'D'], LONGEST_MESSAGE.to_be_bytes().to_vec()].concat();
        assert_eq!(judged(true, &longest), Ok(()));
    }

    #[test]
    fn who_does_not_begin_like_postgres_is_foreign() {
        for other in [&b"HTTP/1.1 400 Bad Request\r\n"[..], b"SSH-2.0-OpenSSH\r\n", b"EHLO there", &[0x15, 3, 3]] {
            assert_eq!(judged(true, other), Err(Breach::Foreign));
        }
    }

    #[test]
    fn the_answer_to_the_request_for_tls_is_yes_or_no() {
        let answers = [b'S', b'N', b'E', b'H', 0x15].map(judge_tls);
        assert_eq!(answers, [Ok(()), Ok(()), Err(Breach::NoTls), Err(Breach::Foreign), Err(Breach::Foreign)]);
    }

    #[test]
    fn an_answer_ends_sometime() {
        let mut guard = Guard::new(true);
        guard.accept(&request(0, &[])).unwrap();
        let row = message(b'D', &[0, 0]);
        let many = row.repeat(usize::try_from(MOST_MESSAGES / 2).unwrap());
        guard.accept(&many).unwrap();
        guard.accept(&message(b'Z', b"I")).unwrap();
        guard.accept(&many).unwrap();
        assert_eq!(guard.accept(&many).and_then(|()| guard.accept(&row)), Err(Breach::EndlessAnswer));
        assert_eq!(guard.accept(&message(b'Z', b"I")), Err(Breach::EndlessAnswer), "for good");

        let mut guard = Guard::new(true);
        guard.accept(&request(0, &[])).unwrap();
        let wide = message(b'D', &vec![0; 32 << 20]);
        let read = (0..9).take_while(|_| guard.accept(&wide).is_ok()).count();
        assert_eq!(read, 7);
    }
}
