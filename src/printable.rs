//! Text that is shown to people: names chosen by others must not control their terminal, and no message is endless. Every text
//! that leaves the process passes through here: diagnostics, computed strings, logs. Pure.

/// The longest text that is shown, in characters.
const LONGEST: usize = 64 << 10;

/// The text with control characters, direction marks and line separators escaped, and cut if it is too long. Line breaks and tabs
/// are kept: messages use them for layout.
pub(crate) fn printable(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len().min(LONGEST));
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST {
            shown.push_str(&format!("... ({} more characters)", text.chars().count() - LONGEST));
            break;
        }
        if is_harmless(c) { shown.push(c) } else { shown.extend(c.escape_unicode()) }
    }
    shown
}

/// The same on one line.
pub(crate) fn printable_line(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    printable(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// Whether the text is shown as it is.
pub(crate) fn is_printable_line(text: &str) -> bool {
    printable_line(text) == text
}

/// Whether the text is short and ASCII on one line, as almost all of ours: told byte by byte, it is shown as it is.
fn is_plain(text: &str) -> bool {
    text.len() <= LONGEST && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Whether a terminal shows the character and does nothing else; a line break or a tab may be layout.
pub(crate) fn is_harmless(c: char) -> bool {
    let steers = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    matches!(c, '\n' | '\t') || !(c.is_control() || steers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_the_rest_stays() {
        let hostile = "a\u{1b}[31mEVIL\u{1b}]0;pwn\u{7}\u{8} b\u{202e}c\u{9b}\u{2066}d\r";
        assert_eq!(printable(hostile), "a\\u{1b}[31mEVIL\\u{1b}]0;pwn\\u{7}\\u{8} b\\u{202e}c\\u{9b}\\u{2066}d\\u{d}");
        let plain = "Größe \"Ω\"\n\t👨‍👩‍👧 日本語 e\u{301}";
        assert_eq!(printable(plain), plain);
        assert_eq!(printable_line("a\nb\tc"), "a\\nb\\tc");
    }

    #[test]
    fn what_is_endless_is_cut() {
        let shown = printable(&"ü".repeat(LONGEST + 5));
        assert!(shown.ends_with("ü... (5 more characters)"));
        assert_eq!(printable(&"ü".repeat(LONGEST)).chars().count(), LONGEST);
    }
}
