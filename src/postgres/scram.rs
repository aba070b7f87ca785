//! SCRAM-SHA-256 verifiers: sent instead of a password, so that its clear text never reaches the server or its log.

use postgres_protocol::password::scram_sha_256;

use crate::secret::Secret;

/// The verifier of a password, with a fresh random salt, in the form that `PASSWORD '...'` accepts and stores as it is.
pub fn verifier(password: &Secret) -> Secret {
    Secret::new(scram_sha_256(password.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_salted_and_does_not_contain_the_password() {
        let password = Secret::new("correct horse");
        let first = verifier(&password);
        assert!(first.expose().starts_with("SCRAM-SHA-256$4096:"), "{}", first.expose());
        assert!(!first.expose().contains("correct"));
        assert_ne!(first, verifier(&password));
    }
}
