//! A statement that hides its secrets when shown.

use std::fmt;

use postgres_protocol::escape::escape_literal;

use super::identifier::Identifier;
use crate::printable::printable_line;
use crate::secret::Secret;

/// Replaces a secret in a statement that is shown.
const REDACTED: &str = "<redacted>";

/// SQL text to run, and the same text with `<redacted>` in place of its secrets. `Display` and `Debug` give the latter.
#[derive(Clone, PartialEq, Eq)]
pub struct Statement {
    text: Secret,
    display: String,
    has_secret: bool,
}

impl Statement {
    /// A statement without secrets.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { display: printable_line(&text), text: Secret::new(text), has_secret: false }
    }

    /// Appends SQL that may be shown.
    #[must_use]
    pub fn then(self, sql: impl fmt::Display) -> Self {
        let sql = sql.to_string();
        Self {
            text: Secret::new(format!("{}{sql}", self.text.expose())),
            display: self.display + &printable_line(&sql),
            has_secret: self.has_secret,
        }
    }

    /// Appends a string literal whose text must not be shown.
    #[must_use]
    pub fn then_secret(self, secret: &Secret) -> Self {
        Self {
            text: Secret::new(format!("{}{}", self.text.expose(), escape_literal(secret.expose()))),
            display: format!("{}'{REDACTED}'", self.display),
            has_secret: true,
        }
    }

    /// This statement, run as another role that the admin may act for.
    pub fn acting_as(self, role: &Identifier) -> Vec<Self> {
        vec![Self::new(format!("SET LOCAL ROLE {role}")), self, Self::new("SET LOCAL ROLE NONE")]
    }

    /// The text for the server. Only `transaction` uses it.
    pub(super) fn text(&self) -> &str {
        self.text.expose()
    }

    /// Whether its text has a secret.
    pub(super) fn has_secret(&self) -> bool {
        self.has_secret
    }

    /// The text for people.
    pub fn display(&self) -> &str {
        &self.display
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display)
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Statement").field(&self.display).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_safe_whatever_it_contains() {
        for (text, sql) in [
            ("", "''"),
            ("plain", "'plain'"),
            ("it's", "'it''s'"),
            ("back\\slash", " E'back\\\\slash'"),
            ("\\'; DROP", " E'\\\\''; DROP'"),
            ("Ω\n", "'Ω\n'"),
        ] {
            assert_eq!(Statement::new("").then_secret(&Secret::new(text)).text(), sql);
        }
    }

    #[test]
    fn shows_everything_but_its_secrets() {
        let statement = Statement::new("ALTER ROLE \"x\" PASSWORD ").then_secret(&Secret::new("it's")).then(" VALID");
        assert_eq!(statement.text(), "ALTER ROLE \"x\" PASSWORD 'it''s' VALID");
        assert_eq!(statement.to_string(), "ALTER ROLE \"x\" PASSWORD '<redacted>' VALID");
        assert_eq!(format!("{statement:?}"), "Statement(\"ALTER ROLE \\\"x\\\" PASSWORD '<redacted>' VALID\")");
    }
}
