//! The log level from the environment.

use tracing::level_filters::LevelFilter;

/// Most specific first. TF_LOG_CORE alone does not apply to providers.
const VARIABLES: [&str; 3] = ["TF_LOG_PROVIDER_CLICKPIPES", "TF_LOG_PROVIDER", "TF_LOG"];

pub(super) fn from_environment(variable: impl Fn(&str) -> Option<String>) -> LevelFilter {
    VARIABLES
        .iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .map_or(LevelFilter::OFF, |value| decode(&value))
}

/// Terraform treats an unknown word as TRACE; "JSON" is TRACE in its own JSON format.
fn decode(word: &str) -> LevelFilter {
    match word.to_ascii_uppercase().as_str() {
        "DEBUG" => LevelFilter::DEBUG,
        "INFO" => LevelFilter::INFO,
        "WARN" => LevelFilter::WARN,
        "ERROR" => LevelFilter::ERROR,
        "OFF" => LevelFilter::OFF,
        _ => LevelFilter::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: LevelFilter) {
        let level = from_environment(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()));
        assert_eq!(level, expected);
    }

    #[test]
    fn silence_unless_asked() {
        check(&[], LevelFilter::OFF);
        check(&[("TF_LOG", "")], LevelFilter::OFF);
        check(&[("TF_LOG_CORE", "TRACE")], LevelFilter::OFF);
        check(&[("TF_LOG", "off")], LevelFilter::OFF);
    }

    #[test]
    fn the_most_specific_variable_decides() {
        check(&[("TF_LOG", "info")], LevelFilter::INFO);
        check(&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "WARN")], LevelFilter::WARN);
        check(&[("TF_LOG_PROVIDER", "ERROR"), ("TF_LOG_PROVIDER_CLICKPIPES", "DEBUG")], LevelFilter::DEBUG);
    }

    #[test]
    fn json_and_unknown_words_mean_everything() {
        check(&[("TF_LOG", "JSON")], LevelFilter::TRACE);
        check(&[("TF_LOG", "1")], LevelFilter::TRACE);
    }
}
