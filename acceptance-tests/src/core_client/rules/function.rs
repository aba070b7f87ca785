//! What core checks of a function's declaration when it loads the provider; and that the declaration says what the function does.

use std::collections::BTreeMap;

use terraform_provider_clickpipes::proto::tfplugin6::{Function, function::Parameter};

use super::Violation;
use super::schema::INVALID;

/// What is wrong with the declaration of a function.
#[must_use]
pub fn assert_function_valid(name: &str, function: &Function) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut say = |detail: String| violations.push(Violation::new(INVALID, detail));
    if !is_identifier(name) {
        say(format!("provider declares function with invalid name {name:?}"));
    }
    let mut seen = BTreeMap::new();
    for (index, parameter) in function.parameters.iter().enumerate() {
        if !is_identifier(&parameter.name) {
            say(format!("provider function {name:?} declares invalid name {:?} for parameter {index}", parameter.name));
        }
        if let Some(earlier) = seen.insert(&parameter.name, index) {
            let reused = &parameter.name;
            say(format!("provider function {name:?} reuses name {reused:?} for both parameters {earlier} and {index}"));
        }
    }
    if let Some(variadic) = &function.variadic_parameter {
        if !is_identifier(&variadic.name) {
            say(format!("provider function {name:?} declares invalid name {:?} for its variadic parameter", variadic.name));
        }
        if let Some(earlier) = seen.get(&variadic.name) {
            let reused = &variadic.name;
            say(format!(
                "provider function {name:?} reuses name {reused:?} for both parameter {earlier} and its variadic parameter"
            ));
        }
    }
    // Nothing in core depends on the words; documentation and editors do.
    let mut described = |what: &str, words: &str| {
        if words.trim().is_empty() {
            say(format!("provider function {name:?} has no {what}"));
        }
    };
    described("summary", &function.summary);
    described("description", &function.description);
    for Parameter { name, description, .. } in function.parameters.iter().chain(&function.variadic_parameter) {
        described(&format!("description of its parameter {name:?}"), description);
    }
    violations
}

/// An ASCII identifier of Terraform's language.
fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(name: &str) -> Parameter {
        Parameter { name: name.to_owned(), description: "What it is.".to_owned(), ..Default::default() }
    }

    fn said(name: &str, parameters: &[&str], variadic: Option<&str>) -> Vec<String> {
        let function = Function {
            parameters: parameters.iter().map(|name| parameter(name)).collect(),
            variadic_parameter: variadic.map(parameter),
            summary: "Short".to_owned(),
            description: "Long".to_owned(),
            ..Default::default()
        };
        assert_function_valid(name, &function).into_iter().map(|violation| violation.detail).collect()
    }

    #[test]
    fn names_are_identifiers_and_each_is_used_once() {
        assert!(said("f", &["a", "b-c"], Some("d_1")).is_empty());
        assert_eq!(said("1f", &[], None), ["provider declares function with invalid name \"1f\""]);
        assert_eq!(said("f", &["a b"], None), ["provider function \"f\" declares invalid name \"a b\" for parameter 0"]);
        assert_eq!(said("f", &["a", "a"], None), ["provider function \"f\" reuses name \"a\" for both parameters 0 and 1"]);
        assert!(said("f", &[], Some(""))[0].contains("for its variadic parameter"));
        assert!(said("f", &["a"], Some("a"))[0].contains("for both parameter 0 and its variadic parameter"));
    }

    #[test]
    fn everything_is_described() {
        let function =
            Function { parameters: vec![Parameter { name: "a".to_owned(), ..Default::default() }], ..Default::default() };
        let said: Vec<String> = assert_function_valid("f", &function).into_iter().map(|violation| violation.detail).collect();
        assert_eq!(said.len(), 3);
        assert!(said[0].ends_with("no summary") && said[1].ends_with("no description") && said[2].contains("parameter \"a\""));
    }
}
