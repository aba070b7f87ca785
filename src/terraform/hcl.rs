//! Text in the language in which practitioners write configurations.

/// A text as a quoted template that Terraform reads back as the same text.
///
/// Anything that could be read as part of the language is escaped, and so are invisible characters: control characters, including
/// those that break a line or change the text direction. Everything else beyond ASCII stays readable. Terraform composes
/// characters (NFC) in all that it reads, so a text that is not composed cannot be written at all.
#[must_use]
pub fn hcl_string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '$' | '%' if characters.peek() == Some(&'{') => quoted.extend([character, character]),
            unseen if is_unseen(unseen) => quoted.push_str(&format!("\\u{:04X}", u32::from(unseen))),
            seen => quoted.push(seen),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a character is a control: C0 or C1, a line or paragraph separator, or a direction mark. All are below U+10000.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}')
        || matches!(character, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::hcl_string;

    #[test]
    fn plain_text_is_only_quoted() {
        for text in ["", "orders", "public.orders", "naïve Ω 表 🦀", "it's", "a{b}", "$", "%", "$$", "100%", "$ {", "$(x)"] {
            assert_eq!(hcl_string(text), format!("\"{text}\""));
        }
    }

    #[test]
    fn nothing_in_a_text_is_a_part_of_the_language() {
        for (text, quoted) in [
            ("a\"b", r#""a\"b""#),
            ("back\\slash", r#""back\\slash""#),
            ("\\\"", r#""\\\"""#),
            ("${var.x}", r#""$${var.x}""#),
            ("%{if true}", r#""%%{if true}""#),
            ("\\${x}", r#""\\$${x}""#),
            ("line\nnext\r\n\ttab", r#""line\nnext\r\n\ttab""#),
            ("\\n", r#""\\n""#),
            ("\\u0041", r#""\\u0041""#),
        ] {
            assert_eq!(hcl_string(text), quoted);
        }
    }

    /// As `terraform console` reads them: only the sign right before the brace counts.
    #[test]
    fn what_looks_escaped_already_comes_back_too() {
        for (text, quoted) in [
            ("$${x}", r#""$$${x}""#),
            ("$$${x}", r#""$$$${x}""#),
            ("%%{x}", r#""%%%{x}""#),
            ("$%{x}", r#""$%%{x}""#),
            ("%${x}", r#""%$${x}""#),
            ("${${", r#""$${$${""#),
        ] {
            assert_eq!(hcl_string(text), quoted);
        }
    }

    #[test]
    fn nothing_unseen_reaches_the_page() {
        for (text, quoted) in [
            ("\0", r#""\u0000""#),
            ("\u{1b}[31m", r#""\u001B[31m""#),
            ("\u{7f}\u{85}\u{9f}", r#""\u007F\u0085\u009F""#),
            ("\u{2028}\u{2029}", r#""\u2028\u2029""#),
            ("\u{61c}\u{200e}\u{200f}", r#""\u061C\u200E\u200F""#),
            ("\u{202a}\u{202e}\u{2066}\u{2069}", r#""\u202A\u202E\u2066\u2069""#),
            ("$\u{1}{x}", r#""$\u0001{x}""#),
        ] {
            assert_eq!(hcl_string(text), quoted);
        }
    }
}
