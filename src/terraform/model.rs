//! A schema declared once. `model!` makes a struct from it, together with the declared attributes and the typed codec:
//!
//! ```text
//! model! {
//!     /// A login role.
//!     pub struct Role {
//!         /// Name of the role. A change renames it in place.
//!         name: String => required(),
//!         /// Identifier of the role in the catalogue.
//!         oid: i64 => computed().keep_prior(),
//!     }
//! }
//! ```
//! The documentation comments become the descriptions that practitioners read. Every field is an [`Attr`](super::Attr) of the type named.

use super::{Attribute, Diagnostics, Schema, Trail, Type, Value};

/// A struct declared by `model!`.
pub trait Model: Clone + Default + PartialEq + Send + Sync + 'static {
    /// What it describes. Markdown.
    fn description() -> String;

    /// The schema that it declares.
    fn schema() -> Schema {
        Schema { version: 0, description: Self::description(), attributes: Self::attributes() }
    }

    /// The declared attributes, in the order of the declaration. They are made once in a process.
    fn attributes() -> &'static [Attribute];

    /// The type of the whole object. It is made once in a process: every value that Terraform sends is decoded by it.
    fn value_type() -> &'static Type;

    /// Decodes an object, reporting all its faults at once.
    ///
    /// # Errors
    /// Attributes of a wrong type, each with its path.
    fn decode(value: &Value, trail: &Trail<'_>) -> Result<Self, Diagnostics>;

    /// The object as Terraform sees it, with every attribute present.
    fn encode(&self) -> Value;
}

/// Joins the lines of a documentation comment. rustdoc's leading space goes, paragraphs stay.
pub(crate) fn description(lines: &[&str]) -> String {
    let text: Vec<&str> = lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect();
    text.join("\n").trim().to_owned()
}

/// The name of a field as an attribute: without the `r#` of a word that Rust reserves.
pub(crate) const fn field_name(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', name @ ..] => match std::str::from_utf8(name) {
            Ok(name) => name,
            Err(_) => field,
        },
        _ => field,
    }
}

macro_rules! model {
    (
        $(#[doc = $doc:literal])*
        $visibility:vis struct $name:ident {
            $( $(#[doc = $field_doc:literal])* $field:ident : $type:ty => $flags:expr ),+ $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        $visibility struct $name {
            $( $(#[doc = $field_doc])* pub $field: $crate::terraform::Attr<$type>, )+
        }

        impl $crate::terraform::Model for $name {
            fn description() -> String {
                $crate::terraform::description(&[$($doc),*])
            }

            fn attributes() -> &'static [$crate::terraform::Attribute] {
                static ATTRIBUTES: std::sync::LazyLock<Vec<$crate::terraform::Attribute>> = std::sync::LazyLock::new(|| {
                    vec![$( $crate::terraform::Attribute {
                        name: $crate::terraform::field_name(stringify!($field)).to_owned(),
                        kind: <$type as $crate::terraform::AttributeValue>::kind(),
                        description: $crate::terraform::description(&[$($field_doc),*]),
                        flags: $flags,
                    } ),+]
                });
                &ATTRIBUTES
            }

            fn value_type() -> &'static $crate::terraform::Type {
                static TYPE: std::sync::LazyLock<$crate::terraform::Type> =
                    std::sync::LazyLock::new(|| <$name as $crate::terraform::Model>::schema().value_type());
                &TYPE
            }

            fn decode(
                value: &$crate::terraform::Value,
                trail: &$crate::terraform::Trail<'_>,
            ) -> Result<Self, $crate::terraform::Diagnostics> {
                let mut diagnostics = $crate::terraform::Diagnostics::new();
                let decoded = Self {
                    $( $field: {
                        let name = const { $crate::terraform::field_name(stringify!($field)) };
                        let attribute = $crate::terraform::Attr::decode(value.get(name), &trail.attribute(name));
                        diagnostics.absorb(attribute).unwrap_or_default()
                    }, )+
                };
                diagnostics.into_result().map(|_| decoded)
            }

            fn encode(&self) -> $crate::terraform::Value {
                $crate::terraform::Value::Map(std::collections::BTreeMap::from([
                    $( (const { $crate::terraform::field_name(stringify!($field)) }.to_owned(), self.$field.encode()) ),+
                ]))
            }
        }

        impl $crate::terraform::AttributeValue for $name {
            const KEEPS_UNKNOWN_PARTS: bool = true;

            fn kind() -> $crate::terraform::Kind {
                $crate::terraform::Kind::Nested {
                    nesting: $crate::terraform::Nesting::Single,
                    attributes: <Self as $crate::terraform::Model>::attributes().to_vec(),
                }
            }

            fn decode(
                value: &$crate::terraform::Value,
                trail: &$crate::terraform::Trail<'_>,
            ) -> Result<Self, $crate::terraform::Diagnostics> {
                <Self as $crate::terraform::Model>::decode(value, trail)
            }

            fn encode(&self) -> $crate::terraform::Value {
                $crate::terraform::Model::encode(self)
            }
        }
    };
}
pub(crate) use model;

#[cfg(test)]
mod tests {
    use super::super::{Attr, Kind, Type, computed, optional, required};
    use super::*;

    model! {
        /// Inner object.
        struct Inner {
            /// A filter.
            r#where: String => optional(),
        }
    }

    model! {
        /// First line.
        ///
        /// Second paragraph.
        struct Outer {
            /// Its name.
            name: String => required().requires_replace(),
            /// Options by table.
            options: std::collections::BTreeMap<String, Inner> => optional(),
            /// One inner object.
            inner: Inner => optional(),
            /// A number.
            oid: i64 => computed(),
        }
    }

    #[test]
    fn one_declaration_yields_names_types_descriptions_and_flags() {
        let attributes = Outer::attributes();
        assert_eq!(Outer::description(), "First line.\n\nSecond paragraph.");
        assert_eq!(attributes[0].name, "name");
        assert_eq!(attributes[0].description, "Its name.");
        assert!(attributes[0].flags.required && attributes[0].flags.requires_replace);
        assert_eq!(attributes[3].kind, Kind::Plain(Type::Number));
        assert_eq!(Inner::attributes()[0].name, "where");
        assert_eq!(Outer::value_type(), &Outer::schema().value_type());
    }

    #[test]
    fn a_declaration_is_built_once_in_a_process() {
        assert!(std::ptr::eq(Outer::attributes(), Outer::attributes()));
        assert!(std::ptr::eq(Outer::value_type(), Outer::value_type()));
    }

    #[test]
    fn decoding_keeps_unknown_parts_of_nested_objects() {
        let inner = Value::Map([("where".to_owned(), Value::Unknown)].into());
        let value = Value::Map([("name".to_owned(), Value::from("a")), ("inner".to_owned(), inner)].into());
        let outer = Outer::decode(&value, &Trail::Root).unwrap();
        assert_eq!(outer.name, Attr::from("a"));
        assert_eq!(outer.inner.known().map(|inner| inner.r#where.is_unknown()), Some(true));
        assert_eq!(outer.encode().get("inner").get("where"), &Value::Unknown);
    }

    #[test]
    fn every_fault_is_reported_with_its_path() {
        let value = Value::Map([("name".to_owned(), Value::from(true)), ("oid".to_owned(), Value::from("x"))].into());
        let faults = Outer::decode(&value, &Trail::Root).unwrap_err();
        let paths: Vec<String> = faults.iter().filter_map(|fault| fault.path.as_ref().map(ToString::to_string)).collect();
        assert_eq!(paths, ["name", "oid"]);
    }
}
