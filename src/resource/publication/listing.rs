//! Lists of names in messages. Pure.

/// How many names a message lists before it only counts.
pub(super) const NAMES_SHOWN: usize = 20;

/// All of these names, if they are not too many.
pub(super) fn listed(names: &[&String]) -> String {
    few(names, names.len())
}

/// The first of so many names, and how many more there are.
pub(super) fn few(names: &[&String], number: usize) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_SHOWN).map(|name| name.as_str()).collect();
    match number.checked_sub(NAMES_SHOWN) {
        Some(more) if more > 0 => format!("{} and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut_and_counted() {
        let names: Vec<String> = (0..25).map(|number| format!("a.t{number}")).collect();
        let text = listed(&names.iter().collect::<Vec<_>>());
        assert!(text.ends_with("a.t19 and 5 more"), "{text}");
    }
}
