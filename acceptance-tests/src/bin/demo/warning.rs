//! The warnings in terraform's output.

/// Each warning as its summary and its explanation, without its place in the configuration.
pub(crate) fn all(text: &str) -> String {
    let mut told = String::new();
    let mut inside = false;
    // Terraform separates the parts of a warning, and warnings from each other, by empty lines.
    for paragraph in text.split("\n\n").map(str::trim_end) {
        let paragraph = paragraph.trim_start_matches('\n');
        if let Some(summary) = paragraph.strip_prefix("Warning: ") {
            inside = !summary.starts_with("Provider development overrides");
            if inside {
                told.push_str(&format!("Warning: {summary}\n"));
            }
        } else if AFTER.iter().any(|beginning| paragraph.starts_with(beginning)) {
            inside = false;
        } else if inside && !paragraph.starts_with("  with ") {
            for line in paragraph.lines() {
                told.push_str(&format!("    {line}\n"));
            }
        }
    }
    told
}

/// The beginnings of the text after the last warning.
const AFTER: [&str; 3] = ["─", "Apply complete!", "Destroy complete!"];

#[cfg(test)]
mod tests {
    #[test]
    fn a_warning_keeps_its_words_and_loses_its_place() {
        let text = "Plan: 1 to add.\n\nWarning: Provider development overrides are in effect\n\nThe following.\n\n\
                    Warning: This reboots\n\n  with x.y,\n  on main.tf line 1:\n\nAn outage.\nOf seconds.\n\n────\n\nNote: no.\n";
        assert_eq!(super::all(text), "Warning: This reboots\n    An outage.\n    Of seconds.\n");
    }
}
