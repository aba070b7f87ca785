//! The place of a value in an object, written as core writes it: `.members[0].writer`.

use std::fmt;

use terraform_provider_clickpipes::proto::tfplugin6::{AttributePath, attribute_path::step::Selector};

use super::value::Value;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// An attribute of an object.
    Attribute(String),
    /// A key of a map.
    Key(String),
    /// A place in a list.
    Index(usize),
    /// Some element of a set: it has no address.
    Element,
}

/// A path from the root of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The object itself.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// This path and one step more.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// This path and an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Self {
        self.then(Step::Attribute(name.to_owned()))
    }

    /// This path and a key.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    /// This path and a place in a list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    /// The value there; `None` if the object has no such place.
    #[must_use]
    pub fn find<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(object, |value, step| match (step, value) {
            (Step::Attribute(name), Value::Object(entries)) | (Step::Key(name), Value::Map(entries)) => entries.get(name),
            (Step::Index(index), Value::List(elements)) => elements.get(*index),
            // Below an unknown value anything may turn out to be.
            (_, unknown @ Value::Unknown(_)) => Some(unknown),
            _ => None,
        })
    }
}

impl From<&AttributePath> for Path {
    fn from(path: &AttributePath) -> Self {
        let steps = path.steps.iter().filter_map(|step| step.selector.as_ref()).map(|selector| match selector {
            Selector::AttributeName(name) => Step::Attribute(name.clone()),
            Selector::ElementKeyString(key) => Step::Key(key.clone()),
            Selector::ElementKeyInt(index) => Step::Index(usize::try_from(*index).unwrap_or(usize::MAX)),
        });
        Self(steps.collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
            Step::Attribute(name) => write!(f, ".{name}"),
            Step::Key(key) => write!(f, "[{key:?}]"),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Element => f.write_str("[...]"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_place_and_is_written_like_core_does() {
        let members = Value::List(vec![Value::Object([("writer".to_owned(), Value::Bool(true))].into())]);
        let object = Value::Object([("members".to_owned(), members), ("later".to_owned(), Value::unknown())].into());
        let path = Path::root().attribute("members").index(0).attribute("writer");
        assert_eq!(path.to_string(), ".members[0].writer");
        assert_eq!(path.find(&object), Some(&Value::Bool(true)));
        assert_eq!(Path::root().attribute("members").index(1).find(&object), None);
        assert_eq!(Path::root().attribute("later").key("x").find(&object), Some(&Value::unknown()));
        assert_eq!(Path::root().attribute("tags").key("a b").to_string(), r#".tags["a b"]"#);
    }
}
