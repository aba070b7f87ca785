//! Which of the paths in a plan require a replacement.

use super::super::path::Path;
use super::super::value::Value;

/// The result for a plan's paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replacements {
    /// Those whose value changed: the object has to be replaced.
    pub changed: Vec<Path>,
    /// Those that neither the prior nor the planned object has.
    pub missing: Vec<Path>,
}

/// Sorts the paths. On a create, without a prior object, they mean nothing.
#[must_use]
pub fn replacements(prior: &Value, planned: &Value, paths: &[Path]) -> Replacements {
    let mut found = Replacements::default();
    if prior.is_null() || planned.is_null() {
        return found;
    }
    for path in paths {
        match (path.find(prior), path.find(planned)) {
            (None, None) => found.missing.push(path.clone()),
            (before, after) if before.unwrap_or(&Value::Null) != after.unwrap_or(&Value::Null) => {
                found.changed.push(path.clone())
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::super::schema::examples::object;
    use super::*;

    #[test]
    fn only_a_changed_value_replaces_and_a_path_to_nowhere_is_a_fault() {
        let of = |database: &str| object([("database", Value::text(database)), ("name", Value::text("a"))]);
        let paths = ["database", "name", "nothing"].map(|name| Path::root().attribute(name));
        let found = replacements(&of("one"), &of("other"), &paths);
        assert_eq!((found.changed, found.missing), (vec![paths[0].clone()], vec![paths[2].clone()]));
        assert_eq!(replacements(&Value::Null, &of("one"), &paths), Replacements::default());
    }
}
