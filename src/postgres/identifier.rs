//! Names as the catalogue has them, and the text forms a practitioner writes them in.
//!
//! A raw catalogue name is never folded to lower case and a double quote in it is a character like any other.
//! SQL gets a name only through `Display`, which always quotes. Whatever controls a terminal or breaks a line is written with
//! SQL's Unicode escapes, so that a statement in a plan is both safe to look at and exactly the one that runs.

use std::fmt;
use std::str::FromStr;

use postgres_protocol::escape::escape_identifier;
use serde::{Deserialize, Serialize};

use crate::printable::is_harmless;

/// The longest name that a server keeps whole (`NAMEDATALEN` - 1), in bytes.
pub const MAX_BYTES: usize = 63;

/// Why a text cannot be used as the name of a database object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentifier {
    /// The name has no characters.
    #[error("the name is empty")]
    Empty,
    /// PostgreSQL cannot store the character NUL.
    #[error("the name contains the character NUL, which PostgreSQL cannot store")]
    Nul,
    /// The server would cut the name off and then not find it again.
    #[error("the name is {bytes} bytes long; PostgreSQL keeps only the first {MAX_BYTES} of a name")]
    TooLong {
        /// Length of the refused name in bytes.
        bytes: usize,
    },
}

/// A raw catalogue name. `Display` is the double-quoted SQL form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identifier(String);

impl Identifier {
    /// Takes a name exactly as the catalogue has it.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidIdentifier> {
        let name = name.into();
        if name.is_empty() {
            Err(InvalidIdentifier::Empty)
        } else if name.contains('\0') {
            Err(InvalidIdentifier::Nul)
        } else if name.len() > MAX_BYTES {
            Err(InvalidIdentifier::TooLong { bytes: name.len() })
        } else {
            Ok(Self(name))
        }
    }

    /// The name as the catalogue has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(&self.0))
    }
}

impl FromStr for Identifier {
    type Err = InvalidIdentifier;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl TryFrom<String> for Identifier {
    type Error = InvalidIdentifier;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<Identifier> for String {
    fn from(name: Identifier) -> Self {
        name.0
    }
}

/// Whether the character may stand in a line of text as it is.
fn is_shown(c: char) -> bool {
    is_harmless(c) && !matches!(c, '\n' | '\t')
}

/// A quoted identifier, `"name"`; `U&"na\000ame"` if it contains characters that must not be shown.
fn quoted(name: &str) -> String {
    if name.chars().all(is_shown) {
        return escape_identifier(name);
    }
    let mut escaped = String::new();
    for c in name.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\"\""),
            c if is_shown(c) => escaped.push(c),
            c if u32::from(c) <= 0xffff => escaped.push_str(&format!("\\{:04x}", u32::from(c))),
            c => escaped.push_str(&format!("\\+{:06x}", u32::from(c))),
        }
    }
    format!("{UNICODE}{escaped}\"")
}

/// How a quoted identifier with Unicode escapes begins.
const UNICODE: &str = "U&\"";

/// The text of an identifier with Unicode escapes.
fn unescaped(text: &str) -> Result<String, String> {
    let mut name = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        name.push_str(before);
        if let Some(after) = after.strip_prefix('\\') {
            name.push('\\');
            rest = after;
            continue;
        }
        let (digits, count) = after.strip_prefix('+').map_or((after, 4), |digits| (digits, 6));
        let number = digits.get(..count).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let character =
            number.and_then(char::from_u32).ok_or("after \\ it needs another \\, four hexadecimal digits, or + and six")?;
        name.push(character);
        rest = &digits[count..];
    }
    name.push_str(rest);
    Ok(name)
}

/// The text as it was written, shortened for a message: two names with every character doubled fit.
fn shown(text: &str) -> String {
    const MOST: usize = 4 * MAX_BYTES;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Why a text does not name a table as `schema.table`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQualifiedTable {
    /// There is no dot, so the schema is missing.
    #[error("\"{text}\" does not name a schema; write it as \"schema.table\"")]
    NoSchema {
        /// What was written.
        text: String,
    },
    /// More than one dot: a schema or table whose own name has a dot.
    #[error(
        "\"{text}\" has more than one dot; it must be \"schema.table\", and a schema or table whose own name contains a dot \
         cannot be written that way and cannot be replicated by ClickPipes"
    )]
    Dotted {
        /// What was written.
        text: String,
    },
    /// One half is not a valid name.
    #[error("\"{text}\" is not a valid \"schema.table\"")]
    Part {
        /// What was written.
        text: String,
        /// What is wrong with the half.
        #[source]
        source: InvalidIdentifier,
    },
}

