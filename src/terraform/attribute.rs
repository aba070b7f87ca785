//! Typed attributes: what a Rust type means as an attribute, and the three states a value can be in.

use std::collections::{BTreeMap, BTreeSet};

use super::{Diagnostic, Diagnostics, Kind, Nesting, Trail, Type, Value};
use crate::secret::Secret;

/// An attribute's value: absent, known only after apply, or known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Attr<T> {
    /// Absent.
    #[default]
    Null,
    /// Known only after apply. A collection with an unknown member counts as unknown.
    Unknown,
    /// Known.
    Known(T),
}

impl<T> Attr<T> {
    /// The known value.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// True when the value is known only after apply.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// True when the value is absent.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<T> From<T> for Attr<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl From<&str> for Attr<String> {
    fn from(value: &str) -> Self {
        Self::Known(value.to_owned())
    }
}

impl<T> From<Option<T>> for Attr<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Known)
    }
}

/// A Rust type that can be the value of an attribute.
pub trait AttributeValue: Sized {
    /// True when parts of the value keep their own unknowns (nested objects); otherwise one unknown part makes the whole unknown.
    const KEEPS_UNKNOWN_PARTS: bool = false;

    /// The declared kind.
    fn kind() -> Kind;

    /// Decodes a value that is neither null nor unknown.
    ///
    /// # Errors
    /// The value has another type; the diagnostic carries its path.
    fn decode(value: &Value, trail: &Trail<'_>) -> Result<Self, Diagnostics>;

    /// The value as Terraform sees it.
    fn encode(&self) -> Value;
}

impl<T: AttributeValue> Attr<T> {
    /// Decodes any value.
    ///
    /// # Errors
    /// The value has another type; the diagnostic carries its path.
    pub fn decode(value: &Value, trail: &Trail<'_>) -> Result<Self, Diagnostics> {
        match value {
            Value::Null => Ok(Self::Null),
            Value::Unknown => Ok(Self::Unknown),
            partly if !T::KEEPS_UNKNOWN_PARTS && partly.contains_unknown() => Ok(Self::Unknown),
            known => T::decode(known, trail).map(Self::Known),
        }
    }

    /// The value as Terraform sees it.
    pub fn encode(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Unknown => Value::Unknown,
            Self::Known(value) => value.encode(),
        }
    }
}

/// The value had another type than its schema says.
pub(crate) fn mismatch(expected: &str, value: &Value, trail: &Trail<'_>) -> Diagnostics {
    Diagnostic::error("Wrong type", format!("Attribute {trail}: {expected} is needed, got {}.", value.kind()))
        .at(trail.path())
        .into()
}

impl AttributeValue for String {
    fn kind() -> Kind {
        Kind::Plain(Type::String)
    }

    fn decode(value: &Value, trail: &Trail<'_>) -> Result<Self, Diagnostics> {
        match value {
            Value::String(text) => Ok(text.clone()),
            other => Err(mismatch("a string", other, trail)),
        }
    }

    fn encode(&self) -> Value {
        Value::String(self.clone())
    }
}

impl AttributeValue for Secret {
    fn kind() -> Kind {
        Kind::Plain(Type::String)
    }

    fn decode(value: &Value, trail: &Trail<'_>) -> Result<Self, Diagnostics> {
        String::decode(value, trail).map(Self::new)
    }

    fn encode(&self) -> Value {
        Value::String(self.expose().to_owned())
    }
}

impl AttributeValue for bool {
    fn kind() -> Kind {
        Kind::Plain(Type::Bool)
    }

    fn decode(value: &Value, trail: &Trail<'_>) -> Result<Self, Diagnostics> {
        match value {
            Value::Bool(flag) => Ok(*flag),
            other => Err(mismatch("a bool", other, trail)),
        }
    }

    fn encode(&self) -> Value {
        Value::Bool(*self)
    }
}

impl AttributeValue for i64 {
    fn kind() -> Kind {
        Kind::Plain(Type::Number)
    }

    fn decode(value: &Value, trail: &Trail<'_>) -> Result<Self, Diagnostics> {
        match value {
            Value::Number(number) => number.as_i64().ok_or_else(|| {
                Diagnostic::error(
                    "Not a whole number",
                    format!("Attribute {trail}: {number} is not a whole number within 64 bits."),
                )
                .at(trail.path())
                .into()
            }),
            other => Err(mismatch("a whole number", other, trail)),
        }
    }

