//! Texts that must not be in any log: passwords, values of secrets, secret keys, session tokens.

use anyhow::{Context, Result};

/// What RDS accepts in a master user's password: any printable ASCII except `/`, `@`, `"` and space. Generated passwords also
/// contain no quotes and no `\`, like those that Secrets Manager generates for RDS.
const OF_PASSWORDS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,-.:;<=>?[]^_{|}~";
const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A text that its Debug does not show.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretText(String);

impl SecretText {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A password like those of RDS: 28 random characters.
    pub(crate) fn random_password() -> Result<Self> {
        random(28, OF_PASSWORDS).map(Self)
    }

    /// A secret key or a part of a session token.
    pub(crate) fn random_key(length: usize) -> Result<Self> {
        random_name(length).map(Self)
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Unique letters and digits.
pub(crate) fn random_name(length: usize) -> Result<String> {
    random(length, ALPHANUMERIC)
}

/// A random UUID, as versions of secrets have.
pub(crate) fn random_uuid() -> Result<String> {
    let text = random(32, b"0123456789abcdef")?;
    Ok(format!("{}-{}-4{}-8{}-{}", &text[..8], &text[8..12], &text[13..16], &text[17..20], &text[20..]))
}

fn random(length: usize, alphabet: &[u8]) -> Result<String> {
    let mut bytes = vec![0; length];
    aws_lc_rs::rand::fill(&mut bytes).ok().context("the machine gives no random bytes")?;
    // Not evenly distributed, which does not matter here.
    Ok(bytes.into_iter().map(|byte| char::from(alphabet[usize::from(byte) % alphabet.len()])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_in_its_debug_text() {
        let password = SecretText::random_password().unwrap();
        assert_eq!(password.reveal().len(), 28);
        assert!(!format!("{password:?}").contains(password.reveal()));
    }

    #[test]
    fn a_uuid_has_the_form_of_one() {
        let lengths: Vec<usize> = random_uuid().unwrap().split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }
}