/// A table and its schema. `Display` is the quoted SQL form, [`QualifiedTable::name`] the raw `schema.table`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QualifiedTable {
    /// The schema.
    pub schema: Identifier,
    /// The table in it.
    pub table: Identifier,
}

impl QualifiedTable {
    /// The raw `schema.table`, as a practitioner writes it and as ClickPipes does.
    pub fn name(&self) -> String {
        format!("{}.{}", self.schema.as_str(), self.table.as_str())
    }
}

impl fmt::Display for QualifiedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

impl FromStr for QualifiedTable {
    type Err = InvalidQualifiedTable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |name: &str| Identifier::new(name).map_err(|source| InvalidQualifiedTable::Part { text: shown(text), source });
        match text.split_once('.') {
            None => Err(InvalidQualifiedTable::NoSchema { text: shown(text) }),
            Some((_, table)) if table.contains('.') => Err(InvalidQualifiedTable::Dotted { text: shown(text) }),
            Some((schema, table)) => Ok(Self { schema: part(schema)?, table: part(table)? }),
        }
    }
}

/// Why an import id does not name an object of a database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{id}\" is not an import id of the form {form}: {reason}")]
pub struct InvalidImportId {
    /// The id as written.
    pub id: String,
    /// The form that it should have.
    pub form: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// Splits an import id `database/name`. Either part may be quoted as an SQL identifier (and must be when it contains a
/// slash); an unquoted part is taken literally, without folding.
pub fn parse_import_id(id: &str) -> Result<(Identifier, Identifier), InvalidImportId> {
    let parts = import_parts(id)
        .and_then(|(database, name)| Ok((database, Identifier::new(name).map_err(|source| format!("name: {source}"))?)));
    parts.map_err(|reason| InvalidImportId { id: id.to_owned(), form: "database/name", reason })
}

/// Splits an import id `database/schema.table` in the same way.
pub fn parse_table_import_id(id: &str) -> Result<(Identifier, QualifiedTable), InvalidImportId> {
    let parts = import_parts(id).and_then(|(database, name)| Ok((database, parse_table(&name)?)));
    parts.map_err(|reason| InvalidImportId { id: id.to_owned(), form: "database/schema.table", reason })
}

fn parse_table(name: &str) -> Result<QualifiedTable, String> {
    name.parse().map_err(|error: InvalidQualifiedTable| match error {
        InvalidQualifiedTable::Part { source, .. } => format!("table: {source}"),
        error => error.to_string(),
    })
}

fn import_parts(id: &str) -> Result<(Identifier, String), String> {
    let (database, rest) = take_part(id)?;
    let rest = rest.strip_prefix('/').ok_or("there is no slash after the database")?;
    let (name, rest) = take_part(rest)?;
    if !rest.is_empty() {
        return Err("a part that contains a slash must be quoted as an SQL identifier (\"a/b\")".to_owned());
    }
    let database = Identifier::new(database).map_err(|source| format!("database: {source}"))?;
    Ok((database, name))
}

/// The import id of an object: `database/name`, with a part quoted where it would be misread otherwise. Before the database an id may
/// name a cluster, with a colon between them.
pub fn import_id(database: &str, name: &str) -> String {
    let part = |text: &str, special: &[char]| {
        let is_plain = text.chars().all(is_shown) && !text.contains(special);
        if is_plain { text.to_owned() } else { quoted(text) }
    };
    format!("{}/{}", part(database, &['/', '"', ':']), part(name, &['/', '"']))
}

/// One part of an import id, unquoted, and the rest of the id.
fn take_part(text: &str) -> Result<(String, &str), String> {
    if let Some(escaped) = text.strip_prefix(UNICODE) {
        let (name, rest) = take_quoted(escaped)?;
        return Ok((unescaped(&name)?, rest));
    }
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find('/').unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    take_quoted(quoted)
}

/// What a quoted part says, up to its closing quote, and the rest of the id.
fn take_quoted(quoted: &str) -> Result<(String, &str), String> {
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let Some((before, after)) = rest.split_once('"') else {
            return Err("a quoted part is not closed".to_owned());
        };
        name.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None if after.is_empty() || after.starts_with('/') => return Ok((name, after)),
            None => return Err("there is text after the closing quote".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifier(name: &str) -> Identifier {
        Identifier::new(name).unwrap()
    }

    #[test]
    fn quotes_every_name_and_doubles_its_quotes() {
        for (raw, sql) in [
            ("orders", "\"orders\""),
            ("Orders", "\"Orders\""),
            ("select", "\"select\""),
            ("a\"b", "\"a\"\"b\""),
            ("\"", "\"\"\"\""),
            ("back\\slash", "\"back\\slash\""),
            ("naïve Ω", "\"naïve Ω\""),
            ("a;DROP", "\"a;DROP\""),
        ] {
            assert_eq!(identifier(raw).to_string(), sql);
            assert_eq!(identifier(raw).as_str(), raw);
        }
    }

    #[test]
    fn what_steers_a_terminal_or_breaks_a_line_is_written_with_escapes() {
        for (raw, sql) in [
            ("a\nb", r#"U&"a\000ab""#),
            ("\u{1b}[2J\"x\\", r#"U&"\001b[2J""x\\""#),
            ("\u{9b}\u{202e}", r#"U&"\009b\202e""#),
            ("\t😀", r#"U&"\0009😀""#),
        ] {
            assert_eq!(identifier(raw).to_string(), sql);
            let id = import_id(raw, raw);
            assert_eq!(id, format!("{sql}/{sql}"));
            assert_eq!(parse_import_id(&id), Ok((identifier(raw), identifier(raw))));
        }
        assert_eq!(parse_import_id(r#"app/U&"\+01f600""#), Ok((identifier("app"), identifier("😀"))));
        for id in [r#"app/U&"\00""#, r#"app/U&"\zzzz""#, r#"app/U&"\d800""#, r#"app/U&"\+00"#, "app/U&\"\\\u{2028}\""] {
            assert!(parse_import_id(id).is_err(), "{id}");
        }
    }

    #[test]
    fn refuses_what_the_server_would_not_keep() {
        assert_eq!(Identifier::new(""), Err(InvalidIdentifier::Empty));
        assert_eq!(Identifier::new("a\0b"), Err(InvalidIdentifier::Nul));
        assert!(Identifier::new("x".repeat(63)).is_ok());
        assert_eq!(Identifier::new("é".repeat(32)), Err(InvalidIdentifier::TooLong { bytes: 64 }));
    }

    #[test]
    fn serialises_as_its_raw_text_and_validates_when_read() {
        let name = identifier("a\"b");
        let json = serde_json::to_string(&name).unwrap();
        assert_eq!(json, "\"a\\\"b\"");
        assert_eq!(serde_json::from_str::<Identifier>(&json).unwrap(), name);
        assert!(serde_json::from_str::<Identifier>("\"\"").is_err());
    }

    #[test]
    fn reads_a_qualified_table() {
        let table: QualifiedTable = "My Schema.t\"x".parse().unwrap();
        assert_eq!(table.to_string(), "\"My Schema\".\"t\"\"x\"");
        assert_eq!(table.name(), "My Schema.t\"x");
    }

    #[test]
    fn refuses_a_table_without_schema_or_with_a_dot_in_a_name() {
        let reason = |text: &str| text.parse::<QualifiedTable>().unwrap_err();
        assert!(matches!(reason("orders"), InvalidQualifiedTable::NoSchema { .. }));
        assert!(reason("a.b.c").to_string().contains("cannot be replicated by ClickPipes"));
        assert!(matches!(reason("public."), InvalidQualifiedTable::Part { source: InvalidIdentifier::Empty, .. }));
        assert!(matches!(reason(".orders"), InvalidQualifiedTable::Part { source: InvalidIdentifier::Empty, .. }));
    }

    #[test]
    fn reads_an_import_id_plain_and_quoted() {
        for (id, database, name) in [
            ("app/clickpipes", "app", "clickpipes"),
            ("App/Click Pipes", "App", "Click Pipes"),
            ("\"a/b\"/\"c\"\"d\"", "a/b", "c\"d"),
            ("app/\"x/y\"", "app", "x/y"),
            ("app/a\"b", "app", "a\"b"),
        ] {
            assert_eq!(parse_import_id(id), Ok((identifier(database), identifier(name))), "{id}");
        }
    }

    #[test]
    fn a_malformed_import_id_says_the_form() {
        for id in ["app", "", "/", "app/", "/name", "a/b/c", "\"app/name", "\"app\"x/name", "\"\"/x"] {
            let error = parse_import_id(id).unwrap_err();
            assert!(error.to_string().contains("database/name"), "{error}");
        }
    }
}