    fn encode(&self) -> Value {
        Value::from(*self)
    }
}

/// A list: of plain values, or of nested objects.
impl<T: AttributeValue> AttributeValue for Vec<T> {
    fn kind() -> Kind {
        match T::kind() {
            Kind::Nested { attributes, .. } => Kind::Nested { nesting: Nesting::List, attributes },
            Kind::Plain(element) => Kind::Plain(Type::List(Box::new(element))),
        }
    }

    fn decode(value: &Value, trail: &Trail<'_>) -> Result<Self, Diagnostics> {
        let Value::List(elements) = value else { return Err(mismatch("a list", value, trail)) };
        let mut diagnostics = Diagnostics::new();
        let mut decoded = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            decoded.extend(diagnostics.absorb(decode_member(element, &trail.index(index))));
            if diagnostics.has_enough_errors() {
                break;
            }
        }
        diagnostics.into_result().map(|_| decoded)
    }

    fn encode(&self) -> Value {
        Value::List(self.iter().map(AttributeValue::encode).collect())
    }
}

/// A set of strings.
impl AttributeValue for BTreeSet<String> {
    fn kind() -> Kind {
        Kind::Plain(Type::Set(Box::new(Type::String)))
    }

    fn decode(value: &Value, trail: &Trail<'_>) -> Result<Self, Diagnostics> {
        let Value::List(elements) = value else { return Err(mismatch("a set", value, trail)) };
        // Members of a set cannot be addressed: messages point at the set.
        elements.iter().map(|element| decode_member(element, trail)).collect()
    }

    fn encode(&self) -> Value {
        Value::List(self.iter().map(AttributeValue::encode).collect())
    }
}

/// A map: of plain values, or of nested objects.
impl<T: AttributeValue> AttributeValue for BTreeMap<String, T> {
    fn kind() -> Kind {
        match T::kind() {
            Kind::Nested { attributes, .. } => Kind::Nested { nesting: Nesting::Map, attributes },
            Kind::Plain(element) => Kind::Plain(Type::Map(Box::new(element))),
        }
    }

    fn decode(value: &Value, trail: &Trail<'_>) -> Result<Self, Diagnostics> {
        let Value::Map(entries) = value else { return Err(mismatch("a map", value, trail)) };
        let mut diagnostics = Diagnostics::new();
        let mut decoded = BTreeMap::new();
        for (key, entry) in entries {
            if let Some(entry) = diagnostics.absorb(decode_member(entry, &trail.key(key))) {
                decoded.insert(key.clone(), entry);
            } else if diagnostics.has_enough_errors() {
                break;
            }
        }
        diagnostics.into_result().map(|_| decoded)
    }

    fn encode(&self) -> Value {
        Value::Map(self.iter().map(|(key, value)| (key.clone(), value.encode())).collect())
    }
}

fn decode_member<T: AttributeValue>(value: &Value, trail: &Trail<'_>) -> Result<T, Diagnostics> {
    if value.is_null() {
        return Err(Diagnostic::error("Null in a collection", format!("Attribute {trail} must not be null."))
            .at(trail.path())
            .into());
    }
    T::decode(value, trail)
}

#[cfg(test)]
mod tests {
    use super::super::AttributePath;
    use super::*;

    #[test]
    fn an_unknown_member_makes_the_list_unknown() {
        let value = Value::List(vec![Value::from("a"), Value::Unknown]);
        assert_eq!(Attr::<Vec<String>>::decode(&value, &Trail::Root.attribute("tables")), Ok(Attr::Unknown));
    }

    #[test]
    fn a_null_member_is_named_with_its_position() {
        let value = Value::List(vec![Value::from("a"), Value::Null]);
        let error = Attr::<Vec<String>>::decode(&value, &Trail::Root.attribute("tables")).unwrap_err();
        assert_eq!(error.iter().next().and_then(|d| d.path.clone()), Some(AttributePath::of("tables").index(1)));
    }

    #[test]
    fn a_fraction_is_no_whole_number() {
        let value = Value::Number("5432.5".parse().unwrap());
        assert!(Attr::<i64>::decode(&value, &Trail::Root.attribute("port")).is_err());
    }
}
