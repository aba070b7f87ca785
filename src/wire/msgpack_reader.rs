//! msgpack as a sequence of tokens. Nothing is allocated and nothing recurses here: an announced length is trusted only if the
//! rest of the message could hold it.

/// The next token of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Nil,
    Bool(bool),
    Integer(i64),
    /// Beyond what [`Token::Integer`] holds.
    Unsigned(u64),
    Float(f64),
    /// Should be UTF-8; not checked.
    Text(&'a [u8]),
    Bytes(&'a [u8]),
    /// This many values follow.
    Array(usize),
    /// This many pairs of values follow.
    Map(usize),
    /// Of any code; its body is skipped.
    Extension,
}

/// Bytes that are not msgpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("it ends in the middle of a value")]
    Truncated,
    #[error("a reserved code")]
    Reserved,
}

/// Reads a message from its beginning.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn token(&mut self) -> Result<Token<'a>, Malformed> {
        let [code] = self.array()?;
        Ok(match code {
            0x00..=0x7f => Token::Integer(i64::from(code)),
            0x80..=0x8f => self.map(usize::from(code & 0x0f))?,
            0x90..=0x9f => self.list(usize::from(code & 0x0f))?,
            0xa0..=0xbf => Token::Text(self.take(usize::from(code & 0x1f))?),
            0xc0 => Token::Nil,
            0xc1 => return Err(Malformed::Reserved),
            0xc2 | 0xc3 => Token::Bool(code == 0xc3),
            0xc4..=0xc6 => {
                let length = self.length(code - 0xc4)?;
                Token::Bytes(self.take(length)?)
            }
            0xc7..=0xc9 => {
                let length = self.length(code - 0xc7)?;
                self.extension(length)?
            }
            0xca => Token::Float(f64::from(f32::from_be_bytes(self.array()?))),
            0xcb => Token::Float(f64::from_be_bytes(self.array()?)),
            0xcc => Token::Integer(i64::from(u8::from_be_bytes(self.array()?))),
            0xcd => Token::Integer(i64::from(u16::from_be_bytes(self.array()?))),
            0xce => Token::Integer(i64::from(u32::from_be_bytes(self.array()?))),
            0xcf => {
                let unsigned = u64::from_be_bytes(self.array()?);
                i64::try_from(unsigned).map_or(Token::Unsigned(unsigned), Token::Integer)
            }
            0xd0 => Token::Integer(i64::from(i8::from_be_bytes(self.array()?))),
            0xd1 => Token::Integer(i64::from(i16::from_be_bytes(self.array()?))),
            0xd2 => Token::Integer(i64::from(i32::from_be_bytes(self.array()?))),
            0xd3 => Token::Integer(i64::from_be_bytes(self.array()?)),
            0xd4..=0xd8 => self.extension(1 << (code - 0xd4))?,
            0xd9..=0xdb => {
                let length = self.length(code - 0xd9)?;
                Token::Text(self.take(length)?)
            }
            0xdc | 0xdd => {
                let length = self.length(code - 0xdc + 1)?;
                self.list(length)?
            }
            0xde | 0xdf => {
                let length = self.length(code - 0xde + 1)?;
                self.map(length)?
            }
            0xe0..=0xff => Token::Integer(i64::from(i8::from_be_bytes([code]))),
        })
    }

    /// A length of 1, 2 or 4 bytes for `width` 0, 1 or 2.
    fn length(&mut self, width: u8) -> Result<usize, Malformed> {
        let length = match width {
            0 => u32::from(u8::from_be_bytes(self.array()?)),
            1 => u32::from(u16::from_be_bytes(self.array()?)),
            _ => u32::from_be_bytes(self.array()?),
        };
        usize::try_from(length).map_err(|_| Malformed::Truncated)
    }

    fn list(&self, length: usize) -> Result<Token<'a>, Malformed> {
        // Every value takes at least one byte.
        if length > self.rest.len() { Err(Malformed::Truncated) } else { Ok(Token::Array(length)) }
    }

    fn map(&self, length: usize) -> Result<Token<'a>, Malformed> {
        if length > self.rest.len() / 2 { Err(Malformed::Truncated) } else { Ok(Token::Map(length)) }
    }

    fn extension(&mut self, length: usize) -> Result<Token<'a>, Malformed> {
        self.take(1)?;
        self.take(length)?;
        Ok(Token::Extension)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_length_must_fit_into_the_message() {
        for announced in [
            &[0xdd, 0xff, 0xff, 0xff, 0xff][..],
            &[0xdf, 0xff, 0xff, 0xff, 0xff],
            &[0xdb, 0xff, 0xff, 0xff, 0xff, b'x'],
            &[0xc6, 0xff, 0xff, 0xff, 0xff],
            &[0xc9, 0xff, 0xff, 0xff, 0xff, 0x0c],
            &[0x92, 0xc0],
            &[0x81, 0xa0],
            &[0xd8, 0x00, 0x00],
        ] {
            assert_eq!(Reader::new(announced).token(), Err(Malformed::Truncated), "{announced:02x?}");
        }
    }

    #[test]
    fn the_reserved_code_is_no_value() {
        assert_eq!(Reader::new(&[0xc1]).token(), Err(Malformed::Reserved));
    }
}
