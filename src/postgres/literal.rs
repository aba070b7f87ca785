//! String literals, for the statements in which the server takes no parameters.

use std::fmt;

/// A string as an SQL literal. It means the same under any `standard_conforming_strings`: a text with a backslash is
/// written as `E'...'`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal<'a>(pub &'a str);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doubled = self.0.replace('\'', "''");
        if doubled.contains('\\') { write!(f, "E'{}'", doubled.replace('\\', "\\\\")) } else { write!(f, "'{doubled}'") }
    }
}

#[cfg(test)]
mod tests {
    use super::Literal;

    #[test]
    fn is_safe_whatever_it_contains() {
        for (text, sql) in [
            ("", "''"),
            ("plain", "'plain'"),
            ("it's", "'it''s'"),
            ("back\\slash", "E'back\\\\slash'"),
            ("\\'; DROP", "E'\\\\''; DROP'"),
            ("Ω\n", "'Ω\n'"),
        ] {
            assert_eq!(Literal(text).to_string(), sql);
        }
    }
}
