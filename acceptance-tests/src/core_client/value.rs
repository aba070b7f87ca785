//! Values as core has them: with refined unknowns, and with sets and objects told apart from lists and maps.
//!
//! This is a second implementation on purpose, independent of the provider's own: a client that read and judged values with the
//! code under test would only echo it. It may be slow and must be plain.

use std::collections::BTreeMap;

use super::decimal::Decimal;
use super::value_type::Type;

/// What is known of an unknown value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refinement {
    /// Whether it will be null.
    pub null: Option<bool>,
    /// How the string begins.
    pub prefix: Option<String>,
    /// The least number, and whether it is included.
    pub least: Option<(Decimal, bool)>,
    /// The largest number, and whether it is included.
    pub most: Option<(Decimal, bool)>,
    /// The fewest elements of the collection.
    pub shortest: Option<u64>,
    /// The most elements of the collection.
    pub longest: Option<u64>,
}

impl Refinement {
    /// Not null, and nothing else.
    #[must_use]
    pub fn not_null() -> Self {
        Self { null: Some(false), ..Self::default() }
    }

    /// Whether a known value keeps what was promised of it.
    #[must_use]
    pub fn admits(&self, value: &Value) -> bool {
        let long = |length: usize| {
            let length = length as u64;
            self.shortest.is_none_or(|shortest| length >= shortest) && self.longest.is_none_or(|longest| length <= longest)
        };
        match value {
            Value::Unknown(_) => true,
            Value::Null => self.null != Some(false),
            _ if self.null == Some(true) => false,
            Value::Text(text) => self.prefix.as_ref().is_none_or(|prefix| text.starts_with(prefix)),
            Value::Number(number) => {
                let above = |(bound, included): &(Decimal, bool)| number > bound || (*included && number == bound);
                let below = |(bound, included): &(Decimal, bool)| number < bound || (*included && number == bound);
                self.least.as_ref().is_none_or(above) && self.most.as_ref().is_none_or(below)
            }
            Value::List(elements) | Value::Set(elements) => long(elements.len()),
            Value::Map(entries) => long(entries.len()),
            Value::Bool(_) | Value::Object(_) | Value::Typed(..) => true,
        }
    }
}

/// A value. Its type is in the schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Absent.
    Null,
    /// Known only after apply.
    Unknown(Refinement),
    /// A bool.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A set, in order: made by [`Value::set`].
    Set(Vec<Value>),
    /// A map.
    Map(BTreeMap<String, Value>),
    /// An object.
    Object(BTreeMap<String, Value>),
    /// A value where the schema says only that it is dynamic: with its type, which travels with it.
    Typed(Box<Type>, Box<Value>),
}

impl Value {
    /// Unknown, with nothing known of it.
    #[must_use]
    pub fn unknown() -> Self {
        Self::Unknown(Refinement::default())
    }

    /// A string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A set of these elements. Equal ones become one, unless they are unknown: two of those may turn out different.
    #[must_use]
    pub fn set(mut elements: Vec<Value>) -> Self {
        elements.sort();
        elements.dedup_by(|one, other| one == other && one.is_wholly_known());
        Self::Set(elements)
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is not itself unknown; parts of it may be.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// Whether neither it nor a part of it is unknown.
    #[must_use]
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown(_) => false,
            Self::Typed(_, value) => value.is_wholly_known(),
            Self::List(elements) | Self::Set(elements) => elements.iter().all(Self::is_wholly_known),
            Self::Map(entries) | Self::Object(entries) => entries.values().all(Self::is_wholly_known),
            _ => true,
        }
    }

    /// The attribute of an object, null where there is no object.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Self {
        match self {
            Self::Object(entries) => entries.get(name).cloned().unwrap_or(Self::Null),
            Self::Unknown(_) => Self::unknown(),
            _ => Self::Null,
        }
    }

    /// The same object with another value for an attribute.
    #[must_use]
    pub fn with(&self, name: &str, value: Self) -> Self {
        let mut changed = self.clone();
        if let Self::Object(entries) = &mut changed {
            entries.insert(name.to_owned(), value);
        }
        changed
    }

    /// The value with every unknown part as `transform` makes it.
    #[must_use]
    pub fn map_unknown(&self, transform: &impl Fn() -> Self) -> Self {
        let each = |entries: &BTreeMap<String, Self>| {
            entries.iter().map(|(name, value)| (name.clone(), value.map_unknown(transform))).collect()
        };
        match self {
            Self::Unknown(_) => transform(),
            Self::List(elements) => Self::List(elements.iter().map(|element| element.map_unknown(transform)).collect()),
            Self::Set(elements) => Self::set(elements.iter().map(|element| element.map_unknown(transform)).collect()),
            Self::Map(entries) => Self::Map(each(entries)),
            Self::Object(entries) => Self::Object(each(entries)),
            Self::Typed(of, value) => Self::Typed(of.clone(), Box::new(value.map_unknown(transform))),
            known => known.clone(),
        }
    }

    /// Without refinements, as plans are compared.
    #[must_use]
    pub fn unrefined(&self) -> Self {
        self.map_unknown(&Self::unknown)
    }

    /// An object whose null attributes may turn out to be anything.
    #[must_use]
    pub fn null_as_unknown(&self) -> Self {
        let Self::Object(entries) = self else { return self.clone() };
        let open = |value: &Self| if value.is_null() { Self::unknown() } else { value.clone() };
        Self::Object(entries.iter().map(|(name, value)| (name.clone(), open(value))).collect())
    }

    /// With nulls for what is unknown, as core stores a result that should have none.
    #[must_use]
    pub fn unknown_as_null(&self) -> Self {
        self.map_unknown(&|| Self::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_knows_no_order_and_no_duplicates() {
        let (a, b) = (Value::text("a"), Value::text("b"));
        assert_eq!(Value::set(vec![b.clone(), a.clone(), b.clone()]), Value::set(vec![a, b]));
        let unknown = Value::set(vec![Value::unknown(), Value::unknown()]);
        assert!(matches!(unknown, Value::Set(elements) if elements.len() == 2));
    }

    #[test]
    fn a_refinement_admits_what_it_promises() {
        let number = |text: &str| Value::Number(text.parse().unwrap());
        let port = Refinement { least: Some((1.into(), true)), most: Some((10.into(), false)), ..Refinement::not_null() };
        assert!(port.admits(&number("1")) && port.admits(&number("9.5")));
        assert!(!port.admits(&number("10")) && !port.admits(&number("0")) && !port.admits(&Value::Null));
        let name = Refinement { prefix: Some("pre-".to_owned()), ..Refinement::default() };
        assert!(name.admits(&Value::text("pre-x")) && name.admits(&Value::Null) && !name.admits(&Value::text("x")));
        let few = Refinement { shortest: Some(1), longest: Some(2), ..Refinement::default() };
        assert!(!few.admits(&Value::List(Vec::new())) && few.admits(&Value::List(vec![Value::Null])));
    }

    #[test]
    fn unknown_parts_are_found_at_any_depth() {
        let object = Value::Object([("inner".to_owned(), Value::List(vec![Value::Unknown(Refinement::not_null())]))].into());
        assert!(object.is_known() && !object.is_wholly_known());
        assert_eq!(object.unrefined().attribute("inner"), Value::List(vec![Value::unknown()]));
        assert!(object.unknown_as_null().is_wholly_known());
    }
}
