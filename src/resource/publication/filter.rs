//! A row filter as a text: what may stand in one, and which columns it names. Pure.
//!
//! A filter is the practitioner's own SQL. It is put between parentheses, and must not be able to end them: a text that could be read
//! in two ways is refused, so that the statement in the plan does what it says.

use std::collections::BTreeSet;

/// What is wrong with a filter, as the rest of a sentence.
pub(super) type Fault = &'static str;

/// A word or a sign of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A name, as the catalogue has it.
    Name(String),
    Sign(char),
    /// A string, which names nothing.
    Text,
}

/// Why a text cannot be a filter; `None`: it can.
pub(super) fn fault(text: &str) -> Option<Fault> {
    let tokens = match tokens(text) {
        Ok(tokens) => tokens,
        Err(fault) => return Some(fault),
    };
    let mut depth = 0_usize;
    for token in &tokens {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') if depth == 0 => return Some("closes a parenthesis that it does not open"),
            Token::Sign(')') => depth -= 1,
            _ => {}
        }
    }
    (depth > 0).then_some("does not close all its parentheses").or(tokens.is_empty().then_some("is empty"))
}

/// Those of the columns of a table that a filter uses. It may be too many, because a word can also be that of a type or a keyword, but
/// never too few: PostgreSQL accepts no filter that uses the whole row.
pub(super) fn columns(text: &str, columns: &[String]) -> Vec<String> {
    let tokens = tokens(text).unwrap_or_default();
    let used = |(place, token): (usize, &Token)| {
        let Token::Name(name) = token else { return None };
        let is_type = place >= 2 && tokens[place - 2..place] == [Token::Sign(':'), Token::Sign(':')];
        let is_function = tokens.get(place + 1) == Some(&Token::Sign('('));
        (columns.contains(name) && !is_type && !is_function).then(|| name.clone())
    };
    let used: BTreeSet<String> = tokens.iter().enumerate().filter_map(used).collect();
    used.into_iter().collect()
}

fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\0', _) => return Err("contains a NUL character"),
            (';', _) => return Err("contains a semicolon"),
            ('$', _) => return Err("contains a dollar sign outside quotes; write strings in single quotes"),
            ('-', Some('-')) | ('/', Some('*')) => return Err("contains a comment"),
            ('&', Some('"' | '\'')) => {
                return Err("contains a name or string with Unicode escapes; write the characters themselves");
            }
            ('\'', _) => {
                quoted(&mut characters, '\'')?;
                tokens.push(Token::Text);
            }
            ('"', _) => tokens.push(Token::Name(quoted(&mut characters, '"')?)),
            (space, _) if space.is_ascii_whitespace() || space == '\x0b' => {}
            (first, _) if is_of_name(first) => {
                let mut name = String::from(first);
                while let Some(next) = characters.next_if(|next| is_of_name(*next)) {
                    name.push(next);
                }
                tokens.push(Token::Name(name.to_ascii_lowercase()));
            }
            (sign, _) => tokens.push(Token::Sign(sign)),
        }
    }
    Ok(tokens)
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || !character.is_ascii()
}

/// The content of a string or a name whose opening quote was read. Where a string ends must not depend on whether backslashes escape
/// in it: so no odd number of them stands before a quote.
fn quoted(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, quote: char) -> Result<String, Fault> {
    let mut content = String::new();
    let mut backslashes = 0_usize;
    while let Some(character) = characters.next() {
        if character == '\0' {
            return Err("contains a NUL character");
        }
        if character == quote {
            if quote == '\'' && backslashes % 2 == 1 {
                return Err("has a backslash before a quote; write a quote in a string as two quotes");
            }
            if characters.next_if_eq(&quote).is_none() {
                return Ok(content);
            }
        }
        backslashes = if character == '\\' { backslashes + 1 } else { 0 };
        content.push(character);
    }
    Err("does not close all its quotes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_leave_the_parentheses_is_refused() {
        for text in [
            "",
            " \n",
            "true) WITH (publish = ''",
            "a > 0)",
            "(a > 0",
            "true; DROP TABLE t",
            "true -- )",
            "true /* ( */",
            "a = 'x",
            "\"a = 1",
            "a = E'\\'",
            "a = '\\') ; DROP TABLE t; --'",
            "a = $$)$$",
            "U&\"\\0061\" > 0",
            "a = '\0'",
        ] {
            assert!(fault(text).is_some(), "{text}");
        }
    }

    #[test]
    fn ordinary_filters_are_accepted() {
        for text in [
            "status <> 'draft'",
            "(a > 1) AND (b = 'it''s ; -- ) fine')",
            "code ~ '^\\d+$'",
            "\"we;ird)\" IS NULL",
            "a - -1 > 0\nAND b / 2 = 1",
            "a = E'\\\\'",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
    }

    #[test]
    fn the_columns_of_a_filter_are_found_by_name() {
        let of = |text: &str| columns(text, &["id", "Status", "date", "lower", "größe"].map(str::to_owned)).join(" ");
        assert_eq!(of("ID > 1 AND \"Status\" = 'id'"), "Status id");
        assert_eq!(of("lower('x') = 'x'::date"), "");
        assert_eq!(of("größe > 0 AND orders.date IS NULL"), "date größe");
        assert_eq!(of("status = 'a'"), "");
    }
}
