//! The messages that one client sends, in clear text: complete ones, and the statement in each.

/// The first message has no letter: its length, then this version, or a request such as the one for TLS.
const PROTOCOL_3: [u8; 4] = [0, 3, 0, 0];

/// What a client sends, put together to messages.
#[derive(Debug, Default)]
pub(super) struct Messages {
    incomplete: Vec<u8>,
    /// The session has begun: each message has a letter.
    begun: bool,
}

impl Messages {
    /// The messages that these bytes complete, in their order.
    pub(super) fn complete(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.incomplete.extend_from_slice(bytes);
        std::iter::from_fn(|| self.next()).collect()
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        let letters = usize::from(self.begun);
        let length: [u8; 4] = self.incomplete.get(letters..letters + 4)?.try_into().ok()?;
        let end = letters + usize::try_from(u32::from_be_bytes(length)).ok()?;
        if self.incomplete.len() < end {
            return None;
        }
        let rest = self.incomplete.split_off(end);
        let message = std::mem::replace(&mut self.incomplete, rest);
        self.begun |= message.get(4..8) == Some(&PROTOCOL_3);
        Some(message)
    }
}

/// The statement that a message sends or prepares.
pub(super) fn statement(message: &[u8]) -> Option<&str> {
    let (letter, content) = (message.first()?, message.get(5..)?);
    let text = match letter {
        b'Q' => content.split(|byte| *byte == 0).next(),
        // The name of the statement comes first.
        b'P' => content.split(|byte| *byte == 0).nth(1),
        _ => None,
    }?;
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(letter: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 4).unwrap().to_be_bytes();
        [&[letter][..], &length, content].concat()
    }

    #[test]
    fn messages_are_found_however_they_are_cut() {
        let startup = message(0, b"\0\x03\0\0user\0admin\0\0")[1..].to_vec();
        let sent = [startup, message(b'Q', b"BEGIN\0"), message(b'P', b"s1\0DROP ROLE a\0\0\0"), message(b'S', b"")];
        let bytes = sent.concat();
        for size in 1..bytes.len() {
            let mut messages = Messages::default();
            let found: Vec<Vec<u8>> = bytes.chunks(size).flat_map(|chunk| messages.complete(chunk)).collect();
            assert_eq!(found, sent, "in pieces of {size}");
        }
        let statements: Vec<_> = sent[1..].iter().map(|message| statement(message)).collect();
        assert_eq!(statements, [Some("BEGIN"), Some("DROP ROLE a"), None]);
    }
}
