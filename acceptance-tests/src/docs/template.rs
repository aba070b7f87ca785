//! Handwritten text with places to fill, written `{{name}}`.

use anyhow::{Context as _, Result, bail, ensure};

/// Fills the places of `template`. Filled-in text is not searched again, so it may contain anything.
///
/// # Errors
/// A place without a value, a value without a place, or braces that do not close.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> Result<String> {
    let mut filled = String::new();
    let mut used = vec![false; values.len()];
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").context("a place does not end: }} is missing")?;
        let Some(index) = values.iter().position(|(known, _)| *known == name.trim()) else {
            bail!("nothing is known about {{{{{name}}}}}");
        };
        used[index] = true;
        filled.push_str(before);
        filled.push_str(values[index].1);
        rest = after;
    }
    filled.push_str(rest);
    let forgotten = values.iter().zip(&used).find(|(_, used)| !**used).map(|((name, _), _)| name);
    ensure!(forgotten.is_none(), "there is no place for {{{{{}}}}}", forgotten.unwrap_or(&""));
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_not_searched() {
        assert_eq!(fill("<{{a}}> {{ b }}\n", &[("a", "{{b}}"), ("b", "x")]).unwrap(), "<{{b}}> x\n");
    }

    #[test]
    fn an_unknown_open_or_forgotten_place_is_an_error() {
        assert!(fill("{{c}}", &[]).unwrap_err().to_string().contains("{{c}}"));
        assert!(fill("{{c", &[]).is_err());
        assert!(fill("text", &[("a", "x")]).unwrap_err().to_string().contains("{{a}}"));
    }
}
