//! Names in configurations, states and import ids: decoded, with each fault at its attribute path. Pure.

use std::error::Error;

use crate::postgres::{Identifier, parse_import_id};
use crate::printable::printable_line;
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics};

/// One name; `None` while unknown, and for null.
///
/// # Errors
/// It is not a valid name.
pub(crate) fn name(value: &Attr<String>, attribute: &str) -> Result<Option<Identifier>, Diagnostics> {
    let invalid = |error| invalid("name", AttributePath::of(attribute), &error).into();
    value.known().map(|text| Identifier::new(text).map_err(invalid)).transpose()
}

/// A list of names; `None` while unknown, empty for null. `what` is what they name, such as `table name`.
///
/// # Errors
/// All invalid names, each with its position.
pub(crate) fn names<'a, T, E: Error>(
    list: &'a Attr<Vec<String>>,
    attribute: &str,
    what: &str,
    decode: impl Fn(&'a str) -> Result<T, E>,
) -> Result<Option<Vec<T>>, Diagnostics> {
    let texts = match list {
        Attr::Null => return Ok(Some(Vec::new())),
        Attr::Unknown => return Ok(None),
        Attr::Known(texts) => texts,
    };
    let mut faults = Diagnostics::new();
    let mut decoded = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match decode(text) {
            Ok(name) => decoded.push(name),
            Err(error) => faults.push(invalid(what, AttributePath::of(attribute).index(index), &error)),
        }
        if faults.has_enough_errors() {
            break;
        }
    }
    faults.into_result().map(|_| Some(decoded))
}

/// The database and the name in an import id.
///
/// # Errors
/// It has another form.
pub(crate) fn import_parts(id: &str) -> Result<(Identifier, Identifier), Diagnostics> {
    parse_import_id(id).map_err(|error| {
        let diagnostic = Diagnostic::from_error("Invalid import id", &error);
        Diagnostic { detail: format!("{}.", printable_line(&diagnostic.detail)), ..diagnostic }.into()
    })
}

fn invalid(what: &str, path: AttributePath, error: &dyn Error) -> Diagnostic {
    let diagnostic = Diagnostic::from_error(format!("Invalid {what}"), error);
    Diagnostic { detail: format!("Attribute {path}: {}.", printable_line(&diagnostic.detail)), ..diagnostic }.at(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_named_with_its_place() {
        let list: Attr<Vec<String>> = ["a", "", "b", "c\0"].map(str::to_owned).to_vec().into();
        let faults = names(&list, "schemas", "schema name", Identifier::new).unwrap_err();
        let said: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.summary, fault.detail)).collect();
        assert_eq!(said.len(), 2);
        assert_eq!(said[0], "Invalid schema name: Attribute schemas[1]: the name is empty.");
        assert!(said[1].contains("schemas[3]"), "{said:?}");
    }

    #[test]
    fn unknown_is_told_from_null() {
        assert_eq!(names(&Attr::Unknown, "schemas", "schema name", Identifier::new), Ok(None));
        assert_eq!(names(&Attr::Null, "schemas", "schema name", Identifier::new), Ok(Some(Vec::new())));
        assert_eq!(name(&Attr::Unknown, "name"), Ok(None));
    }

    #[test]
    fn a_malformed_id_says_the_form() {
        assert!(import_parts("app").unwrap_err().iter().any(|fault| fault.detail.contains("database/name")));
        assert_eq!(import_parts("app/p").unwrap().1.as_str(), "p");
    }
}
